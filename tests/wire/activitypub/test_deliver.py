"""What members do reaches who should hear of it, signed, once, and whatever some hosts do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from adapters.activitypub.signature.verify import fits, read
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.peer import Follower
from pod.model.resource import Annotation, Complement, ResourcePath
from pod.records.cbor import encode
from pod.records.cid import cid_text
from pod.write import Annotate, Delete, PutDocument, PutRecord
from tests.kit.fediverse import EVERYBODY, KEYS, FediPod, Peer
from tests.kit.house import owner
from tests.kit.repo import arrival

Story = Callable[[FediPod, Member, Peer], Awaitable[None]]
NOW = "2026-11-24T12:00:00.000Z"


def ref(member: Member, resource: Any) -> dict[str, str]:
    return {"uri": member.at_uri(resource.path), "cid": cid_text(resource.cid)}


def test_a_post_an_edit_and_a_deletion_reach_a_follower(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        post = await pod.note(alice, "Hello")
        await pod.wing.flush()
        pod.clock.pass_by(5)
        rkey = post.path.rpartition("/")[2]
        edited = {"text": "Hello again", "createdAt": NOW}
        await pod.record(alice, "app.bsky.feed.post", edited, rkey=rkey)
        await pod.wing.flush()
        await pod.write.apply(owner(alice), alice.id, [Delete(post.path)])
        await pod.wing.flush()
        create, update, delete = bob.activities
        url = alice.url(post.path)
        assert [a["type"] for a in bob.activities] == ["Create", "Update", "Delete"]
        assert create["object"]["id"] == update["object"]["id"] == delete["object"]["id"] == url
        assert create["object"]["content"] == "<p>Hello</p>"
        assert update["object"]["content"] == "<p>Hello again</p>"
        assert update["object"]["updated"] > create["object"]["published"]
        assert delete["object"]["type"] == "Tombstone"
        assert create["to"] == [EVERYBODY]
        assert len({a["id"] for a in bob.activities}) == 3
        assert all(a["id"].startswith(f"{alice.origin}/outbox/") for a in bob.activities)
        assert {request.url for request in bob.received} == {"http://peer.test/inbox"}

    tell(story)


def test_what_is_sent_is_signed_by_the_members_key(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        await pod.note(alice)
        await pod.wing.flush()
        _, actor = await pod.get(alice.webid)
        key = load_pem_public_key(actor["publicKey"]["publicKeyPem"].encode())
        claim = read(bob.received[0], pod.clock.now())
        assert claim.key_id == actor["publicKey"]["id"]
        assert fits(claim, key)  # type: ignore[arg-type]

    tell(story)


def test_a_follow_is_accepted_while_nothing_else_happens(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        heard = asyncio.Event()

        def answer(_: object) -> int:
            heard.set()
            return 202

        bob.answers = answer
        sender = asyncio.create_task(pod.wing.deliver())
        await asyncio.sleep(0)
        await pod.post(bob, bob.activity("Follow", alice.webid, 2))
        async with asyncio.timeout(5):
            await heard.wait()
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)
        assert bob.activities[0]["type"] == "Accept"

    tell(story)


def test_each_host_gets_one_copy_by_its_shared_inbox(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        ann = Peer("ann", bob.origin)
        bob.documents[ann.id] = ann.actor()
        await pod.post(ann, ann.activity("Follow", alice.webid, 2))
        await pod.wing.flush()
        bob.received.clear()
        await pod.note(alice)
        await pod.wing.flush()
        assert len(bob.received) == 1

    tell(story)


def test_a_mentioned_actor_hears_of_it_without_following(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        text = "hi @eve@eve.test"
        link = {"$type": "app.bsky.richtext.facet#link", "uri": eve.id}
        facet = {"index": {"byteStart": 3, "byteEnd": len(text)}, "features": [link]}
        await pod.note(alice, text, facets=[facet])
        await pod.wing.flush()
        (create,) = eve.activities
        assert create["object"]["tag"] == [
            {"type": "Mention", "href": eve.id, "name": "@eve@eve.test"}
        ]
        assert eve.id in create["cc"]

    tell(story)


def test_members_of_one_pod_hear_of_each_other(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        town = pod.network.add(Peer("town", pod.settings.origin))
        carol = await pod.member("carol")
        post = await pod.note(alice)
        liked = {"subject": ref(alice, post), "createdAt": NOW}
        like = await pod.record(carol, "app.bsky.feed.like", liked)
        await pod.record(carol, "app.bsky.graph.follow", {"subject": alice.did, "createdAt": NOW})
        reply = {"root": ref(alice, post), "parent": ref(alice, post)}
        await pod.note(carol, "Indeed", reply=reply)
        await pod.wing.flush()
        told = {activity["type"]: activity for activity in town.activities}
        assert told["Like"]["object"] == alice.url(post.path)
        assert told["Like"]["id"] == carol.url(like.results[0].path)
        assert pod.followers.get(alice.id, carol.webid) is not None  # no letter is needed
        assert told["Create"]["object"]["inReplyTo"] == alice.url(post.path)
        await pod.write.apply(owner(carol), carol.id, [Delete(like.results[0].path)])
        await pod.wing.flush()
        assert town.activities[-1]["type"] == "Undo"
        assert town.activities[-1]["object"]["id"] == told["Like"]["id"]

    tell(story)


def test_a_follower_in_the_same_pod_needs_no_copy(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        shared = Iri(f"{pod.settings.origin}/inbox")
        carol = await pod.member("carol")
        follow = Follower(carol.webid, shared, shared, Iri("x"), True, pod.clock.now())
        await pod.followers.put(alice.id, follow, pod.clock.now(), telling=[])
        await pod.note(alice)
        await pod.wing.flush()
        assert [request.url for request in bob.received] == ["http://peer.test/inbox"]
        assert pod.wing.backlog() == 0

    tell(story)


def test_a_block_reaches_the_blocked_alone_and_private_documents_nobody(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        carol = await pod.member("carol")
        block = {"subject": carol.did, "createdAt": NOW}
        await pod.record(alice, "app.bsky.graph.block", block)
        await pod.record(alice, "com.example.unknown", {"text": "secret?"}, rkey="x")
        path = ResourcePath("/data/diary.ttl")
        document = PutDocument(path, "text/turtle", b"<> <> <> .")
        await pod.write.apply(owner(alice), alice.id, [document])
        await pod.wing.flush()
        assert bob.received == []
        (waits,) = pod.queue.due(pod.clock.now() + timedelta(days=1), limit=9, without=())
        told = orjson.loads(waits.body)
        assert (told["type"], told["object"], told["to"]) == ("Block", carol.webid, [carol.webid])
        assert waits.target == f"{pod.settings.origin}/inbox"

    tell(story)


BAD_ACTS: dict[str, bytes] = {
    "not JSON": b"{",
    "a stranger's": b'{"id":"%s","type":"Like","actor":"http://peer.test/users/bob","object":"%s"}',
    "another id": b'{"id":"http://x.test/1","type":"Like","actor":"%s","object":"http://peer.test/1"}',
    "another type": b'{"id":"%s","type":"Delete","actor":"%s","object":"http://peer.test/1"}',
    "no object": b'{"id":"%s","type":"Like","actor":"%s"}',
}


@pytest.mark.parametrize("bad", BAD_ACTS)
def test_only_the_members_own_acts_are_delivered(tell: Callable[[Story], None], bad: str) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        path = ResourcePath("/data/social/like/x")
        body = BAD_ACTS[bad]
        for known in (alice.url(path), alice.webid):
            body = body.replace(b"%s", known.encode(), 1)
        put = PutDocument(path, "application/activity+json", body)
        await pod.write.apply(owner(alice), alice.id, [put])
        await pod.wing.flush()
        await pod.write.apply(owner(alice), alice.id, [Delete(path)])
        await pod.note(alice, "still here")
        await pod.wing.flush()
        assert [activity["type"] for activity in bob.activities] == ["Create"]
        assert (await pod.get(f"{alice.origin}/liked"))[1]["totalItems"] == 0

    tell(story)


def test_an_imported_repository_is_not_told_as_news(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        old = await pod.note(alice, "old")
        await pod.wing.flush()
        post = {"$type": "app.bsky.feed.post", "text": "from elsewhere", "createdAt": NOW}
        records = {f"app.bsky.feed.post/3kaaaaaaaaa{n}2": encode(post) for n in "abcdefgh"}
        await pod.transfer.import_repo(owner(alice), alice.id, arrival(records))
        await pod.wing.flush()
        assert [activity["type"] for activity in bob.activities] == ["Create", "Delete"]
        assert bob.activities[1]["object"]["id"] == alice.url(old.path)
        _, page = await pod.get(f"{alice.origin}/outbox?page=")
        assert len(page["orderedItems"]) == len(records)

    tell(story)


def test_a_changed_profile_is_told_as_an_update_of_the_actor(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        await pod.record(alice, "app.bsky.actor.profile", {"displayName": "Al"}, rkey="self")
        await pod.wing.flush()
        (update,) = bob.activities
        assert (update["type"], update["object"]["name"]) == ("Update", "Al")
        assert update["object"]["id"] == alice.webid

    tell(story)


def test_an_as2_annotation_alone_is_told_but_no_change_is_not(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        post = await pod.note(alice)
        await pod.wing.flush()
        same = PutRecord(
            "app.bsky.feed.post",
            post.path.rpartition("/")[2],
            {"$type": "app.bsky.feed.post", "text": "Hello", "createdAt": NOW},
        )
        await pod.write.apply(owner(alice), alice.id, [same])
        await pod.wing.flush()
        assert len(bob.received) == 1
        for view, told in (("rdf", 1), ("as2", 2)):
            noted = Complement((Annotation(view, b'{"example":1}'),))
            await pod.write.apply(owner(alice), alice.id, [Annotate(post.path, noted)])
            await pod.wing.flush()
            assert len(bob.received) == told

    tell(story)


def test_likes_and_boosts_of_the_fediverse_are_sent_and_undone(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        note = bob.note()
        bob.documents[note["id"]] = note
        me = owner(alice)
        await pod.wing.social.like(me, alice, note["id"])
        await pod.wing.social.announce(me, alice, note["id"])
        await pod.wing.social.announce(me, alice, note["id"])
        await pod.wing.flush()
        assert sorted(a["type"] for a in bob.activities) == ["Announce", "Like"]
        assert (await pod.get(f"{alice.origin}/liked"))[1]["orderedItems"] == [note["id"]]
        await pod.wing.social.undo(me, alice, "like", note["id"])
        await pod.wing.flush()
        undo = bob.activities[-1]
        assert (undo["type"], undo["object"]["type"]) == ("Undo", "Like")
        assert undo["object"]["id"] in {a["id"] for a in bob.activities}

    tell(story)


def test_a_reused_rkey_gets_a_new_ap_id(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        post = await pod.note(alice, "first")
        rkey = post.path.rpartition("/")[2]
        await pod.wing.flush()
        await pod.write.apply(owner(alice), alice.id, [Delete(post.path)])
        await pod.wing.flush()
        again = {"text": "second", "createdAt": NOW}
        await pod.record(alice, "app.bsky.feed.post", again, rkey=rkey)
        await pod.wing.flush()
        first, gone, second = bob.activities
        assert gone["object"]["id"] == first["object"]["id"]
        assert second["object"]["id"] == first["object"]["id"] + ";g2"
        status, document = await pod.get(second["object"]["id"])
        assert (status, document["id"]) == (200, second["object"]["id"])
        assert (await pod.get(first["object"]["id"]))[0] == 410
        assert (await pod.get(first["object"]["id"] + ";g1"))[0] in (404, 410)
        likes = second["object"]["likes"]
        assert (await pod.get(likes))[1]["id"] == likes
        await pod.write.apply(owner(alice), alice.id, [Delete(post.path)])
        status, document = await pod.get(second["object"]["id"])
        assert (status, document["type"]) == (410, "Tombstone")
        assert document["id"] == second["object"]["id"]

    tell(story)


def test_an_answer_to_a_fediverse_post_names_it(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        target = "http://peer.test/notes/1"
        notes = Complement(
            (Annotation("as2", f'{{"inReplyTo":"{target}","cc":["{bob.id}"]}}'.encode()),)
        )
        record = {"text": "Indeed", "createdAt": NOW}
        await pod.record(alice, "app.bsky.feed.post", record, complement=notes)
        await pod.wing.flush()
        (create,) = bob.activities
        assert create["object"]["inReplyTo"] == target
        assert bob.id in create["cc"]

    tell(story)


@pytest.mark.parametrize(
    ("media_type", "body"),
    [("text/turtle", b""), ("text/turtle", b"<a> <b> <c>."), ("application/activity+json", b"")],
)
@pytest.mark.parametrize("name", ["", "follow/", "follow/x", "like/x"])
def test_whatever_lies_among_the_acts_stops_no_delivery(
    tell: Callable[[Story], None], name: str, media_type: str, body: bytes
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        path = ResourcePath(f"/data/social/{name}")
        put = PutDocument(path, media_type, body)
        await pod.write.apply(owner(alice), alice.id, [put])
        await pod.note(alice, "Hello")
        await pod.wing.flush()
        for collection in ("following", "liked", "outbox?page="):
            assert (await pod.get(f"{alice.origin}/{collection}"))[0] == 200
        await pod.write.apply(owner(alice), alice.id, [Delete(path)])
        await pod.wing.flush()
        assert [activity["type"] for activity in bob.activities] == ["Create"]

    tell(story)
