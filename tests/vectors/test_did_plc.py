"""The did:plc vectors: audit logs that every directory takes, and those that it must refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.atproto.did.plc import operation_document, verify_audit_log
from pod.errors import Invalid


def _logs(shared: Path, kind: str) -> dict[str, list[dict[str, Any]]]:
    files = sorted((shared / "vectors/did-plc/audit_log" / kind).glob("*.json"))
    return {file.stem: json.loads(file.read_text()) for file in files}


def _is_valid(log: list[dict[str, Any]]) -> bool:
    try:
        verify_audit_log(log[0]["did"], log)
    except Invalid:
        return False
    return True


def test_valid_logs_lead_to_the_operation_in_force(shared: Path) -> None:
    logs = _logs(shared, "valid")
    assert len(logs) == 10
    for name, log in logs.items():
        last = verify_audit_log(log[0]["did"], log)
        in_force = next(row for row in reversed(log) if not row["nullified"])
        assert last == in_force["operation"], name


def test_a_tombstone_leaves_no_document(shared: Path) -> None:
    log = _logs(shared, "valid")["log_tombstone"]
    did = log[0]["did"]
    assert operation_document(did, verify_audit_log(did, log)) is None


def test_invalid_logs_are_refused(shared: Path) -> None:
    logs = _logs(shared, "invalid")
    assert len(logs) == 10
    for name, log in logs.items():
        assert not _is_valid(log), name


def test_a_log_that_hides_what_was_nullified_is_refused(shared: Path) -> None:
    log = _logs(shared, "valid")["log_nullification_nontrivial"]
    for row in log:
        row["nullified"] = False
    with pytest.raises(Invalid):
        verify_audit_log(log[0]["did"], log)
