"""What peers hear and see when an account is renamed, taken down, at rest, or deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from pod.access.agent import SYSTEM
from pod.farewell import Farewell
from pod.keys.keyring import ACTOR_RSA
from pod.model.ids import Iri
from pod.model.member import Member, Standing
from pod.model.peer import Edge, Follower
from storage.delivery_queue import SqlDeliveryQueue
from storage.peer_hosts import SqlPeerHosts
from tests.kit.fediverse import KEYS, FediPod, Peer
from tests.wire.activitypub.conftest import Story


async def delete(pod: FediPod, member: Member) -> None:
    farewell = Farewell(pod.store, pod.book, pod.projection, pod.media, pod.keyring, pod.clock)
    await farewell.delete(member.id)


def test_a_new_handle_is_told_to_followers(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        await pod.accounts.set_handle(alice, "alicia.test")
        await pod.wing.flush()
        (update,) = bob.activities
        assert (update["type"], update["actor"]) == ("Update", alice.webid)
        assert "at://alicia.test" in update["object"]["alsoKnownAs"]

    tell(story)


def test_a_takedown_is_told_shown_and_taken_back(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        note = await pod.note(alice)
        await pod.wing.flush()
        bob.received.clear()
        await pod.accounts.set_standing(SYSTEM, alice.id, Standing.TAKENDOWN)
        await pod.wing.flush()
        assert [each["object"]["suspended"] for each in bob.activities] == [True]
        status, actor = await pod.get(alice.webid)
        assert (status, actor["id"], actor["suspended"]) == (200, alice.webid, True)
        assert "summary" not in actor
        assert (await pod.get(alice.url(note.path)))[0] == 403
        assert (await pod.get(f"{alice.origin}/outbox"))[0] == 403
        await pod.accounts.set_standing(SYSTEM, alice.id, Standing.ACTIVE)
        await pod.wing.flush()
        assert [each["object"]["suspended"] for each in bob.activities] == [True, False]

    tell(story)


def test_an_account_at_rest_is_silent(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        await pod.accounts.set_standing(SYSTEM, alice.id, Standing.DEACTIVATED)
        await pod.wing.flush()
        assert bob.received == []
        assert (await pod.get(alice.webid))[0] == 404
        await pod.accounts.set_standing(SYSTEM, alice.id, Standing.ACTIVE)
        await pod.wing.flush()
        assert [each["type"] for each in bob.activities] == ["Update"]
        assert pod.followers.count(alice.id) == 1

    tell(story)


@pytest.mark.parametrize("shared_inbox", [True, False])
def test_a_deletion_is_told_to_all_who_may_know_the_member_signed_by_their_key(
    tell: Callable[[Story], None], *, shared_inbox: bool
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(
            Peer("eve", "http://eve.test", key=KEYS[1], shared_inbox=shared_inbox)
        )
        carol = await pod.member("carol")
        await pod.post(eve, eve.activity("Follow", carol.webid))
        await pod.wing.flush()
        eve.received.clear()
        public = (await pod.keyring.actor_key(alice.id)).public_pem
        await pod.cache.put(Iri("blurhash:bafy"), b"LEHV6nWB2yk8", pod.clock.now())
        await delete(pod, alice)
        await pod.wing.flush()
        for peer in (bob, eve):
            (told,) = peer.activities
            assert (told["type"], told["actor"], told["object"]) == ("Delete", *[alice.webid] * 2)
            assert f'keyId="{alice.webid}#main-key"' in dict(peer.received[0].headers)["Signature"]
        assert (await pod.keyring.actor_key(alice.id)).public_pem == public
        assert pod.followers.count(alice.id) == 0
        assert not SqlPeerHosts(pod.store.database).has_met("peer.test", alice.id)
        await pod.wing.tidy()
        assert pod.store.secret(alice.id, ACTOR_RSA) is None

    tell(story)


def test_members_of_the_same_pod_forget_who_is_gone(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        carol = await pod.member("carol")
        pod.network.add(Peer("town", pod.settings.origin))
        post = await pod.note(carol)
        path, now = post.path, pod.clock.now()
        follow = Iri(f"{alice.webid}#follow")
        inbox = Iri(f"{pod.settings.origin}/inbox")
        for webid in (alice.webid, bob.id):
            like = Edge(path, "like", webid, "", Iri(f"{webid}#like"), True, now)
            await pod.edges.put(carol.id, like)
            follower = Follower(webid, inbox, None, follow, accepted=True, since=now)
            await pod.followers.put(carol.id, follower, now, telling=[])
        await delete(pod, alice)
        await pod.wing.flush()
        assert pod.edges.count(carol.id, path, "like") == 1
        assert [each.actor for each in pod.followers.page(carol.id, after="", limit=9)] == [bob.id]
        await pod.wing.tidy()
        assert pod.store.secret(alice.id, ACTOR_RSA) is None

    tell(story)


def test_a_deleted_actor_is_a_tombstone_for_ever(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        note = await pod.note(alice)
        await delete(pod, alice)
        status, left = await pod.get(alice.webid)
        assert (status, left["type"], left["formerType"]) == (410, "Tombstone", "Person")
        assert left["id"] == alice.webid
        for url in (alice.url(note.path), f"{alice.origin}/followers", f"{alice.origin}/outbox"):
            assert (await pod.get(url))[0] == 410
        follow = bob.activity("Follow", alice.webid, 2)
        assert await pod.post(bob, follow) == 202
        assert await pod.post(bob, follow, inbox=f"{alice.origin}/inbox/") == 410

    tell(story)


def test_a_crash_between_the_deletion_and_its_telling_loses_nothing(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        await delete(pod, alice)
        # As a restart would: nothing of this process is asked again but the database.
        queue = SqlDeliveryQueue(pod.store.database)
        assert queue.cursor() < pod.store.head_seq()
        await pod.wing.tidy()
        assert pod.store.secret(alice.id, ACTOR_RSA) is not None
        bob.is_down = True
        await pod.wing.flush()
        await pod.wing.tidy()
        assert pod.store.secret(alice.id, ACTOR_RSA) is not None
        bob.is_down = False
        pod.clock.pass_by(120)
        await pod.wing.flush()
        assert [each["type"] for each in bob.activities] == ["Delete"]

    tell(story)


def test_what_was_told_of_an_account_is_told_once(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        await pod.accounts.set_handle(alice, "alicia.test")
        cursor = pod.queue.cursor()
        await pod.wing.flush()
        await pod.queue.enqueue([], pod.clock.now(), cursor=cursor)
        await asyncio.sleep(0)
        await pod.wing.flush()
        ids = {Iri(each["id"]) for each in bob.activities}
        assert len(ids) == 1

    tell(story)
