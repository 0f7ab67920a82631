"""What the inbox takes from peers, what it refuses, and that refusing changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters.activitypub.signature import cavage, rfc9421
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.resource import Annotation, Complement, ResourcePath
from tests.kit.fediverse import EVERYBODY, KEYS, FediPod, Peer, fedi_pod
from tests.kit.house import owner

Story = Callable[[FediPod, Member, Peer], Awaitable[None]]


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[Story], None]:
    """Run a story with a pod, its member alice, and a peer where bob lives."""

    def run(story: Story) -> None:
        async def whole() -> None:
            async with fedi_pod(tmp_path) as pod:
                await story(pod, await pod.member(), pod.network.add(Peer()))

        asyncio.run(whole())

    return run


def state(pod: FediPod, member: Member) -> object:
    """All that an activity could change."""
    return (
        pod.followers.page(member.id, after="", limit=99),
        pod.followers.waiting(member.id, limit=99),
        pod.store.resources(member.id, "/", after=None, limit=99),
        pod.store.database.read.execute("SELECT * FROM edge").fetchall(),
        pod.queue.size(),
    )


@pytest.mark.parametrize("scheme", [cavage, rfc9421])
def test_a_follow_is_accepted_and_answered(tell: Callable[[Story], None], scheme: Any) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        follow = bob.activity("Follow", alice.webid)
        assert await pod.post(bob, follow, scheme=scheme) == 202
        (follower,) = pod.followers.page(alice.id, after="", limit=9)
        assert (follower.actor, follower.accepted) == (bob.id, True)
        await pod.wing.flush()
        (accept,) = bob.activities
        assert accept["type"] == "Accept"
        assert accept["actor"] == alice.webid
        assert accept["object"]["id"] == follow["id"]
        assert bob.received[0].url == f"{bob.id}/inbox"

    tell(story)


def test_a_follow_may_come_to_the_members_own_inbox(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        follow = bob.activity("Follow", alice.webid)
        assert await pod.post(bob, follow, inbox=f"{alice.origin}/inbox/") == 202
        assert pod.followers.count(alice.id) == 1

    tell(story)


def test_a_follow_is_held_for_a_member_who_approves_by_hand(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        notes = Complement((Annotation("as2", b'{"manuallyApprovesFollowers":true}'),))
        await pod.record(
            alice, "app.bsky.actor.profile", {"displayName": "A"}, rkey="self", complement=notes
        )
        await pod.post(bob, bob.activity("Follow", alice.webid))
        assert pod.followers.count(alice.id) == 0
        await pod.wing.flush()
        assert bob.activities == []
        await pod.wing.social.accept_follower(alice, bob.id)
        await pod.wing.flush()
        assert [activity["type"] for activity in bob.activities] == ["Accept"]
        assert pod.followers.count(alice.id) == 1

    tell(story)


@pytest.mark.parametrize("told", ["by id", "in full"])
def test_an_undone_follow_is_forgotten(tell: Callable[[Story], None], told: str) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        follow = bob.activity("Follow", alice.webid)
        await pod.post(bob, follow)
        undone: Any = follow["id"] if told == "by id" else {**follow, "id": f"{bob.id}/other"}
        assert await pod.post(bob, bob.activity("Undo", undone)) == 202
        assert pod.followers.count(alice.id) == 0

    tell(story)


def test_a_reply_is_kept_for_its_member_only(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        post = await pod.note(alice)
        carol = await pod.member("carol")
        url = alice.url(post.path)
        reply = bob.note(content="<p>Hi</p>", inReplyTo=url, cc=[alice.webid])
        assert await pod.post(bob, bob.activity("Create", reply, to=[EVERYBODY])) == 202
        (path,) = pod.store.about(alice.id, "/inbox/", reply["id"])
        held = pod.store.resource(alice.id, path)
        assert held is not None
        assert orjson.loads(held.body)["content"] == "<p>Hi</p>"
        assert held.media_type == "application/activity+json"
        assert pod.store.resources(carol.id, "/inbox/", after=None, limit=9) == []
        status, replies = await pod.get(f"{url}?c=replies")
        assert (status, replies["totalItems"], replies["first"]["items"]) == (200, 1, [reply["id"]])

    tell(story)


def test_a_private_reply_is_not_shown_to_others(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        url = alice.url((await pod.note(alice)).path)
        reply = bob.note(inReplyTo=url, to=[alice.webid])
        await pod.post(bob, bob.activity("Create", reply))
        assert len(pod.store.about(alice.id, "/inbox/", reply["id"])) == 1
        assert (await pod.get(f"{url}?c=replies"))[1]["totalItems"] == 0
        assert (await pod.get(f"{alice.origin}/inbox/"))[0] == 401

    tell(story)


def test_a_mention_is_kept_and_other_posts_are_not(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        tag = {"type": "Mention", "href": alice.webid, "name": "@alice"}
        await pod.post(bob, bob.activity("Create", bob.note(1, tag=[tag])))
        await pod.post(bob, bob.activity("Create", bob.note(2), number=2))
        held = pod.store.resources(alice.id, "/inbox/", after=None, limit=9)
        assert [orjson.loads(item.body)["id"] for item in held] == [bob.note(1)["id"]]

    tell(story)


def test_an_update_replaces_and_a_delete_removes(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        url = alice.url((await pod.note(alice)).path)
        reply = bob.note(inReplyTo=url)
        await pod.post(bob, bob.activity("Create", reply))
        edited = bob.note(content="<p>Better</p>", inReplyTo=url)
        await pod.post(bob, bob.activity("Update", edited))
        (held,) = pod.store.resources(alice.id, "/inbox/", after=None, limit=9)
        assert orjson.loads(held.body)["content"] == "<p>Better</p>"
        tombstone = {"id": reply["id"], "type": "Tombstone"}
        assert await pod.post(bob, bob.activity("Delete", tombstone)) == 202
        assert pod.store.resources(alice.id, "/inbox/", after=None, limit=9) == []
        assert (await pod.get(f"{url}?c=replies"))[1]["totalItems"] == 0

    tell(story)


@pytest.mark.parametrize(("kind", "shown"), [("Like", "likes"), ("Announce", "shares")])
def test_a_reaction_is_counted_once_and_can_be_taken_back(
    tell: Callable[[Story], None], kind: str, shown: str
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        url = alice.url((await pod.note(alice)).path)
        for number in (1, 2):
            reaction = bob.activity(kind, url, number, to=[EVERYBODY])
            assert await pod.post(bob, reaction) == 202
        assert (await pod.get(f"{url}?c={shown}"))[1]["totalItems"] == 1
        await pod.post(bob, bob.activity("Undo", bob.activity(kind, url, 2)))
        assert (await pod.get(f"{url}?c={shown}"))[1]["totalItems"] == 0

    tell(story)


def test_the_same_activity_works_only_once(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        follow = bob.activity("Follow", alice.webid)
        await pod.post(bob, follow)
        await pod.post(bob, bob.activity("Undo", follow))
        assert await pod.post(bob, follow) == 202
        assert pod.followers.count(alice.id) == 0

    tell(story)


def test_copies_that_come_at_once_are_one_activity(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        create = bob.activity("Create", bob.note(to=[EVERYBODY, alice.webid]))
        inboxes = [f"{pod.settings.origin}/inbox", f"{alice.origin}/inbox/"] * 3
        await pod.post(bob, bob.activity("Like", alice.webid))
        statuses = await asyncio.gather(*(pod.post(bob, create, inbox=i) for i in inboxes))
        assert statuses == [202] * 6
        assert len(pod.store.resources(alice.id, "/inbox/", after=None, limit=9)) == 1

    tell(story)


def test_a_follow_that_stands_is_answered_again(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        for _ in range(2):
            pod.clock.pass_by(1)
            await pod.post(bob, bob.activity("Follow", alice.webid))
            await pod.wing.flush()
        assert [activity["type"] for activity in bob.activities] == ["Accept", "Accept"]
        assert pod.followers.count(alice.id) == 1

    tell(story)


def test_a_key_is_looked_at_again_after_a_day(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        await pod.post(bob, bob.activity("Follow", alice.webid))
        bob.documents[bob.id] = bob.actor() | {"publicKey": []}
        pod.clock.pass_by(25 * 3600)
        assert await pod.post(bob, bob.activity("Undo", bob.activity("Follow", alice.webid))) == 401

    tell(story)


def test_an_accept_of_a_follow_shows_in_following(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        path = await pod.wing.social.follow(owner(alice), alice, bob.id)
        await pod.wing.flush()
        (follow,) = bob.activities
        assert (follow["type"], follow["id"]) == ("Follow", alice.url(path))
        assert (await pod.get(f"{alice.origin}/following"))[1]["totalItems"] == 0
        assert await pod.post(bob, bob.activity("Accept", follow)) == 202
        shown = (await pod.get(f"{alice.origin}/following"))[1]
        assert shown["orderedItems"] == [bob.id]
        await pod.post(bob, bob.activity("Reject", follow["id"]))
        assert (await pod.get(f"{alice.origin}/following"))[1]["orderedItems"] == []

    tell(story)


def test_a_stranger_cannot_accept_for_another(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        await pod.wing.social.follow(owner(alice), alice, bob.id)
        await pod.wing.flush()
        await pod.post(eve, eve.activity("Accept", bob.activities[0]))
        assert (await pod.get(f"{alice.origin}/following"))[1]["totalItems"] == 0

    tell(story)


def without(name: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda headers: {key: value for key, value in headers.items() if key != name}


FORGERIES: dict[str, dict[str, Any]] = {
    "unsigned": {"change": without("Signature")},
    "no digest": {"change": without("Digest")},
    "no date": {"change": without("Date")},
    "other body": {
        "body": b'{"id":"http://peer.test/x","type":"Like","actor":"http://peer.test/users/bob"}'
    },
    "old": {"change": lambda headers: headers | {"Date": "Tue, 24 Nov 2020 12:00:00 GMT"}},
    "unknown key": {"key_id": "http://peer.test/users/bob#other"},
    "key elsewhere": {"key_id": "http://nowhere.test/k"},
    "key of no URL": {"key_id": "bob"},
    "nonsense": {"change": lambda headers: headers | {"Signature": "yes"}},
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forgery_is_refused_and_changes_nothing(
    tell: Callable[[Story], None], forgery: str
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        before = state(pod, alice)
        status = await pod.post(bob, bob.activity("Follow", alice.webid), **FORGERIES[forgery])
        assert status == (503 if forgery == "key elsewhere" else 401)
        assert state(pod, alice) == before

    tell(story)


def test_a_signature_by_another_actor_is_refused(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        before = state(pod, alice)
        assert await pod.post(eve, bob.activity("Follow", alice.webid)) == 401
        assert await pod.post(eve, bob.activity("Follow", alice.webid), key_id=bob.key_id) == 401
        stolen = eve.activity("Follow", alice.webid) | {"id": bob.id + "/follow"}
        assert await pod.post(eve, stolen) == 401
        assert state(pod, alice) == before

    tell(story)


def test_a_key_counts_only_if_its_actor_lists_it(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = Peer("eve", "http://eve.test", KEYS[1])
        pem = eve.actor()["publicKey"]["publicKeyPem"]
        key = {"id": "http://eve.test/key", "owner": bob.id, "publicKeyPem": pem}
        eve.documents["http://eve.test/key"] = key
        pod.network.add(eve)
        forged = bob.activity("Follow", alice.webid)
        assert await pod.post(eve, forged, key_id="http://eve.test/key") == 401
        eve.documents[eve.id] = eve.actor() | {"id": bob.id}
        assert await pod.post(eve, forged) == 401
        assert pod.followers.count(alice.id) == 0

    tell(story)


def test_a_separate_key_document_is_followed_to_its_owner(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        actor = bob.actor()
        actor["publicKey"]["id"] = f"{bob.id}/main-key"
        bob.documents[bob.id] = actor
        bob.documents[f"{bob.id}/main-key"] = actor
        follow = bob.activity("Follow", alice.webid)
        assert await pod.post(bob, follow, key_id=f"{bob.id}/main-key") == 202
        assert pod.followers.count(alice.id) == 1

    tell(story)


def test_a_rotated_key_is_fetched_again_but_not_for_every_forgery(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        await pod.post(bob, bob.activity("Follow", alice.webid))
        bob.key = KEYS[1]
        bob.documents[bob.id] = bob.actor()
        bob.fetched.clear()
        assert await pod.post(bob, bob.activity("Undo", bob.activity("Follow", alice.webid))) == 401
        assert bob.fetched == []
        pod.clock.pass_by(120)
        undo = bob.activity("Undo", bob.activity("Follow", alice.webid))
        assert await pod.post(bob, undo) == 202
        assert pod.followers.count(alice.id) == 0

    tell(story)


def test_an_object_is_believed_only_for_its_author_and_origin(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        mention = {"to": [EVERYBODY, alice.webid]}
        foreign = eve.note(**mention) | {"attributedTo": bob.id}
        elsewhere = bob.note(**mention)
        claimed = bob.note(2, **mention) | {"attributedTo": eve.id}
        for number, note in enumerate((foreign, elsewhere, claimed)):
            assert await pod.post(eve, eve.activity("Create", note, number)) == 202
        assert pod.store.resources(alice.id, "/inbox/", after=None, limit=9) == []

    tell(story)


def test_an_object_told_by_id_is_fetched_from_its_origin(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        note = bob.note(to=[EVERYBODY, alice.webid])
        bob.documents[note["id"]] = note
        await pod.post(bob, bob.activity("Create", note["id"]))
        assert len(pod.store.about(alice.id, "/inbox/", note["id"])) == 1

    tell(story)


def test_nobody_edits_or_deletes_anothers_reply(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        note = bob.note(to=[EVERYBODY, alice.webid])
        await pod.post(bob, bob.activity("Create", note))
        mallory = Peer("mallory", bob.origin, KEYS[1])
        bob.documents[mallory.id] = mallory.actor()
        stolen = note | {"attributedTo": mallory.id, "content": "mine"}
        before = state(pod, alice)
        assert await pod.post(mallory, mallory.activity("Update", stolen, 7)) == 202
        assert await pod.post(mallory, mallory.activity("Delete", note["id"], 8)) == 202
        undo = mallory.activity("Undo", bob.activity("Create", note)["id"], 9)
        assert await pod.post(mallory, undo) == 202
        assert state(pod, alice) == before

    tell(story)


def test_the_farewell_of_a_deleted_actor_removes_them(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        await pod.post(bob, bob.activity("Follow", alice.webid))
        assert await pod.post(bob, bob.activity("Delete", bob.id)) == 202
        assert pod.followers.count(alice.id) == 0

    tell(story)


def test_the_farewell_of_an_unknown_actor_is_taken_politely(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        bob.documents[bob.id] = 410
        assert await pod.post(bob, bob.activity("Delete", bob.id)) == 202
        assert await pod.post(bob, bob.activity("Follow", alice.webid)) == 401

    tell(story)


@pytest.mark.parametrize("content_type", ["text/html", "application/json", "application/ld+json"])
def test_an_uploaded_file_is_never_an_actor(
    tell: Callable[[Story], None], content_type: str
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        bob.content_type = content_type
        assert await pod.post(bob, bob.activity("Follow", alice.webid)) == 401

    tell(story)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"[]", 400), (b"{", 400), (b'{"type":"Like"}', 400), (b"x" * 300_000, 413),
     (b'{"id":"http://peer.test/1","actor":"http://peer.test/users/bob","@graph":[]}', 400)],
    ids=["empty", "list", "broken", "no id", "large", "graph"],
)  # fmt: skip
def test_a_bad_body_is_refused(tell: Callable[[Story], None], body: bytes, status: int) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        assert await pod.post(bob, {}, body=body) == status

    tell(story)


def test_other_media_types_and_unknown_hosts_are_refused(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        as_text = lambda headers: headers | {"Content-Type": "text/plain"}  # noqa: E731
        assert await pod.post(bob, {}, change=as_text) == 415
        assert await pod.post(bob, {}, inbox="http://nobody.localhost:2583/inbox") == 404

    tell(story)


def test_unknown_activities_are_taken_and_forgotten(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        before = state(pod, alice)
        for kind in ("Move", "Add", "Dance"):
            assert await pod.post(bob, bob.activity(kind, alice.webid)) == 202
        assert state(pod, alice) == before
        assert pod.store.resource(alice.id, ResourcePath("/inbox/")) is None
        assert pod.seen.has(Iri(bob.activity("Move", "")["id"]))

    tell(story)
