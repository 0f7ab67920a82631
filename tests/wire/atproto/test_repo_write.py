"""createRecord, putRecord, deleteRecord, applyWrites through the application."""

from __future__ import annotations

from pod.access.agent import Credential
from tests.kit.xrpc import Pod, in_pod

POST = "app.bsky.feed.post"
WHEN = "2026-01-02T03:04:05.678Z"
CREATE = "com.atproto.repo.createRecord"
PUT = "com.atproto.repo.putRecord"
APPLY = "com.atproto.repo.applyWrites"
RKEY = "3kaaaaaaaaaaa"


def post(text="hello", **more):
    return {"$type": POST, "text": text, "createdAt": WHEN} | more


def test_a_created_record_is_committed_and_read_back_as_it_was_written():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        made = await pod.write_post(alice, "hello", strange={"kept": [1, None, {"a": "b"}]})
        assert made["uri"].startswith(f"at://{alice.did}/{POST}/")
        assert made["validationStatus"] == "valid"
        assert made["commit"]["rev"] == pod.store.repo(alice.member.id).rev
        rkey = made["uri"].rpartition("/")[2]
        read = await pod.get(
            "com.atproto.repo.getRecord", repo=alice.did, collection=POST, rkey=rkey
        )
        assert read.json == {
            "uri": made["uri"],
            "cid": made["cid"],
            "value": post(strange={"kept": [1, None, {"a": "b"}]}),
        }

    in_pod(story)


def test_the_handle_names_the_repo_as_well_as_the_did():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        given = {"repo": "Alice.test", "collection": POST, "record": post(), "rkey": RKEY}
        reply = await pod.post(CREATE, given, alice.access)
        assert reply.json["uri"] == f"at://{alice.did}/{POST}/{RKEY}"

    in_pod(story)


def test_a_record_of_an_unknown_lexicon_is_stored_untouched_and_called_unknown():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        name = "com.example.thing"
        record = {"$type": name, "size": 3, "raw": {"$bytes": "AAEC"}}
        given = {"repo": alice.did, "collection": name, "record": record, "rkey": "x"}
        reply = await pod.post(CREATE, given, alice.access)
        assert reply.json["validationStatus"] == "unknown"
        read = await pod.get(
            "com.atproto.repo.getRecord", repo=alice.did, collection=name, rkey="x"
        )
        assert read.json["value"] == record
        given |= {"validate": True, "rkey": "y"}
        refused = await pod.post(CREATE, given, alice.access)
        assert (refused.status, refused.error) == (400, "InvalidRequest")

    in_pod(story)


def test_an_invalid_record_is_refused_unless_checks_are_off():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        given = {"repo": alice.did, "collection": POST, "record": {"$type": POST, "text": 3}}
        before = pod.state()
        refused = await pod.post(CREATE, given, alice.access)
        assert (refused.status, refused.error) == (400, "InvalidRequest")
        assert pod.state() == before
        taken = await pod.post(CREATE, given | {"validate": False}, alice.access)
        assert taken.status == 200
        assert "validationStatus" not in taken.json

    in_pod(story)


def test_a_wrong_type_is_refused_and_a_missing_one_filled_in():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        given = {"repo": alice.did, "collection": POST}
        wrong = given | {"record": post() | {"$type": "app.bsky.feed.like"}}
        refused = await pod.post(CREATE, wrong, alice.access)
        assert (refused.status, refused.error) == (400, "InvalidRequest")
        missing = given | {"rkey": RKEY, "record": {"text": "hi", "createdAt": WHEN}}
        assert (await pod.post(CREATE, missing, alice.access)).status == 200
        read = await pod.get(
            "com.atproto.repo.getRecord", repo=alice.did, collection=POST, rkey=RKEY
        )
        assert read.json["value"]["$type"] == POST

    in_pod(story)


def test_creating_over_a_record_is_a_conflict_with_a_name():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        given = {"repo": alice.did, "collection": POST, "record": post(), "rkey": RKEY}
        assert (await pod.post(CREATE, given, alice.access)).status == 200
        before = pod.state()
        refused = await pod.post(CREATE, given, alice.access)
        assert (refused.status, refused.error) == (400, "RecordAlreadyExists")
        assert pod.state() == before

    in_pod(story)


def test_only_the_owner_writes():
    async def story(pod: Pod):
        alice, bob = await pod.join("alice"), await pod.join("bob")
        given = {"repo": alice.did, "collection": POST, "record": post()}
        before = pod.state()
        refused = await pod.post(CREATE, given, bob.access)
        assert (refused.status, refused.error) == (401, "AuthenticationRequired")
        refused = await pod.post(CREATE, given | {"repo": "nobody.test"}, bob.access)
        assert (refused.status, refused.error) == (403, "AccountNotFound")
        refused = await pod.post(CREATE, given)
        assert (refused.status, refused.error) == (401, "AuthMissing")
        assert pod.state() == before

    in_pod(story)


def test_a_swap_commit_that_is_not_the_head_is_refused():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        first = await pod.write_post(alice, "one")
        second = await pod.write_post(alice, "two")
        given = {"repo": alice.did, "collection": POST, "record": post()}
        stale = given | {"swapCommit": first["commit"]["cid"]}
        refused = await pod.post(CREATE, stale, alice.access)
        assert (refused.status, refused.error) == (400, "InvalidSwap")
        fresh = given | {"swapCommit": second["commit"]["cid"]}
        assert (await pod.post(CREATE, fresh, alice.access)).status == 200

    in_pod(story)


def test_put_creates_replaces_and_does_nothing_for_the_same_bytes():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        kind = "app.bsky.actor.profile"
        record = {"$type": kind, "displayName": "Alice"}
        given = {"repo": alice.did, "collection": kind, "rkey": "self", "record": record}
        made = await pod.post(PUT, given, alice.access)
        assert made.json["commit"]["cid"]
        head = pod.store.repo(alice.member.id)
        same = await pod.post(PUT, given, alice.access)
        assert same.json["cid"] == made.json["cid"]
        assert "commit" not in same.json
        assert pod.store.repo(alice.member.id) == head
        record["displayName"] = "Alice B."
        changed = await pod.post(PUT, given, alice.access)
        assert changed.json["cid"] != made.json["cid"]

    in_pod(story)


def test_swap_record_is_a_cid_or_null_for_nothing():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        given = {"repo": alice.did, "collection": POST, "rkey": RKEY, "record": post("a")}
        made = await pod.post(PUT, given | {"swapRecord": None}, alice.access)
        assert made.status == 200
        again = given | {"record": post("b")}
        for swap in (None, "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"):
            refused = await pod.post(PUT, again | {"swapRecord": swap}, alice.access)
            assert (refused.status, refused.error) == (400, "InvalidSwap")
        right = again | {"swapRecord": made.json["cid"]}
        assert (await pod.post(PUT, right, alice.access)).status == 200

    in_pod(story)


def test_deleting_removes_the_record_and_deleting_nothing_is_no_error():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        made = await pod.write_post(alice, "soon gone")
        rkey = made["uri"].rpartition("/")[2]
        given = {"repo": alice.did, "collection": POST, "rkey": rkey}
        method = "com.atproto.repo.deleteRecord"
        stale = given | {"swapRecord": made["commit"]["cid"]}
        assert (await pod.post(method, stale, alice.access)).error == "InvalidSwap"
        gone = await pod.post(method, given, alice.access)
        assert gone.json["commit"]["rev"] > made["commit"]["rev"]
        head = pod.store.repo(alice.member.id)
        again = await pod.post(method, given, alice.access)
        assert (again.status, again.json) == (200, {})
        assert pod.store.repo(alice.member.id) == head
        read = await pod.get("com.atproto.repo.getRecord", **given)
        assert (read.status, read.error) == (400, "RecordNotFound")

    in_pod(story)


def test_a_batch_is_one_commit_with_a_result_for_each_write():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        old = (await pod.write_post(alice, "old"))["uri"].rpartition("/")[2]
        gone = (await pod.write_post(alice, "gone"))["uri"].rpartition("/")[2]
        seq = pod.store.head_seq()
        writes = [
            {"$type": APPLY + "#create", "collection": POST, "value": post("new")},
            {"$type": APPLY + "#update", "collection": POST, "rkey": old, "value": post("newer")},
            {"$type": APPLY + "#delete", "collection": POST, "rkey": gone},
        ]
        reply = await pod.post(APPLY, {"repo": alice.did, "writes": writes}, alice.access)
        assert [result["$type"] for result in reply.json["results"]] == [
            APPLY + "#createResult",
            APPLY + "#updateResult",
            APPLY + "#deleteResult",
        ]
        assert pod.store.head_seq() == seq + 1
        listed = await pod.get("com.atproto.repo.listRecords", repo=alice.did, collection=POST)
        assert {r["value"]["text"] for r in listed.json["records"]} == {"new", "newer"}

    in_pod(story)


def test_a_batch_that_fails_in_one_write_changes_nothing():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        create = {"$type": APPLY + "#create", "collection": POST, "value": post()}
        before = pod.state()
        for bad in (
            {"$type": APPLY + "#create", "collection": POST, "value": {"$type": POST}},
            {"$type": APPLY + "#delete", "collection": POST, "rkey": RKEY},
            {"$type": APPLY + "#update", "collection": POST, "rkey": RKEY, "value": post()},
            {"$type": APPLY + "#explode", "collection": POST, "rkey": RKEY},
        ):
            given = {"repo": alice.did, "writes": [create, bad]}
            reply = await pod.post(APPLY, given, alice.access)
            assert reply.status == 400, (bad, reply.body)
        given = {"repo": alice.did, "writes": [create] * 201}
        reply = await pod.post(APPLY, given, alice.access)
        assert reply.json["message"] == "Too many writes. Max: 200"
        assert pod.state() == before

    in_pod(story)


def test_an_app_password_may_write_a_taken_down_session_may_not():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        given = {"repo": alice.did, "collection": POST, "record": post()}
        for credential, status in ((Credential.APP_PASSWORD, 200), (Credential.TAKENDOWN, 400)):
            token = pod.services.tokens.access(alice.did, credential)
            assert (await pod.post(CREATE, given, token)).status == status

    in_pod(story)


def test_a_body_over_a_million_bytes_is_too_large():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        given = {"repo": alice.did, "collection": POST, "record": post("x" * 1_000_000)}
        reply = await pod.post(CREATE, given, alice.access)
        assert (reply.status, reply.error) == (413, "PayloadTooLarge")

    in_pod(story)
