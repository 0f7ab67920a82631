"""Long random histories of repositories, read by a strict relay that shares no code with them."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from adapters.atproto.repo.mst import Tree
from tests.kit.repo_host import KEYS, MEMBERS, RepoHost, some_ops
from tests.kit.strict_relay import StrictRelay


def live(seed: int, *, commits: int, space: int, max_records: int) -> None:
    """Let two members write, some of it undone, and have every event checked."""
    random = Random(seed)
    host = RepoHost(max_records)
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
