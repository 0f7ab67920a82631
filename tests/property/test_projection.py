"""Long random histories of repositories, read by a strict relay that shares no code with them."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from adapters.atproto.project import MemoryProjection
from adapters.atproto.repo.mst import Tree
from pod.keys.curves import SigningKey
from pod.model.change import RecordOp, RepoHead
from pod.model.ids import Cid, MemberId
from pod.records.cbor import encode
from pod.records.cid import record_cid
from pod.records.tid import TidClock
from tests.kit.members import SteppingClock, a_member
from tests.kit.repo import COLLECTIONS
from tests.kit.strict_relay import StrictRelay

MEMBERS = {MemberId(n): a_member(n) for n in (1, 2)}
KEYS = {
    MemberId(1): SigningKey.from_bytes(sha256(b"1").digest()),
    MemberId(2): SigningKey.from_bytes(sha256(b"2").digest()),
}


class Host:
    """Members' records, and the projection over them."""

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


def live(seed: int, *, commits: int, space: int, max_records: int) -> None:
    """Let two members write, some of it undone, and have every event checked."""
    random = Random(seed)
    host = Host(max_records)
    relay = StrictRelay({MEMBERS[n].did: KEYS[n].did_key for n in MEMBERS}.__getitem__)
    for member in MEMBERS:
        relay.take(host.commit(member, []))
    for _ in range(commits):
        member = random.choice(list(MEMBERS))
        count = random.choice([0, 1, 1, 1, 2, 5, 40])
        ops = some_ops(random, host.records[member], count, space=space)
        if random.random() < 0.1:
            host.commit(member, ops, keep=False)
        relay.take(host.commit(member, ops))
    for member, known in MEMBERS.items():
        head = host.heads[member]
        assert head is not None
        state = relay.repos[known.did]
        assert state.records == host.records[member]
        assert state.data == head.data == Tree.build(host.index(member)).cid
        host.seq += 1
        relay.take(host.projection.sync_frame(known, head, host.seq, host.clock.now()))


@given(st.integers(0, 2**32), st.sampled_from([1, 30, 10_000]))
def test_every_event_of_a_short_history_convinces_a_strict_relay(seed: int, room: int) -> None:
    live(seed, commits=25, space=40, max_records=room)


def test_every_event_of_a_long_history_convinces_a_strict_relay() -> None:
    live(1, commits=400, space=3000, max_records=1_000_000)
