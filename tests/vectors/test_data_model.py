"""The official data-model vectors: JSON, DAG-CBOR and CID say the same; bad JSON is refused."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from pod.errors import Invalid
from pod.records import cbor, cid
from pod.records.data import data_to_json, json_to_record


def fixtures(shared: Path, name: str) -> list[dict[str, Any]]:
    path = shared / "vectors" / "atproto-interop" / "data-model" / f"data-model-{name}.json"
    loaded: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    assert loaded
    return loaded


def test_json_block_and_cid_agree(shared: Path) -> None:
    for case in fixtures(shared, "fixtures"):
        block = base64.b64decode(case["cbor_base64"] + "==")
        data = json_to_record(case["json"])
        assert cbor.encode(data) == cbor.encode_strictly(data) == block
        assert cbor.decode(block) == cbor.decode_strictly(block) == data
        assert cbor.decode_trusted(block) == data
        assert data_to_json(data) == case["json"]
        assert cid.cid_text(cid.record_cid(block)) == case["cid"]


def test_valid_data_survives_the_round_trip(shared: Path) -> None:
    for case in fixtures(shared, "valid"):
        data = json_to_record(case["json"])
        assert data_to_json(cbor.decode(cbor.encode(data))) == case["json"], case["note"]


def test_invalid_data_is_refused(shared: Path) -> None:
    for case in fixtures(shared, "invalid"):
        with pytest.raises(Invalid):
            pytest.fail(f"took {case['note']}: {json_to_record(case['json'])}")
