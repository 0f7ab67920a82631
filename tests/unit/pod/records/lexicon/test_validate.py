"""Single schemas: what each kind of value may be."""

from __future__ import annotations

from typing import Any

import pytest

from pod.errors import Invalid
from pod.records.data import Data, Link
from pod.records.lexicon.validate import Check, Wrong, compile_schema

CID = b"\x01\x55\x12\x20" + bytes(32)
BLOB: dict[str, Data] = {"$type": "blob", "ref": Link(CID), "mimeType": "image/png", "size": 10}
KIND = {"com.example.a#main": {"type": "object"}, "com.example.a#b": {"type": "object"}}


def check_of(schema: dict[str, Any]) -> Check:
    def lookup(name: str) -> Check:
        return compile_schema(KIND[name], "com.example.a", lookup)

    return compile_schema(schema, "com.example.a", lookup)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "boolean"}, True),
        ({"type": "boolean", "const": False}, False),
        ({"type": "integer"}, -1),
        ({"type": "integer", "enum": [1, 2]}, 2),
        ({"type": "string", "knownValues": ["a"]}, "b"),
        ({"type": "string", "minLength": 2}, "é"),
        ({"type": "string", "maxLength": 2}, "é"),
        ({"type": "string", "maxGraphemes": 1}, "🏳️\u200d🌈"),
        ({"type": "bytes", "maxLength": 36}, CID),
        ({"type": "cid-link"}, Link(CID)),
        ({"type": "unknown"}, {"$type": "com.example.any"}),
        ({"type": "token"}, "com.example.a#token"),
        ({"type": "blob"}, BLOB),
        ({"type": "blob", "accept": ["text/*", "image/*"], "maxSize": 10}, BLOB),
        ({"type": "blob", "accept": ["image/png"]}, BLOB),
        ({"type": "union", "refs": ["#b"]}, {"$type": "com.example.other"}),
        ({"type": "union", "refs": ["#main"], "closed": True}, {"$type": "com.example.a"}),
        (
            {"type": "object", "nullable": ["a"], "properties": {"a": {"type": "integer"}}},
            {"a": None},
        ),
    ],
)
def test_a_value_that_fits_is_taken(schema: dict[str, Any], value: Data) -> None:
    check_of(schema)(value)


def test_a_required_property_with_a_default_may_lack() -> None:
    inner = {"a": {"type": "string", "default": "x"}, "b": {"type": "string"}}
    check = check_of({"type": "object", "required": ["a", "b"], "properties": inner})
    check({"b": "here"})
    with pytest.raises(Wrong, match='must have the property "b"'):
        check({"a": "here"})


@pytest.mark.parametrize(
    ("schema", "value", "complaint"),
    [
        ({"type": "boolean"}, 1, "must be a boolean"),
        ({"type": "boolean", "const": False}, True, "must be false"),
        ({"type": "integer"}, True, "must be an integer"),
        ({"type": "integer", "enum": [1, 2]}, 3, "must be one of (1|2)"),
        ({"type": "string", "minLength": 3}, "é", "must not be shorter than 3 characters"),
        ({"type": "string", "maxLength": 1}, "é", "must not be longer than 1 characters"),
        (
            {"type": "string", "minGraphemes": 2},
            "🏳️\u200d🌈",
            "must not be shorter than 2 graphemes",
        ),
        ({"type": "bytes"}, Link(CID), "must be a byte array"),
        ({"type": "cid-link"}, CID, "must be a CID"),
        ({"type": "unknown"}, BLOB, "must be an object"),
        ({"type": "unknown"}, [], "must be an object"),
        ({"type": "token"}, 1, "must be a token"),
        ({"type": "blob"}, {**BLOB, "size": -1}, "should be a blob ref"),
        ({"type": "blob"}, {"cid": "x", "mimeType": "image/png"}, "should be a blob ref"),
        ({"type": "blob", "maxSize": 9}, BLOB, "must not be larger than 9 bytes"),
        (
            {"type": "blob", "accept": ["image/p"]},
            BLOB,
            "must have a mimeType of image/p, not image/png",
        ),
        (
            {"type": "union", "refs": ["#b"], "closed": True},
            {"$type": "com.example.a"},
            "$type must be one of #b",
        ),
        ({"type": "object", "properties": {"a": {"type": "integer"}}}, {"a": None}, "an integer"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(
    schema: dict[str, Any], value: Data, complaint: str
) -> None:
    with pytest.raises(Wrong) as refused:
        check_of(schema)(value)
    assert complaint in refused.value.text


def test_a_legacy_blob_is_not_writable() -> None:
    legacy: Data = {
        "cid": "bafkreiccldh766hwcnuxnf2wh6jgzepf2nlu2lvcllt63eww5p6chi4ity",
        "mimeType": "image/png",
    }
    with pytest.raises(Wrong, match="should be a blob ref"):
        check_of({"type": "blob"})(legacy)


@pytest.mark.parametrize(
    "schema", [{"type": "float"}, {}, {"type": "string", "format": "phone"}], ids=str
)
def test_a_schema_that_says_nothing_we_know_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        check_of(schema)
