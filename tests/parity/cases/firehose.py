"""The firehose: what is told, in which order, and from where on."""

from __future__ import annotations

import time

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import connect

from tests.parity.listing import differs
from tests.parity.subject import (
    POST,
    PROFILE,
    Account,
    Car,
    Events,
    Json,
    Subject,
    cid_text,
    post,
    rkey_of,
    whose,
    write,
)


def _kinds(events: list[Json]) -> list[str]:
    return [event["t"] for event in events]


def _commit(events: Events, did: str) -> Json:
    return events.of(did, "#commit")[-1]


def _op(path: str, action: str, cid: str | None, prev: str | None = None) -> Json:
    return {"path": path, "action": action, "cid": cid, "prev": prev}


def _ops(event: Json) -> list[Json]:
    return [
        {
            "path": op["path"],
            "action": op["action"],
            "cid": None if op["cid"] is None else cid_text(op["cid"]),
            "prev": cid_text(op["prev"]) if op.get("prev") else None,
        }
        for op in event["ops"]
    ]


def _seq(server: Subject) -> int:
    """The sequence number of an event that was just made."""
    with server.events() as events:
        bob = server.member()
        seq: int = events.of(bob.did, "#sync")[-1]["seq"]
    return seq


def a_new_account_is_told_as_identity_account_commit_sync(server: Subject) -> None:
    with server.events() as events:
        alice = server.member()
        seen = events.of(alice.did, "#sync")
    assert _kinds(seen) == ["#identity", "#account", "#commit", "#sync"]


def a_new_account_is_told_with_its_handle(server: Subject) -> None:
    with server.events() as events:
        alice = server.member()
        assert events.of(alice.did, "#identity")[-1]["handle"] == alice.handle


def a_new_account_is_told_as_active(server: Subject) -> None:
    with server.events() as events:
        alice = server.member()
        event = events.of(alice.did, "#account")[-1]
    assert event["active"] is True
    assert event.get("status") is None


def a_first_commit_comes_from_nothing(server: Subject) -> None:
    with server.events() as events:
        alice = server.member()
        event = _commit(events, alice.did)
    assert (event["since"], event["ops"], event.get("prevData")) == (None, [], None)


def a_sync_tells_the_commit_before_it(server: Subject) -> None:
    with server.events() as events:
        alice = server.member()
        *_, commit, sync = events.of(alice.did, "#sync")
    assert sync["rev"] == commit["rev"]
    car = Car(sync["blocks"])
    assert car.roots == [cid_text(commit["commit"])]
    assert list(car.blocks) == car.roots


def a_created_record_is_told(server: Subject) -> None:
    alice = server.member()
    with server.events() as events:
        made = alice.create()
        event = _commit(events, alice.did)
    assert _ops(event) == [_op(f"{POST}/{rkey_of(made)}", "create", made["cid"])]
    assert (cid_text(event["commit"]), event["rev"]) == (
        made["commit"]["cid"],
        made["commit"]["rev"],
    )


def a_replaced_record_is_told_with_what_was_before(server: Subject) -> None:
    alice = server.member()
    old = alice.put("self", {"$type": PROFILE})
    with server.events() as events:
        new = alice.put("self", {"$type": PROFILE, "displayName": "Alice"})
        event = _commit(events, alice.did)
    assert _ops(event) == [_op(f"{PROFILE}/self", "update", new["cid"], old["cid"])]


def a_deleted_record_is_told_with_what_was_before(server: Subject) -> None:
    alice = server.member()
    made = alice.create()
    with server.events() as events:
        alice.delete(rkey_of(made))
        event = _commit(events, alice.did)
    assert _ops(event) == [_op(f"{POST}/{rkey_of(made)}", "delete", None, made["cid"])]


def writes_of_one_commit_are_one_event(server: Subject) -> None:
    alice = server.member()
    gone = rkey_of(alice.create())
    with server.events() as events:
        alice.apply(write("create", value=post()), write("delete", gone))
        event = _commit(events, alice.did)
    assert [op["action"] for op in event["ops"]] == ["create", "delete"]


def a_commit_brings_the_record_with_it(server: Subject) -> None:
    alice = server.member()
    with server.events() as events:
        made = alice.create(post("in the event"))
        car = Car(_commit(events, alice.did)["blocks"])
    assert car.blocks[made["cid"]]["text"] == "in the event"
    assert car.lookup(f"{POST}/{rkey_of(made)}") == made["cid"]


def a_commit_brings_a_record_whose_content_was_there_before(server: Subject) -> None:
    alice = server.member()
    same = post("same")
    alice.create(same)
    with server.events() as events:
        made = alice.create(same)
        car = Car(_commit(events, alice.did)["blocks"])
    assert made["cid"] in car.blocks


def a_commit_tells_rev_and_tree_before_it(server: Subject) -> None:
    alice = server.member()
    alice.create()
    before = server.anyone.car("sync.getRepo", did=alice.did).commit
    with server.events() as events:
        alice.create()
        event = _commit(events, alice.did)
    assert (event["since"], event["prevData"]) == (before["rev"], before["data"])


def a_commit_still_has_the_fields_of_before(server: Subject) -> None:
    alice = server.member()
    with server.events() as events:
        alice.create()
        event = _commit(events, alice.did)
    assert (event["rebase"], event["tooBig"], event["blobs"]) == (False, False, [])


def commits_of_a_repo_follow_each_other(server: Subject) -> None:
    alice = server.member()
    with server.events() as events:
        for number in range(5):
            alice.create(post(str(number)))
        seen = [_commit(events, alice.did) for _ in range(5)]
    assert [each["since"] for each in seen[1:]] == [each["rev"] for each in seen[:-1]]


def numbers_rise(server: Subject) -> None:
    alice = server.member()
    with server.events() as events:
        for _ in range(3):
            alice.create()
        numbers = [_commit(events, alice.did)["seq"] for _ in range(3)]
    assert numbers == sorted(set(numbers))


def each_event_has_its_time(server: Subject) -> None:
    with server.events() as events:
        alice = server.member()
        seen = events.of(alice.did, "#sync")
    assert all(each["time"].endswith("Z") and each["time"][10] == "T" for each in seen)


def a_reader_without_cursor_hears_only_what_is_new(server: Subject) -> None:
    alice = server.member()
    alice.create()
    with server.events(), server.events(settled=False) as events:
        bob = server.member()
        seen = events.until(lambda event: event["t"] == "#sync")
    assert {whose(each) for each in seen} == {bob.did}


def a_reader_with_a_cursor_hears_what_came_after_it(server: Subject) -> None:
    seq = _seq(server)
    alice = server.member()
    made = alice.create()
    with server.events(seq) as events:
        seen = events.until(lambda event: event["t"] == "#commit" and bool(event["ops"]))
    assert all(each["seq"] > seq for each in seen)
    assert cid_text(seen[-1]["commit"]) == made["commit"]["cid"]


def the_event_of_the_cursor_itself_is_not_told_again(server: Subject) -> None:
    with server.events() as events:
        alice = server.member()
        seen = events.of(alice.did, "#sync")
    with server.events(seen[1]["seq"]) as events:
        again = events.of(alice.did, "#sync")
    assert [each["seq"] for each in again] == [each["seq"] for each in seen[2:]]


def two_readers_hear_the_same(server: Subject) -> None:
    with server.events() as one, server.events() as two:
        alice = server.member()
        heard = [events.of(alice.did, "#sync") for events in (one, two)]
    assert heard[0] == heard[1]


def what_was_told_before_goes_over_into_what_is_new(server: Subject) -> None:
    seq = _seq(server)
    alice = server.member()
    before = [alice.create()["commit"]["rev"] for _ in range(3)]
    with server.events(seq) as events:
        after = [alice.create()["commit"]["rev"] for _ in range(3)]
        seen = [_commit(events, alice.did)["rev"] for _ in range(7)]
    assert seen[1:] == before + after


def a_cursor_in_the_future_is_an_error(server: Subject) -> None:
    with server.events(_seq(server) + 10**9) as events:
        event = events.next()
        assert (event["t"], event["error"]) == ("!", "FutureCursor")
        assert events.closes()


def a_cursor_of_zero_is_the_beginning_of_what_is_kept(server: Subject) -> None:
    server.member()
    with server.events(0) as events:
        first = events.next()
        if first["t"] == "#info":
            first = events.next()
    assert first["t"] == "#identity"


def a_change_of_handle_is_told(server: Subject) -> None:
    alice = server.member()
    handle = f"{server.free_name()}.test"
    with server.events() as events:
        alice.post("identity.updateHandle", handle=handle)
        event = events.of(alice.did, "#identity")[-1]
    assert event["handle"] == handle


def a_change_of_handle_to_the_same_is_told_again(server: Subject) -> None:
    alice = server.member()
    with server.events() as events:
        alice.post("identity.updateHandle", handle=alice.handle)
        assert events.of(alice.did, "#identity")[-1]["handle"] == alice.handle


def an_account_that_rests_is_told(server: Subject) -> None:
    alice = server.member()
    with server.events() as events:
        alice.post("server.deactivateAccount", deleteAfter="2030-01-01T00:00:00.000Z")
        event = events.of(alice.did, "#account")[-1]
    assert (event["active"], event["status"]) == (False, "deactivated")


def an_account_that_returns_is_told_as_account_identity_sync(server: Subject) -> None:
    alice = server.member()
    alice.post("server.deactivateAccount", deleteAfter="2030-01-01T00:00:00.000Z")
    with server.events() as events:
        alice.post("server.activateAccount")
        seen = events.of(alice.did, "#sync")
    assert _kinds(seen) == ["#account", "#identity", "#sync"]
    assert seen[0]["active"] is True


def the_sync_of_a_return_has_the_latest_commit(server: Subject) -> None:
    alice = server.member()
    made = alice.create()
    alice.post("server.deactivateAccount", deleteAfter="2030-01-01T00:00:00.000Z")
    with server.events() as events:
        alice.post("server.activateAccount")
        event = events.of(alice.did, "#sync")[-1]
    assert event["rev"] == made["commit"]["rev"]
    assert Car(event["blocks"]).roots == [made["commit"]["cid"]]


def a_put_that_changes_nothing_is_not_told(server: Subject) -> None:
    alice = server.member()
    alice.put("self", {"$type": PROFILE})
    with server.events() as events:
        alice.put("self", {"$type": PROFILE})
        made = alice.create()
        event = _commit(events, alice.did)
    assert cid_text(event["commit"]) == made["commit"]["cid"]


def a_write_that_was_refused_is_not_told(server: Subject) -> None:
    alice = server.member()
    with server.events() as events:
        alice.create_refused({"$type": POST, "text": 5})
        made = alice.create()
        event = _commit(events, alice.did)
    assert cid_text(event["commit"]) == made["commit"]["cid"]


def all_commits_of_a_busy_repo_are_told(server: Subject) -> None:
    alice = server.member()
    with server.events() as events:
        revs = [alice.create(post(str(number)))["commit"]["rev"] for number in range(30)]
        assert [_commit(events, alice.did)["rev"] for _ in revs] == revs


def commits_put_together_give_the_repo(server: Subject) -> None:
    alice = server.member()
    blocks: Json = {}
    with server.events() as events:
        _busy(alice)
        for _ in range(6):
            car = Car(_commit(events, alice.did)["blocks"])
            blocks |= car.blocks
    car.blocks = blocks
    assert car.records() == server.anyone.car("sync.getRepo", did=alice.did).records()


def _busy(alice: Account) -> None:
    for _ in range(2):
        results = alice.apply(*[write("create", value=post(str(n))) for n in range(30)])["results"]
        alice.delete(rkey_of(results[3]))
        alice.put(rkey_of(results[5]), post("changed"))


def a_commit_of_two_hundred_writes_is_one_event(server: Subject) -> None:
    alice = server.member()
    with server.events() as events:
        alice.apply(*[write("create", value=post(str(n))) for n in range(200)])
        assert len(_commit(events, alice.did)["ops"]) == 200


def a_plain_request_to_the_firehose_is_refused(server: Subject) -> None:
    assert server.anyone.ask("GET", "sync.subscribeRepos").status_code >= 400


@differs("An upgrade is what is missing, and 426 says so (event stream specification).")
def a_plain_request_to_the_firehose_is_told_to_upgrade(server: Subject) -> None:
    assert server.anyone.ask("GET", "sync.subscribeRepos").status_code == 426


def a_cursor_that_is_no_number_opens_no_firehose(server: Subject) -> None:
    url = server.url.replace("http", "ws", 1)
    url = f"{url}/xrpc/com.atproto.sync.subscribeRepos?cursor=nonsense"
    try:
        with connect(url, proxy=None) as connection:
            events = Events(connection)
            assert events.next()["t"] == "!"
            assert events.closes()
    except InvalidStatus:
        return  # refused before the handshake


def nobody_speaks_to_another_stream(server: Subject) -> None:
    url = server.url.replace("http", "ws", 1) + "/xrpc/com.example.subscribeNothing"
    with (
        pytest.raises((InvalidHandshake, ConnectionClosed)),
        connect(url, proxy=None) as connection,
    ):
        connection.recv(5)


def a_reader_who_leaves_disturbs_nobody(server: Subject) -> None:
    alice = server.member()
    with server.events() as stays:
        with server.events():
            alice.create()
        time.sleep(0.05)
        made = alice.create()
        seen = stays.until(lambda e: e["t"] == "#commit" and e["rev"] == made["commit"]["rev"])
    assert cid_text(seen[-1]["commit"]) == made["commit"]["cid"]
