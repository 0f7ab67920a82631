"""A host without store or network: some members' records, and the projection over them."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from random import Random

from adapters.atproto.project import MemoryProjection
from pod.keys.curves import Curve, SigningKey
from pod.model.change import RecordOp, RepoHead
from pod.model.ids import Cid, MemberId
from pod.records.cbor import encode
from pod.records.cid import record_cid
from pod.records.tid import TidClock
from tests.kit.members import SteppingClock, a_member
from tests.kit.repo import COLLECTIONS

MEMBERS = {MemberId(n): a_member(n) for n in (1, 2)}
KEYS = {
    MemberId(1): SigningKey.from_bytes(sha256(b"1").digest()),
    MemberId(2): SigningKey.from_bytes(sha256(b"2").digest(), Curve.P256),
}


class RepoHost:
    """Members' records, and the projection over them; one member has a key of each curve."""

    def __init__(self, max_records: int) -> None:
        self.clock = SteppingClock()
        self.projection = MemoryProjection(
            lambda member: KEYS[member], TidClock(self.clock), max_records=max_records
        )
        self.records: dict[MemberId, dict[str, Cid]] = {n: {} for n in MEMBERS}
        self.heads: dict[MemberId, RepoHead | None] = dict.fromkeys(MEMBERS)
        self.seq = 0

    def index(self, member: MemberId) -> Iterable[tuple[str, Cid]]:
        return sorted(self.records[member].items())

    def commit(self, member: MemberId, ops: list[RecordOp], *, keep: bool = True) -> bytes:
        projected = self.projection.commit(
            MEMBERS[member], self.heads[member], ops, index=lambda: self.index(member)
        )
        if keep:
            self.heads[member] = projected.head
            for op in ops:
                if op.cid is None:
                    del self.records[member][op.key]
                else:
                    self.records[member][op.key] = op.cid
            self.seq += 1
        return projected.frame(self.seq, self.clock.now())


def some_ops(random: Random, records: dict[str, Cid], count: int, *, space: int) -> list[RecordOp]:
    """Random creates, updates and deletes of distinct records out of a space of keys."""
    ops: dict[str, RecordOp] = {}
    for _ in range(count):
        key = f"{random.choice(COLLECTIONS)}/3k{random.randrange(space):05d}"
        block = encode({"$type": key.split("/")[0], "n": random.randrange(20)})
        cid, prev = record_cid(block), records.get(key)
        if prev is None:
            ops[key] = RecordOp("create", key, cid, None, block)
        elif random.random() < 0.5:
            ops[key] = RecordOp("delete", key, None, prev, None)
        else:
            ops[key] = RecordOp("update", key, cid, prev, block)
    return list(ops.values())
