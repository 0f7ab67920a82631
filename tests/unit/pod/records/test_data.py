"""Record data and JSON: what is read, what is refused, and which blobs are found."""

from __future__ import annotations

from typing import Any

import pytest

from pod.errors import Invalid
from pod.model.blob import BlobRef
from pod.records.cid import cid_from_text
from pod.records.data import (
    LEGACY_SIZE,
    Data,
    Link,
    blobs_in,
    data_to_json,
    data_to_json_text,
    json_to_data,
    json_to_record,
)

TEXT = "bafkreiccldh766hwcnuxnf2wh6jgzepf2nlu2lvcllt63eww5p6chi4ity"
CID = cid_from_text(TEXT)
BLOB = {"$type": "blob", "ref": {"$link": TEXT}, "mimeType": "image/png", "size": 7}
LEGACY = {"cid": TEXT, "mimeType": "image/gif"}


def nest(depth: int) -> Any:
    json: Any = []
    for _ in range(depth - 1):
        json = [json]
    return json


def test_links_and_bytes_are_told_apart() -> None:
    data = json_to_data({"link": {"$link": TEXT}, "bytes": {"$bytes": "AQI"}})
    assert isinstance(data, dict)
    link, raw = data["link"], data["bytes"]
    assert isinstance(link, Link)
    assert link.cid == CID
    assert type(raw) is bytes
    assert raw == b"\x01\x02"
    assert data_to_json(data) == {"link": {"$link": TEXT}, "bytes": {"$bytes": "AQI"}}


@pytest.mark.parametrize("text", ["AQI", "AQI=", "AQI=="])
def test_base64_may_be_padded_or_not(text: str) -> None:
    assert json_to_data({"$bytes": text}) == b"\x01\x02"


@pytest.mark.parametrize(
    "json",
    [
        1.5,
        float("inf"),
        float("nan"),
        2.0**60,
        2**63,
        -(2**63) - 1,
        {"$link": TEXT.upper()},
        {"$link": "QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR"},
        {"$link": TEXT, "$bytes": "AQI"},
        {"$bytes": "A"},
        {"$bytes": "A-_B"},
        {"$bytes": "AQ\nI"},
        {"$type": "blob", "ref": {"$link": TEXT}, "mimeType": "image/png", "size": -1},
        {"$type": "blob", "ref": {"$link": TEXT}, "mimeType": "image/png", "size": True},
        {**BLOB, "more": 1},
        object(),
        nest(129),
    ],
    ids=lambda json: str(json)[:40],
)
def test_json_outside_the_data_model_is_refused(json: Any) -> None:
    with pytest.raises(Invalid):
        json_to_data({"deep": [json]} if not isinstance(json, list) else json)


def test_nesting_up_to_the_bound_is_read() -> None:
    assert json_to_data(nest(128)) == nest(128)


def test_whole_floats_are_integers() -> None:
    data = json_to_data([1.0, -2.0, 2.0**53])
    assert data == [1, -2, 2**53]
    assert isinstance(data, list)
    assert all(type(number) is int for number in data)


def test_true_is_not_one() -> None:
    assert json_to_data(True) is True


def test_reading_leaves_the_json_as_it_was() -> None:
    json = {"list": [{"$link": TEXT}]}
    json_to_data(json)
    assert json == {"list": [{"$link": TEXT}]}


def test_data_may_be_mixed_into_an_answer() -> None:
    assert data_to_json_text({"cid": TEXT, "value": {"at": Link(CID)}}) == (
        b'{"cid":"%s","value":{"at":{"$link":"%s"}}}' % (TEXT.encode(), TEXT.encode())
    )


def test_what_has_no_json_form_is_refused() -> None:
    with pytest.raises(Invalid):
        data_to_json_text({"value": {1, 2}})  # type: ignore[dict-item]


def test_blobs_are_found_wherever_they_are_in_both_forms() -> None:
    record = json_to_record({"a": [BLOB, {"b": LEGACY}], "c": {"ref": {"$link": TEXT}}, "d": BLOB})
    present, legacy = BlobRef(CID, "image/png", 7), BlobRef(CID, "image/gif", LEGACY_SIZE)
    assert list(blobs_in(record)) == [present, legacy, present]


@pytest.mark.parametrize(
    "data",
    [
        {"cid": TEXT, "mimeType": "image/gif", "more": 1},
        {"cid": "no", "mimeType": "image/gif"},
        {"$type": "blob", "ref": CID, "mimeType": "image/png", "size": 7},
        {"$type": "blob", "ref": Link(b"x"), "mimeType": "image/png", "size": 7},
    ],
    ids=str,
)
def test_what_only_resembles_a_blob_is_none(data: Data) -> None:
    assert list(blobs_in({"here": data})) == []


def test_a_record_is_an_object() -> None:
    with pytest.raises(Invalid):
        json_to_record([])
