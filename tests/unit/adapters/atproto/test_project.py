"""The projection's limits, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

import pytest

from adapters.atproto.project import MAX_OPS, MemoryProjection
from adapters.atproto.repo.car import read_car
from adapters.atproto.repo.commit import read_commit
from pod.errors import Conflict, Invalid, TooLarge
from pod.keys.curves import SigningKey
from pod.model.change import RecordOp, RepoHead
from pod.model.ids import Cid
from pod.model.member import Standing
from pod.records.cbor import encode
from pod.records.cid import record_cid
from pod.records.tid import TidClock, tid_from_us
from tests.kit.members import SteppingClock, a_member
from tests.kit.strict_relay import StrictRelay

KEY = SigningKey.from_bytes(sha256(b"key").digest())
MEMBER = a_member()
CLOCK = SteppingClock()


def projection() -> MemoryProjection:
    return MemoryProjection(lambda _: KEY, TidClock(CLOCK))


def nothing() -> Iterable[tuple[str, Cid]]:
    return ()


def create(number: int, size: int = 10) -> RecordOp:
    block = encode({"n": number, "text": "x" * size})
    return RecordOp("create", f"c/{number:06d}", record_cid(block), None, block)


def test_the_first_commit_of_a_repo_signs_the_empty_tree() -> None:
    head = projection().commit(MEMBER, None, [], index=nothing).head
    commit = read_commit(head.block)
    assert commit.is_signed_by(KEY.did_key)
    assert (commit.did, commit.rev, commit.data) == (MEMBER.did, head.rev, head.data)
    assert head.commit == record_cid(head.block)


def test_the_rev_rises_even_after_a_rev_from_the_future() -> None:
    first = projection().commit(MEMBER, None, [], index=nothing).head
    late = tid_from_us(2**52, 3)
    ahead = RepoHead(first.member, first.commit, late, first.data, first.block)
    assert projection().commit(MEMBER, ahead, [], index=nothing).head.rev > late


def test_200_changes_fit_in_a_commit_and_201_do_not() -> None:
    ops = [create(n) for n in range(MAX_OPS + 1)]
    frame = projection().commit(MEMBER, None, ops[:MAX_OPS], index=nothing).frame(1, CLOCK.now())
    assert len(StrictRelay(lambda _: KEY.did_key).take(frame)["ops"]) == MAX_OPS
    with pytest.raises(TooLarge):
        projection().commit(MEMBER, None, ops, index=nothing)


def test_blocks_over_2_megabytes_are_too_large() -> None:
    fits = [create(n, 990_000) for n in range(2)]
    projection().commit(MEMBER, None, fits, index=nothing)
    with pytest.raises(TooLarge):
        projection().commit(MEMBER, None, [*fits, create(3, 50_000)], index=nothing)


def test_a_record_whose_bytes_are_already_in_the_repo_is_sent_again() -> None:
    project = projection()
    op = create(1)
    head = project.commit(MEMBER, None, [op], index=nothing).head
    twin = RecordOp("create", "c/other", op.cid, None, op.block)
    frame = project.commit(MEMBER, head, [twin], index=nothing).frame(2, CLOCK.now())
    relay = StrictRelay(lambda _: KEY.did_key)
    relay.take(projection().commit(MEMBER, None, [op], index=nothing).frame(1, CLOCK.now()))
    relay.repos[MEMBER.did].rev, relay.repos[MEMBER.did].data = head.rev, head.data
    body = relay.take(frame)
    assert op.cid in read_car(body["blocks"])[1]


@pytest.mark.parametrize(
    "op",
    [
        RecordOp("update", "c/absent", create(1).cid, create(2).cid, create(1).block),
        RecordOp("delete", "c/absent", None, create(2).cid, None),
        RecordOp("create", "c/000001", create(2).cid, None, create(2).block),
        RecordOp("delete", "c/000001", None, create(2).cid, None),
    ],
)
def test_a_change_that_does_not_fit_the_tree_is_a_conflict(op: RecordOp) -> None:
    project = projection()
    head = project.commit(MEMBER, None, [create(1)], index=nothing).head
    with pytest.raises(Conflict):
        project.commit(MEMBER, head, [op], index=nothing)


def test_one_record_changes_once_in_a_commit() -> None:
    again = RecordOp("delete", create(1).key, None, create(1).cid, None)
    with pytest.raises(Invalid):
        projection().commit(MEMBER, None, [create(1), again], index=nothing)


def test_records_that_differ_from_the_signed_tree_stop_all_writing() -> None:
    head = projection().commit(MEMBER, None, [create(1)], index=nothing).head
    with pytest.raises(Conflict):
        projection().commit(MEMBER, head, [create(2)], index=nothing)


def test_a_repo_in_memory_is_not_read_again() -> None:
    project = projection()
    head = project.commit(MEMBER, None, [create(1)], index=nothing).head

    def unread() -> Iterable[tuple[str, Cid]]:
        raise AssertionError("the index was read")

    for number in range(2, 20):
        head = project.commit(MEMBER, head, [create(number)], index=unread).head
    assert project.tree(MEMBER, head, unread).cid == head.data


def test_a_commit_taken_back_can_be_made_again() -> None:
    project = projection()
    head = project.commit(MEMBER, None, [], index=nothing).head
    lost = project.commit(MEMBER, head, [create(1)], index=nothing).head
    made = project.commit(MEMBER, head, [create(1)], index=nothing).head
    assert made.data == lost.data
    assert made.rev > lost.rev


def test_events_of_identity_account_and_state_are_those_of_the_lexicon() -> None:
    project = projection()
    relay = StrictRelay(lambda _: KEY.did_key)
    head = project.commit(MEMBER, None, [], index=nothing).head
    body = relay.take(project.identity_frame(MEMBER, 1, CLOCK.now()))
    assert (body["did"], body["handle"]) == (MEMBER.did, MEMBER.handle)
    assert body["time"].startswith("2026-01-02T03:04:")
    for seq, standing in enumerate(Standing, start=2):
        body = relay.take(project.account_frame(a_member(1, standing), seq, CLOCK.now()))
        assert body.get("status", "active") == standing
    body = relay.take(project.sync_frame(MEMBER, head, 9, CLOCK.now()))
    assert (body["did"], body["rev"]) == (MEMBER.did, head.rev)
