"""Posts for followers alone, authorised fetch, and followers compared between servers."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.peer import Follower
from pod.model.resource import ResourcePath
from tests.kit.fediverse import EVERYBODY, KEYS, FediPod, Peer, cavage, fedi_pod, rfc9421
from tests.kit.house import owner

Story = Callable[[FediPod, Member, Peer], Awaitable[None]]


def private(alice: Member, content: str = "<p>for friends</p>", **more: Any) -> dict[str, Any]:
    return {"type": "Note", "content": content, "to": [f"{alice.origin}/followers"], **more}


async def said(pod: FediPod, alice: Member, note: dict[str, Any]) -> str:
    status, location = await pod.say(alice, note)
    assert status == 201
    await pod.wing.flush()
    return str(location)


def test_a_post_for_followers_reaches_them_and_stands_nowhere_else(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        before = pod.store.repo(alice.id), pod.store.head_seq()
        frames = pod.store.frames(after=0, limit=999)
        url = await said(pod, alice, private(alice, summary="hush", sensitive=True))
        (create,) = bob.activities
        assert create["type"] == "Create"
        assert create["to"] == [f"{alice.origin}/followers"]
        assert create["object"]["content"] == "<p>for friends</p>"
        assert create["object"]["summary"] == "hush"
        assert create["object"]["id"] == url
        assert eve.received == []
        assert pod.store.repo(alice.id) == before[0]
        assert pod.store.frames(after=0, limit=999) == frames
        _, outbox = await pod.get(f"{alice.origin}/outbox?page=")
        assert outbox["orderedItems"] == []
        name = create["id"].rpartition("/")[2]
        assert (await pod.get(f"{alice.origin}/outbox/{name}"))[0] == 404

    tell(story)


@pytest.mark.parametrize("scheme", [cavage, rfc9421])
def test_only_followers_may_fetch_it(tell: Callable[[Story], None], scheme: Any) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        url = await said(pod, alice, private(alice))
        status, note = await pod.signed_get(bob, url, scheme=scheme)
        assert (status, note["id"], note["content"]) == (200, url, "<p>for friends</p>")
        assert (await pod.signed_get(eve, url, scheme=scheme))[0] == 404
        assert (await pod.get(url))[0] == 404
        assert (await pod.get(f"{alice.origin}/notes/nothing"))[0] == 404
        forged = Peer("bob", bob.origin, KEYS[1])
        assert (await pod.signed_get(forged, url, scheme=scheme))[0] == 401
        await pod.wing.shield.block(owner(alice), alice, bob.id)
        assert (await pod.signed_get(bob, url, scheme=scheme))[0] == 404

    tell(story)


def test_it_is_edited_and_deleted_for_the_same_people(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        url = await said(pod, alice, private(alice))
        await said(pod, alice, {"type": "Update", "object": {
            "id": url, "type": "Note", "content": "<p>better</p>", "to": [EVERYBODY]}})  # fmt: skip
        await said(pod, alice, {"type": "Delete", "object": url})
        _, update, delete = bob.activities
        assert update["object"]["content"] == "<p>better</p>"
        assert update["object"]["updated"] >= update["object"]["published"]
        assert update["object"]["to"] == [f"{alice.origin}/followers"]
        assert (delete["type"], delete["object"]["type"]) == ("Delete", "Tombstone")
        assert (await pod.signed_get(bob, url))[0] == 404

    tell(story)


def test_a_message_to_one_actor_is_for_them_alone(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        url = await said(pod, alice, private(alice) | {"to": [eve.id]})
        assert (len(eve.received), len(bob.received)) == (1, 0)
        assert (await pod.signed_get(eve, url))[0] == 200
        assert (await pod.signed_get(bob, url))[0] == 404

    tell(story)


def test_a_follower_in_the_same_pod_gets_a_copy_of_what_is_not_public(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        town = pod.network.add(Peer("town", pod.settings.origin))
        carol, shared = await pod.member("carol"), Iri(f"{pod.settings.origin}/inbox")
        follow = Follower(carol.webid, shared, shared, Iri("x"), True, pod.clock.now())
        await pod.followers.put(alice.id, follow, pod.clock.now(), telling=())
        await said(pod, alice, private(alice))
        assert len(town.received) == 1

    tell(story)


@pytest.mark.parametrize(
    "note",
    [{"attachment": [{"type": "Image", "url": "http://x.test/1.png"}]}, {"content": None},
     {"oneOf": [{"type": "Note", "name": "yes"}]}, {"bcc": ["http://eve.test/users/eve"]},
     {"type": "Article", "name": "essay"}],
)  # fmt: skip
def test_what_such_a_post_cannot_hold_is_refused(
    tell: Callable[[Story], None], note: dict[str, Any]
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        status, _ = await pod.say(alice, private(alice) | note)
        assert status == 422
        await pod.wing.flush()
        assert bob.received == []

    tell(story)


def test_likes_and_answers_of_whom_it_is_for_are_kept(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        url = await said(pod, alice, private(alice))
        path = ResourcePath(f"/data/social/note/{url.rpartition('/')[2]}")
        for peer in (bob, eve):
            assert await pod.post(peer, peer.activity("Like", url, 2)) == 202
            answer = peer.note(5, to=[alice.webid], inReplyTo=url)
            assert await pod.post(peer, peer.activity("Create", answer, 3)) == 202
            assert await pod.post(peer, peer.activity("Announce", url, 4, to=[EVERYBODY])) == 202
        assert pod.edges.tally(alice.id, path, "like")[1] == [bob.id]
        assert list(pod.edges.tally(alice.id, path, "reply")[0]) == [f"{bob.origin}/notes/5"]
        assert pod.edges.count(alice.id, path, "announce") == 0
        assert pod.edges.count(alice.id, path, "reply") == 0
        undo = bob.activity("Undo", {"type": "Like", "actor": bob.id, "object": url}, 6)
        assert await pod.post(bob, undo) == 202
        assert pod.edges.tally(alice.id, path, "like")[1] == []

    tell(story)


def test_in_secure_mode_only_who_signs_may_read(tmp_path: Path) -> None:
    async def story() -> None:
        async with fedi_pod(tmp_path, secure=True) as pod:
            alice, bob = await pod.member(), pod.network.add(Peer())
            post = alice.url((await pod.note(alice)).path)
            for url in (
                post,
                f"{post}?c=likes",
                f"{alice.origin}/outbox",
                f"{alice.origin}/followers",
            ):
                assert (await pod.get(url))[0] == 401
                assert (await pod.signed_get(bob, url))[0] == 200
                assert (await pod.signed_get(Peer(key=KEYS[1]), url))[0] == 401
            status, stub = await pod.get(alice.webid)
            assert (status, "summary" in stub, "publicKey" in stub) == (200, False, True)
            assert "summary" in (await pod.signed_get(bob, alice.webid))[1]
            assert (await pod.get(f"{pod.settings.origin}/actor"))[0] == 200
            await pod.wing.shield.block(owner(alice), alice, bob.id)
            assert (await pod.signed_get(bob, post))[0] == 404

    asyncio.run(story())


def digest(*ids: str) -> str:
    total = 0
    for ident in ids:
        total ^= int(hashlib.sha256(ident.encode()).hexdigest(), 16)
    return f"{total:064x}"


def test_private_posts_tell_whom_we_hold_for_followers_there(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        ann = Peer("ann", bob.origin)
        bob.documents[ann.id] = ann.actor()
        await pod.post(ann, ann.activity("Follow", alice.webid, 2))
        await pod.wing.flush()
        bob.received.clear()
        await said(pod, alice, private(alice))
        await pod.note(alice, "public")
        await pod.wing.flush()
        secret, public = bob.received
        told = secret.one("collection-synchronization")
        assert f'digest="{digest(bob.id, ann.id)}"' in told
        assert "collection-synchronization" in secret.one("signature")
        assert not public.has("collection-synchronization")
        url = f"{alice.origin}/followers_synchronization"
        assert f'url="{url}"' in told
        _, shown = await pod.signed_get(bob, url)
        assert sorted(shown["orderedItems"]) == sorted([ann.id, bob.id])
        assert (await pod.get(url))[0] == 401

    tell(story)


def test_what_another_server_says_of_our_follows_is_made_true(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        carol = await pod.member("carol")
        for member in (alice, carol):
            await pod.wing.social.follow(owner(member), member, bob.id)
            await pod.wing.flush()
            await pod.post(bob, bob.activity("Accept", bob.activities[-1], member.id))
        bob.received.clear()
        url = f"{bob.origin}/sync"
        bob.documents[url] = {
            "@context": "https://www.w3.org/ns/activitystreams", "id": url,
            "type": "OrderedCollection", "orderedItems": [carol.webid],
        }  # fmt: skip

        def header(value: str, at: str = url) -> Any:
            told = f'collectionId="{bob.id}/followers", url="{at}", digest="{value}"'
            return lambda headers: headers | {"Collection-Synchronization": told}

        async def heard(number: int, change: Any) -> None:
            pod.clock.pass_by(1)
            note = bob.note(number, to=[alice.webid])
            create, inbox = bob.activity("Create", note, number), f"{alice.origin}/inbox/"
            assert await pod.post(bob, create, change=change, inbox=inbox) == 202
            await pod.wing.flush()

        whole = bob.documents[url]
        for other in ({**bob.note(), "id": url}, {**whole, "orderedItems": 5}):
            bob.documents[url] = other  # what lists nobody says nothing
            await heard(4, header(digest(carol.webid)))
            assert (await pod.get(f"{alice.origin}/following"))[1]["totalItems"] == 1
            pod.wing.social._wing.throttle._buckets.clear()
        bob.documents[url] = whole
        bob.fetched.clear()
        bob.received.clear()
        await heard(1, header(digest(alice.webid)))
        await heard(2, header(digest(carol.webid), at="http://evil.test/sync"))
        assert bob.fetched.count(url) == 0
        assert bob.received == []
        await heard(3, header(digest(carol.webid)))
        assert (await pod.get(f"{alice.origin}/following"))[1]["totalItems"] == 0
        assert (await pod.get(f"{carol.origin}/following"))[1]["totalItems"] == 1
        (undo,) = bob.activities
        assert (undo["type"], undo["actor"]) == ("Undo", alice.webid)
        bob.received.clear()
        pod.wing.social._wing.throttle._buckets.clear()
        bob.documents[url] = {**whole, "orderedItems": [alice.webid]}
        await heard(5, header(digest(alice.webid)))
        (undo,) = bob.activities
        assert (undo["type"], undo["object"]["object"]) == ("Undo", bob.id)

    tell(story)


def test_a_long_list_of_our_follows_is_read_to_its_end(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        await pod.wing.social.follow(owner(alice), alice, bob.id)
        await pod.wing.flush()
        await pod.post(bob, bob.activity("Accept", bob.activities[-1]))
        url = f"{bob.origin}/sync"
        others = [f"https://elsewhere.test/{number}" for number in range(150)]
        bob.documents[url] = {"id": url, "type": "OrderedCollection",
                              "orderedItems": [*others, alice.webid]}  # fmt: skip
        told = f'collectionId="{bob.id}/followers", url="{url}", digest="00"'
        note = bob.activity("Create", bob.note(to=[alice.webid]))
        change = {"Collection-Synchronization": told}
        inbox = f"{alice.origin}/inbox"
        status = await pod.post(bob, note, change=lambda headers: headers | change, inbox=inbox)
        assert (status, url in bob.fetched) == (202, True)
        assert (await pod.get(f"{alice.origin}/following"))[1]["totalItems"] == 1

    tell(story)


def test_only_the_author_tells_and_only_the_members_own_inbox_hears(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        await pod.wing.social.follow(owner(alice), alice, eve.id)
        await pod.wing.flush()
        await pod.post(eve, eve.activity("Accept", eve.activities[-1]))
        url = f"{eve.origin}/sync"
        eve.documents[url] = {"id": url, "type": "OrderedCollection", "orderedItems": []}
        note = eve.note(to=[alice.webid])
        eve.documents[note["id"]] = note
        told = f'collectionId="{eve.id}/followers", url="{url}", digest="00"'
        change = {"Collection-Synchronization": told}
        passed_on = eve.activity("Create", note)
        for who, inbox in ((bob, f"{alice.origin}/inbox"), (eve, f"{pod.settings.origin}/inbox")):
            more = {"inbox": inbox, "change": lambda headers: headers | change}
            assert await pod.post(who, passed_on, **more) == 202
            assert url not in eve.fetched
        assert (await pod.get(f"{alice.origin}/following"))[1]["totalItems"] == 1

    tell(story)
