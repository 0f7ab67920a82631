"""The strict relay is strict: every rule of it can be broken, and is then noticed."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from adapters.atproto.project import MemoryProjection
from adapters.atproto.repo.car import car_bytes, read_car
from pod.keys.curves import SigningKey
from pod.model.change import RecordOp
from pod.records.cbor import encode
from pod.records.cid import record_cid
from pod.records.tid import TidClock
from tests.kit.members import SteppingClock, a_member
from tests.kit.other_cbor import (
    CID,
    decode_multi_dag_cbor_in_violation_of_the_spec,
    encode_dag_cbor,
)
from tests.kit.strict_relay import Refused, StrictRelay

KEY = SigningKey.from_bytes(sha256(b"key").digest())
MEMBER = a_member()
CLOCK = SteppingClock()


def _ops(first: int, count: int) -> list[RecordOp]:
    blocks = {f"c/{n:05d}": encode({"n": n}) for n in range(first, first + count)}
    return [RecordOp("create", k, record_cid(b), None, b) for k, b in blocks.items()]


def _two_frames() -> tuple[bytes, bytes]:
    project = MemoryProjection(lambda _: KEY, TidClock(CLOCK))
    first = project.commit(MEMBER, None, _ops(0, 100), index=lambda: ())
    second = project.commit(MEMBER, first.head, _ops(200, 3), index=lambda: ())
    return first.frame(1, CLOCK.now()), second.frame(2, CLOCK.now())


FIRST, SECOND = _two_frames()


def _changed(change: Callable[[dict[str, Any]], None]) -> bytes:
    head, body = decode_multi_dag_cbor_in_violation_of_the_spec(SECOND)
    assert isinstance(body, dict)
    change(body)
    return encode_dag_cbor(head) + encode_dag_cbor(body)


def _without_block(position: int) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        root, blocks = read_car(body["blocks"])
        del blocks[list(blocks)[position]]
        body["blocks"] = car_bytes(root, blocks.items())

    return change


def _other_signature(body: dict[str, Any]) -> None:
    root, blocks = read_car(body["blocks"])
    block = bytearray(blocks.pop(root))
    block[block.index(b"csig") + 10] ^= 1
    cid = record_cid(bytes(block))
    body["blocks"] = car_bytes(cid, [(cid, bytes(block)), *blocks.items()])
    body["commit"] = CID(cid)


def _set(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda body: body.update(fields)


def _op(**fields: Any) -> Callable[[dict[str, Any]], None]:
    return lambda body: body["ops"][0].update(fields)


def _relay_after_the_first() -> StrictRelay:
    relay = StrictRelay(lambda _: KEY.did_key)
    relay.take(FIRST)
    return relay


def test_the_frames_as_they_are_are_taken() -> None:
    _relay_after_the_first().take(SECOND)


@pytest.mark.parametrize(
    "change",
    [
        _set(seq=1),
        _set(time="2026-01-02T03:04:05Z"),
        _set(rev="3jzfcijpj2z2a"),
        _set(since=None),
        _set(tooBig=True),
        _set(rebase=True),
        _set(blobs=[CID(record_cid(b"x"))]),
        _set(repo="did:plc:" + "z" * 24),
        _set(extra=1),
        _set(prevData=CID(record_cid(b"x"))),
        _set(blocks=b""),
        _set(commit=CID(record_cid(b"x"))),
        lambda body: body.pop("prevData"),
        lambda body: body["ops"].pop(),
        lambda body: body["ops"].append(body["ops"][0]),
        _op(prev=CID(record_cid(b"x"))),
        _op(action="update"),
        _op(action="delete"),
        _op(action="move"),
        _op(path="c/99999"),
        _op(cid=CID(record_cid(b"x"))),
        _other_signature,
        _without_block(1),
        _without_block(-1),
    ],
)
def test_a_broken_rule_is_noticed(change: Callable[[dict[str, Any]], None]) -> None:
    with pytest.raises(Refused):
        _relay_after_the_first().take(_changed(change))
