"""Records one at a time: created, read, replaced, deleted."""

from __future__ import annotations

import re

from tests.parity.listing import differs
from tests.parity.subject import LIKE, POST, PROFILE, Json, Subject, post, rkey_of

TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
UNKNOWN = "com.example.thing"


def _like(uri: str, cid: str) -> Json:
    subject = {"uri": uri, "cid": cid}
    return {"$type": LIKE, "subject": subject, "createdAt": "2026-01-01T00:00:00.000Z"}


def a_record_that_was_created_can_be_read(server: Subject) -> None:
    alice = server.member()
    made = alice.create(post("first"))
    found = alice.read(rkey_of(made))
    assert (found["uri"], found["cid"]) == (made["uri"], made["cid"])
    assert found["value"]["text"] == "first"


def a_record_created_without_a_key_gets_a_tid(server: Subject) -> None:
    assert TID.fullmatch(rkey_of(server.member().create()))


def keys_given_out_rise_with_time(server: Subject) -> None:
    alice = server.member()
    keys = [rkey_of(alice.create()) for _ in range(5)]
    assert keys == sorted(set(keys))


def a_record_can_be_created_under_a_key_of_ones_own(server: Subject) -> None:
    alice = server.member()
    made = alice.create(post(), rkey="3kabcdefghi2j")
    assert made["uri"] == f"at://{alice.did}/{POST}/3kabcdefghi2j"


@differs("The schema leaves but one key, so nobody need name it; the reference refuses.")
def a_profile_created_without_a_key_is_called_self(server: Subject) -> None:
    made = server.member().create({"$type": PROFILE, "displayName": "Alice"})
    assert rkey_of(made) == "self"


def the_answer_to_a_create_tells_commit_and_rev_of_the_head(server: Subject) -> None:
    alice = server.member()
    made = alice.create()
    assert made["commit"] == alice.head()


def the_answer_to_a_create_tells_that_a_known_record_is_valid(server: Subject) -> None:
    assert server.member().create()["validationStatus"] == "valid"


def a_record_of_an_unknown_type_is_kept_with_status_unknown(server: Subject) -> None:
    alice = server.member()
    made = alice.create({"$type": UNKNOWN, "a": 1}, UNKNOWN)
    assert made["validationStatus"] == "unknown"
    assert alice.read(rkey_of(made), UNKNOWN)["value"] == {"$type": UNKNOWN, "a": 1}


def a_repo_may_be_named_by_handle_in_a_create(server: Subject) -> None:
    alice = server.member()
    made = alice.post(
        "repo.createRecord", repo=alice.handle, collection=POST, record=post("by handle")
    )
    assert made["uri"].startswith(f"at://{alice.did}/")


def a_repo_may_be_named_by_handle_in_a_read(server: Subject) -> None:
    alice = server.member()
    made = alice.create()
    where = {"repo": alice.handle, "collection": POST, "rkey": rkey_of(made)}
    assert server.anyone.get("repo.getRecord", **where)["uri"] == made["uri"]


def a_repo_may_be_named_by_handle_in_a_put(server: Subject) -> None:
    alice = server.member()
    where = {"repo": alice.handle, "collection": PROFILE, "rkey": "self"}
    made = alice.post("repo.putRecord", record={"$type": PROFILE}, **where)
    assert made["uri"] == f"at://{alice.did}/{PROFILE}/self"


def nobody_reads_a_record_that_is_not_there(server: Subject) -> None:
    alice = server.member()
    where = {"repo": alice.did, "collection": POST, "rkey": "3kabcdefghi2j"}
    assert server.anyone.get_refused("repo.getRecord", **where) == (400, "RecordNotFound")


def a_read_of_the_current_cid_gives_the_record(server: Subject) -> None:
    alice = server.member()
    made = alice.create()
    assert alice.read(rkey_of(made), cid=made["cid"])["cid"] == made["cid"]


def a_read_of_a_cid_from_before_gives_nothing(server: Subject) -> None:
    alice = server.member()
    old = alice.put("self", {"$type": PROFILE, "displayName": "old"})
    alice.put("self", {"$type": PROFILE, "displayName": "new"})
    where = {"repo": alice.did, "collection": PROFILE, "rkey": "self", "cid": old["cid"]}
    assert server.anyone.get_refused("repo.getRecord", **where) == (400, "RecordNotFound")


def a_put_creates_a_record_that_is_not_there(server: Subject) -> None:
    alice = server.member()
    alice.put("self", {"$type": PROFILE, "displayName": "Alice"})
    assert alice.read("self", PROFILE)["value"]["displayName"] == "Alice"


def a_put_replaces_a_record_that_is_there(server: Subject) -> None:
    alice = server.member()
    first = alice.put("self", {"$type": PROFILE, "displayName": "Alice", "description": "x"})
    second = alice.put("self", {"$type": PROFILE, "displayName": "Alicia"})
    assert first["uri"] == second["uri"]
    found = alice.read("self", PROFILE)
    assert found["cid"] == second["cid"] != first["cid"]
    assert found["value"] == {"$type": PROFILE, "displayName": "Alicia"}


def a_put_of_the_same_record_makes_no_commit(server: Subject) -> None:
    alice = server.member()
    record = {"$type": PROFILE, "displayName": "Alice"}
    first = alice.put("self", record)
    head = alice.head()
    again = alice.put("self", record)
    assert (again["uri"], again["cid"]) == (first["uri"], first["cid"])
    assert alice.head() == head
    assert "commit" not in again


def a_put_tells_the_new_commit(server: Subject) -> None:
    alice = server.member()
    made = alice.put("self", {"$type": PROFILE, "displayName": "Alice"})
    assert made["commit"] == alice.head()


def a_deleted_record_is_gone(server: Subject) -> None:
    alice = server.member()
    key = rkey_of(alice.create())
    gone = alice.delete(key)
    assert gone["commit"] == alice.head()
    where = {"repo": alice.did, "collection": POST, "rkey": key}
    assert server.anyone.get_refused("repo.getRecord", **where) == (400, "RecordNotFound")


def a_delete_of_what_is_not_there_changes_nothing(server: Subject) -> None:
    alice = server.member()
    head = alice.head()
    assert "commit" not in alice.delete("3kabcdefghi2j")
    assert alice.head() == head


def a_deleted_key_can_be_used_again(server: Subject) -> None:
    alice = server.member()
    alice.create(post("one"), rkey="3kabcdefghi2j")
    alice.delete("3kabcdefghi2j")
    alice.create(post("two"), rkey="3kabcdefghi2j")
    assert alice.read("3kabcdefghi2j")["value"]["text"] == "two"


def a_block_stays_while_another_record_has_the_same_content(server: Subject) -> None:
    alice = server.member()
    same = post("same")
    one, two = alice.create(same), alice.create(same)
    assert one["cid"] == two["cid"]
    alice.delete(rkey_of(one))
    assert alice.read(rkey_of(two))["value"] == same
    assert two["cid"] in alice.car("sync.getRepo", did=alice.did).blocks


def nobody_writes_without_signing_in(server: Subject) -> None:
    alice = server.member()
    body = {"repo": alice.did, "collection": POST, "record": post()}
    assert server.anyone.post_refused("repo.createRecord", **body) == (401, "AuthMissing")


def nobody_creates_in_the_repo_of_another(server: Subject) -> None:
    alice, bob = server.member(), server.member()
    body = {"repo": alice.did, "collection": POST, "record": post()}
    assert bob.post_refused("repo.createRecord", **body)[0] in (400, 401, 403)
    assert alice.listed() == []


def nobody_replaces_a_record_of_another(server: Subject) -> None:
    alice, bob = server.member(), server.member()
    alice.put("self", {"$type": PROFILE, "displayName": "Alice"})
    where = {"repo": alice.did, "collection": PROFILE, "rkey": "self"}
    assert bob.post_refused("repo.putRecord", record={"$type": PROFILE}, **where)[0] >= 400
    assert alice.read("self", PROFILE)["value"]["displayName"] == "Alice"


def nobody_deletes_a_record_of_another(server: Subject) -> None:
    alice, bob = server.member(), server.member()
    key = rkey_of(alice.create())
    where = {"repo": alice.did, "collection": POST, "rkey": key}
    assert bob.post_refused("repo.deleteRecord", **where)[0] >= 400
    assert alice.listed() == [key]


def nobody_applies_writes_to_the_repo_of_another(server: Subject) -> None:
    alice, bob = server.member(), server.member()
    create = {"$type": "com.atproto.repo.applyWrites#create", "collection": POST, "value": post()}
    assert bob.post_refused("repo.applyWrites", repo=alice.did, writes=[create])[0] >= 400
    assert alice.listed() == []


def a_repo_tells_who_owns_it(server: Subject) -> None:
    alice = server.member()
    told = server.anyone.get("repo.describeRepo", repo=alice.did)
    assert (told["did"], told["handle"]) == (alice.did, alice.handle)
    assert told["didDoc"]["id"] == alice.did


def a_repo_may_be_named_by_handle_when_it_is_described(server: Subject) -> None:
    alice = server.member()
    assert server.anyone.get("repo.describeRepo", repo=alice.handle)["did"] == alice.did


def a_repo_tells_which_collections_it_has(server: Subject) -> None:
    alice = server.member()
    assert server.anyone.get("repo.describeRepo", repo=alice.did)["collections"] == []
    alice.create()
    alice.put("self", {"$type": PROFILE})
    told = server.anyone.get("repo.describeRepo", repo=alice.did)
    assert sorted(told["collections"]) == [PROFILE, POST]


def a_collection_is_told_no_more_when_its_last_record_goes(server: Subject) -> None:
    alice = server.member()
    alice.delete(rkey_of(alice.create()))
    assert server.anyone.get("repo.describeRepo", repo=alice.did)["collections"] == []


def a_repo_tells_that_its_handle_is_right(server: Subject) -> None:
    alice = server.member()
    assert server.anyone.get("repo.describeRepo", repo=alice.did)["handleIsCorrect"] is True


def a_repo_that_is_not_here_is_not_described(server: Subject) -> None:
    missing = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
    assert server.anyone.get_refused("repo.describeRepo", repo=missing)[0] == 400


def a_post_may_have_tags(server: Subject) -> None:
    alice = server.member()
    made = alice.create(post("tagged", tags=["one", "two words"]))
    assert alice.read(rkey_of(made))["value"]["tags"] == ["one", "two words"]


def a_post_may_have_a_tag_in_its_text(server: Subject) -> None:
    alice = server.member()
    feature = {"$type": "app.bsky.richtext.facet#tag", "tag": "pod"}
    facet = {"index": {"byteStart": 0, "byteEnd": 4}, "features": [feature]}
    made = alice.create(post("#pod is here", facets=[facet]))
    assert alice.read(rkey_of(made))["value"]["facets"] == [facet]


def a_second_like_of_the_same_post_takes_the_place_of_the_first(server: Subject) -> None:
    alice = server.member()
    made = alice.create()
    first = alice.create(_like(made["uri"], made["cid"]))
    second = alice.create(_like(made["uri"], made["cid"]))
    assert alice.listed(LIKE) == [rkey_of(second)] != [rkey_of(first)]


def likes_of_different_posts_stand_side_by_side(server: Subject) -> None:
    alice = server.member()
    one, two = alice.create(), alice.create()
    for made in (one, two):
        alice.create(_like(made["uri"], made["cid"]))
    assert len(alice.listed(LIKE)) == 2


def a_second_repost_takes_the_place_of_the_first(server: Subject) -> None:
    alice = server.member()
    made = alice.create()
    kind = "app.bsky.feed.repost"
    record = _like(made["uri"], made["cid"]) | {"$type": kind}
    alice.create(record)
    second = alice.create(record)
    assert alice.listed(kind) == [rkey_of(second)]


def a_second_follow_takes_the_place_of_the_first(server: Subject) -> None:
    alice, bob = server.member(), server.member()
    kind = "app.bsky.graph.follow"
    record = {"$type": kind, "subject": bob.did, "createdAt": "2026-01-01T00:00:00.000Z"}
    alice.create(record)
    second = alice.create(record)
    assert alice.listed(kind) == [rkey_of(second)]


def a_second_block_takes_the_place_of_the_first(server: Subject) -> None:
    alice, bob = server.member(), server.member()
    kind = "app.bsky.graph.block"
    record = {"$type": kind, "subject": bob.did, "createdAt": "2026-01-01T00:00:00.000Z"}
    alice.create(record)
    second = alice.create(record)
    assert alice.listed(kind) == [rkey_of(second)]


def a_follow_and_a_block_of_the_same_account_stand_side_by_side(server: Subject) -> None:
    alice, bob = server.member(), server.member()
    for kind in ("app.bsky.graph.follow", "app.bsky.graph.block"):
        alice.create({"$type": kind, "subject": bob.did, "createdAt": "2026-01-01T00:00:00.000Z"})
    assert len(alice.listed("app.bsky.graph.follow")) == 1
    assert len(alice.listed("app.bsky.graph.block")) == 1


def links_and_bytes_come_back_as_they_were_written(server: Subject) -> None:
    alice = server.member()
    cid = alice.create()["cid"]
    record = {"$type": UNKNOWN, "link": {"$link": cid}, "bytes": {"$bytes": "AQID"}, "n": [1, {}]}
    made = alice.create(record, UNKNOWN)
    assert alice.read(rkey_of(made), UNKNOWN)["value"] == record
