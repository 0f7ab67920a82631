"""Frames: exactly the fields of the lexicon, canonical, with times in milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from adapters.atproto.firehose.frames import (
    account_frame,
    commit_frame,
    error_frame,
    identity_frame,
    info_frame,
    sync_frame,
    time_text,
)
from pod.model.change import RecordOp, RepoHead
from pod.model.ids import Did, Handle, MemberId, Tid
from pod.model.member import Standing
from tests.kit.other_cbor import (
    CID,
    decode_multi_dag_cbor_in_violation_of_the_spec,
    encode_dag_cbor,
)
from tests.kit.repo import cid_of

DID = Did("did:plc:ewvi7nxzyoun6zhxrhs64oiz")
AT = datetime(2026, 5, 6, 7, 8, 9, 10_999, tzinfo=UTC)
BEFORE = RepoHead(MemberId(1), cid_of("c1"), Tid("3jzfcijpj2z2a"), cid_of("d1"), b"")
AFTER = RepoHead(MemberId(1), cid_of("c2"), Tid("3jzfcijpj2z2b"), cid_of("d2"), b"")


def _read(frame: bytes) -> tuple[Any, Any]:
    head, body = decode_multi_dag_cbor_in_violation_of_the_spec(frame)
    assert encode_dag_cbor(head) + encode_dag_cbor(body) == frame
    return head, body


def test_a_commit_event_tells_its_ops_and_the_state_before() -> None:
    ops = [
        RecordOp("create", "c/1", cid_of(1), None, b""),
        RecordOp("update", "c/2", cid_of(2), cid_of(3), b""),
        RecordOp("delete", "c/3", None, cid_of(4), None),
    ]
    head, body = _read(commit_frame(DID, AFTER, BEFORE, ops, b"car")(70_000, AT))
    assert head == {"op": 1, "t": "#commit"}
    assert body == {
        "seq": 70_000,
        "rebase": False,
        "tooBig": False,
        "repo": DID,
        "commit": CID(cid_of("c2")),
        "rev": "3jzfcijpj2z2b",
        "since": "3jzfcijpj2z2a",
        "blocks": b"car",
        "ops": [
            {"action": "create", "path": "c/1", "cid": CID(cid_of(1))},
            {"action": "update", "path": "c/2", "cid": CID(cid_of(2)), "prev": CID(cid_of(3))},
            {"action": "delete", "path": "c/3", "cid": None, "prev": CID(cid_of(4))},
        ],
        "blobs": [],
        "prevData": CID(cid_of("d1")),
        "time": "2026-05-06T07:08:09.010Z",
    }


def test_the_first_commit_has_no_state_before() -> None:
    _, body = _read(commit_frame(DID, AFTER, None, [], b"car")(1, AT))
    assert body["since"] is None
    assert "prevData" not in body


@pytest.mark.parametrize("seq", [1, 23, 24, 255, 256, 65_535, 65_536, 2**32, 2**53 - 1])
def test_every_sequence_number_has_its_canonical_form(seq: int) -> None:
    _, body = _read(commit_frame(DID, AFTER, BEFORE, [], b"")(seq, AT))
    assert body["seq"] == seq


def test_the_other_events_have_the_fields_of_the_lexicon() -> None:
    when = {"seq": 5, "time": "2026-05-06T07:08:09.010Z"}
    frame = identity_frame(DID, Handle("alice.test"), seq=5, at=AT)
    assert _read(frame) == (
        {"op": 1, "t": "#identity"},
        {"did": DID, "handle": "alice.test", **when},
    )
    frame = account_frame(DID, Standing.ACTIVE, seq=5, at=AT)
    assert _read(frame) == ({"op": 1, "t": "#account"}, {"did": DID, "active": True, **when})
    frame = account_frame(DID, Standing.TAKENDOWN, seq=5, at=AT)
    assert _read(frame)[1] == {"did": DID, "active": False, "status": "takendown", **when}
    head, body = _read(sync_frame(DID, AFTER.rev, AFTER.commit, b"\xa0", seq=5, at=AT))
    assert head == {"op": 1, "t": "#sync"}
    assert body.pop("blocks").endswith(cid_of("c2") + b"\xa0")
    assert body == {"did": DID, "rev": AFTER.rev, **when}


def test_info_and_errors_stand_outside_the_sequence() -> None:
    assert _read(info_frame("OutdatedCursor", "older than what is kept")) == (
        {"op": 1, "t": "#info"},
        {"name": "OutdatedCursor", "message": "older than what is kept"},
    )
    assert _read(error_frame("FutureCursor", "in the future")) == (
        {"op": -1},
        {"error": "FutureCursor", "message": "in the future"},
    )


def test_times_are_told_in_utc_to_the_millisecond() -> None:
    assert time_text(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000Z"
    east = timezone(timedelta(hours=2))
    assert time_text(datetime(2026, 1, 1, 1, 0, 0, 999_999, east)) == "2025-12-31T23:00:00.999Z"
