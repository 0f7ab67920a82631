"""Writes on condition that nothing changed: swapCommit and swapRecord."""

from __future__ import annotations

from tests.parity.subject import POST, PROFILE, Account, Subject, post, rkey_of, write

SWAP = (400, "InvalidSwap")
NAMED = {"$type": PROFILE, "displayName": "named"}


def _stale(alice: Account) -> str:
    cid: str = alice.head()["cid"]
    alice.create(post("in between"))
    return cid


def a_create_goes_through_on_the_current_commit(server: Subject) -> None:
    alice = server.member()
    made = alice.create(post(), swapCommit=alice.head()["cid"])
    assert alice.head() == made["commit"]


def a_create_is_refused_on_a_commit_of_before(server: Subject) -> None:
    alice = server.member()
    stale = _stale(alice)
    head = alice.head()
    assert alice.create_refused(post(), swapCommit=stale) == SWAP
    assert alice.head() == head


def a_put_goes_through_on_the_current_commit(server: Subject) -> None:
    alice = server.member()
    assert alice.put("self", NAMED, swapCommit=alice.head()["cid"])["commit"] == alice.head()


def a_put_is_refused_on_a_commit_of_before(server: Subject) -> None:
    alice = server.member()
    assert alice.put_refused("self", NAMED, swapCommit=_stale(alice)) == SWAP


def a_delete_goes_through_on_the_current_commit(server: Subject) -> None:
    alice = server.member()
    key = rkey_of(alice.create())
    alice.delete(key, swapCommit=alice.head()["cid"])
    assert alice.listed() == []


def a_delete_is_refused_on_a_commit_of_before(server: Subject) -> None:
    alice = server.member()
    key = rkey_of(alice.create())
    where = {"repo": alice.did, "collection": POST, "rkey": key}
    refusal = alice.post_refused("repo.deleteRecord", swapCommit=_stale(alice), **where)
    assert refusal == SWAP
    assert key in alice.listed()


def writes_go_through_on_the_current_commit(server: Subject) -> None:
    alice = server.member()
    answer = alice.apply(write("create", value=post()), swapCommit=alice.head()["cid"])
    assert answer["commit"] == alice.head()


def writes_are_refused_on_a_commit_of_before(server: Subject) -> None:
    alice = server.member()
    stale = _stale(alice)
    assert alice.apply_refused(write("create", value=post()), swapCommit=stale) == SWAP
    assert len(alice.listed()) == 1


def a_put_goes_through_on_the_current_record(server: Subject) -> None:
    alice = server.member()
    first = alice.put("self", {"$type": PROFILE})
    alice.put("self", NAMED, swapRecord=first["cid"])
    assert alice.read("self", PROFILE)["value"] == NAMED


def a_put_is_refused_on_a_record_of_before(server: Subject) -> None:
    alice = server.member()
    first = alice.put("self", {"$type": PROFILE})
    alice.put("self", NAMED)
    refusal = alice.put_refused(
        "self", {"$type": PROFILE, "displayName": "x"}, swapRecord=first["cid"]
    )
    assert refusal == SWAP
    assert alice.read("self", PROFILE)["value"] == NAMED


def a_put_on_absence_creates(server: Subject) -> None:
    alice = server.member()
    alice.put("self", NAMED, swapRecord=None)
    assert alice.read("self", PROFILE)["value"] == NAMED


def a_put_on_absence_is_refused_when_there_is_a_record(server: Subject) -> None:
    alice = server.member()
    alice.put("self", NAMED)
    assert alice.put_refused("self", {"$type": PROFILE}, swapRecord=None) == SWAP


def a_put_on_a_record_is_refused_when_there_is_none(server: Subject) -> None:
    alice = server.member()
    cid = alice.create()["cid"]
    assert alice.put_refused("self", NAMED, swapRecord=cid) == SWAP


def a_delete_goes_through_on_the_current_record(server: Subject) -> None:
    alice = server.member()
    made = alice.create()
    alice.delete(rkey_of(made), swapRecord=made["cid"])
    assert alice.listed() == []


def a_delete_is_refused_on_another_record(server: Subject) -> None:
    alice = server.member()
    made, other = alice.create(post("one")), alice.create(post("two"))
    where = {"repo": alice.did, "collection": POST, "rkey": rkey_of(made)}
    assert alice.post_refused("repo.deleteRecord", swapRecord=other["cid"], **where) == SWAP
    assert rkey_of(made) in alice.listed()


def both_conditions_must_hold(server: Subject) -> None:
    alice = server.member()
    first = alice.put("self", {"$type": PROFILE})
    stale = _stale(alice)
    refusal = alice.put_refused("self", NAMED, swapRecord=first["cid"], swapCommit=stale)
    assert refusal == SWAP


def a_condition_that_is_no_cid_is_a_bad_request(server: Subject) -> None:
    alice = server.member()
    assert alice.create_refused(post(), swapCommit="nonsense") == (400, "InvalidRequest")


def a_condition_on_the_record_that_is_no_cid_is_a_bad_request(server: Subject) -> None:
    alice = server.member()
    alice.put("self", NAMED)
    refusal = alice.put_refused("self", {"$type": PROFILE}, swapRecord="nonsense")
    assert refusal == (400, "InvalidRequest")
