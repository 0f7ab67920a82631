"""The official lexicon vectors: which lexicons and which records are valid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pod.errors import Invalid
from pod.model.ids import Nsid
from pod.records.data import json_to_record
from pod.records.lexicon.registry import Registry, check_document

RECORD = Nsid("example.lexicon.record")


def cases(shared: Path, name: str) -> list[dict[str, Any]]:
    path = shared / "vectors" / "atproto-interop" / "lexicon" / f"{name}.json"
    loaded: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    assert loaded
    return loaded


@pytest.fixture(scope="module")
def registry(shared: Path) -> Registry:
    return Registry.load(shared / "vectors" / "atproto-interop" / "lexicon" / "catalog")


def test_valid_lexicons_are_taken(shared: Path) -> None:
    for case in cases(shared, "lexicon-valid"):
        check_document(case["lexicon"])


def test_invalid_lexicons_are_refused(shared: Path) -> None:
    for case in cases(shared, "lexicon-invalid"):
        with pytest.raises(Invalid):
            pytest.fail(f"took {case['name']} {check_document(case['lexicon'])}")


def test_valid_records_are_taken(shared: Path, registry: Registry) -> None:
    for case in cases(shared, "record-data-valid"):
        assert registry.validate_record(RECORD, json_to_record(case["data"])), case["name"]


def test_invalid_records_are_refused(shared: Path, registry: Registry) -> None:
    for case in cases(shared, "record-data-invalid"):
        with pytest.raises(Invalid):
            pytest.fail(
                f"took {case['name']} "
                f"{registry.validate_record(RECORD, json_to_record(case['data']))}"
            )


def test_the_whole_catalog_is_known(shared: Path, registry: Registry) -> None:
    folder = shared / "vectors" / "atproto-interop" / "lexicon" / "catalog"
    for path in folder.glob("*.json"):
        assert registry.has(json.loads(path.read_text(encoding="utf-8"))["id"])
    assert registry.rkey_kind(RECORD) == "literal:demo"
