"""What one server passes on of another's is believed by proof or origin, and never by its word."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from adapters.activitypub.signature.proof import prove
from pod.keys.ed25519 import Ed25519Key
from pod.model.member import Member
from tests.kit.fediverse import EVERYBODY, KEYS, FediPod, Peer

Story = Callable[[FediPod, Member, Peer], Awaitable[None]]
PROOF_KEY = Ed25519Key.generate()


def with_proof_key(peer: Peer) -> str:
    """Let the peer list a key for proofs; its id."""
    key_id = f"{peer.id}#proofs"
    multikey = {"id": key_id, "type": "Multikey", "controller": peer.id}
    multikey["publicKeyMultibase"] = PROOF_KEY.multikey
    peer.documents[peer.id] = {**peer.actor(), "assertionMethod": [multikey]}
    return key_id


def kept(pod: FediPod, alice: Member) -> list[Any]:
    found = pod.store.resources(alice.id, "/inbox/", after=None, limit=9)
    return [orjson.loads(item.body)["content"] for item in found]


def test_a_forwarded_activity_with_a_valid_proof_stands(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        key_id = with_proof_key(eve)
        url = alice.url((await pod.note(alice)).path)
        like = prove(eve.activity("Like", url), PROOF_KEY, key_id, pod.clock.now())
        assert await pod.post(bob, like) == 202
        assert (await pod.get(f"{url}?c=likes"))[1]["totalItems"] == 1
        forged = {**like, "id": f"{eve.origin}/activities/2"}
        assert await pod.post(bob, forged) == 401

    tell(story)


def test_a_forwarded_post_is_kept_as_its_origin_shows_it(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        url = alice.url((await pod.note(alice)).path)
        true = eve.note(content="<p>true</p>", inReplyTo=url)
        eve.documents[true["id"]] = true
        forged = eve.activity("Create", {**true, "content": "<p>forged</p>"})
        assert await pod.post(bob, forged) == 202
        assert kept(pod, alice) == ["<p>true</p>"]
        real = eve.activity("Create", true)
        assert await pod.post(eve, real) == 202
        assert kept(pod, alice) == ["<p>true</p>"]

    tell(story)


def test_a_forwarded_post_that_its_origin_does_not_know_is_dropped(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        url = alice.url((await pod.note(alice)).path)
        assert await pod.post(bob, eve.activity("Create", eve.note(inReplyTo=url))) == 202
        stolen = {**eve.note(2, inReplyTo=url), "attributedTo": bob.id}
        eve.documents[stolen["id"]] = stolen
        assert await pod.post(bob, eve.activity("Create", stolen, 2)) == 202
        assert kept(pod, alice) == []

    tell(story)


def test_a_forwarded_deletion_counts_when_the_origin_says_so(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        url = alice.url((await pod.note(alice)).path)
        note = eve.note(inReplyTo=url, to=[EVERYBODY])
        eve.documents[note["id"]] = note
        await pod.post(eve, eve.activity("Create", note))
        delete = eve.activity("Delete", note["id"])
        assert await pod.post(bob, delete) == 202
        assert len(kept(pod, alice)) == 1
        eve.documents[note["id"]] = 410
        pod.clock.pass_by(1)
        assert await pod.post(bob, delete) == 202
        assert kept(pod, alice) == []

    tell(story)


def test_other_activities_of_third_parties_need_a_proof(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        for kind in ("Follow", "Like", "Announce", "Undo", "Accept", "Move", "Flag", "Block"):
            assert await pod.post(bob, eve.activity(kind, alice.webid)) == 401
        assert pod.followers.count(alice.id) == 1

    tell(story)


def test_the_same_request_again_does_nothing(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        captured: list[dict[str, str]] = []

        def capture(headers: dict[str, str]) -> dict[str, str]:
            captured.append(headers)
            return captured[0]

        follow = bob.activity("Follow", alice.webid, 5)
        await pod.post(bob, follow, change=capture)
        pod.clock.pass_by(1)
        await pod.post(bob, bob.activity("Undo", follow))
        pod.clock.pass_by(1)
        assert await pod.post(bob, follow, change=capture) == 202
        assert pod.followers.count(alice.id) == 0

    tell(story)


def test_a_flood_from_one_server_is_slowed_down(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        statuses = [
            await pod.post(bob, eve.activity("Create", eve.note(number), number))
            for number in range(130)
        ]
        assert statuses[:120] == [202] * 120
        assert 429 in statuses
        assert await pod.post(eve, eve.activity("Like", alice.webid)) == 202

    tell(story)


def test_a_sender_whose_key_cannot_be_had_is_asked_to_come_again(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        eve.is_down = True
        follow = eve.activity("Follow", alice.webid)
        assert await pod.post(eve, follow) == 503
        eve.is_down = False
        assert await pod.post(eve, follow) == 503
        assert eve.fetched == []
        pod.clock.pass_by(31)
        assert await pod.post(eve, follow) == 202
        assert pod.followers.count(alice.id) == 2

    tell(story)
