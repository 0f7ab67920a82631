"""Whom a member blocks reads nothing under their own name, also where everybody may read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.activitypub.signature import cavage, rfc9421
from pod.model.member import Member
from tests.kit.fediverse import FediPod, Peer, fedi_pod
from tests.kit.house import owner
from tests.wire.activitypub.conftest import Story


@dataclass
class OtherKey(Peer):
    """A peer whose key has a document of its own, as GoToSocial's have."""

    @property
    def key_id(self) -> str:
        return f"{self.id}/main-key"

    def actor(self) -> dict[str, Any]:
        actor = super().actor()
        self.documents[self.key_id] = actor
        return actor


async def seen(pod: FediPod, peer: Peer, alice: Member, scheme: Any = cavage) -> set[int]:
    """How a peer's signed requests for what anybody may read are answered."""
    post = alice.url((await pod.note(alice)).path)
    urls = (post, f"{post}?c=replies", f"{alice.origin}/outbox", f"{alice.origin}/featured")
    return {(await pod.signed_get(peer, url, scheme=scheme))[0] for url in urls}


@pytest.mark.parametrize("scheme", [cavage, rfc9421])
def test_the_blocked_get_404_when_they_say_who_they_are(
    tell: Callable[[Story], None], scheme: Any
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        sue = Peer("sue")
        assert await seen(pod, bob, alice, scheme) == {200}
        await pod.wing.shield.block(owner(alice), alice, bob.id)
        assert await seen(pod, bob, alice, scheme) == {404}
        assert await seen(pod, sue, alice, scheme) == {200}
        status, actor = await pod.signed_get(bob, alice.webid, scheme=scheme)
        assert (status, "publicKey" in actor, "summary" in actor) == (200, True, True)
        post = alice.url((await pod.note(alice)).path)
        assert (await pod.get(post))[0] == 200
        await pod.wing.shield.undo(owner(alice), alice, "block", bob.id)
        assert await seen(pod, bob, alice, scheme) == {200}

    tell(story)


def test_nobody_of_a_blocked_server_gets_more_and_nobody_is_asked(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        carol = await pod.member("carol")
        await pod.wing.shield.block_domain(owner(alice), alice, "peer.test")
        bob.fetched.clear()
        stranger = Peer("instance", "http://sub.peer.test")
        assert await seen(pod, stranger, alice) == {404}
        assert await seen(pod, stranger, carol) == {200}
        assert bob.fetched == []

    tell(story)


def test_a_key_with_a_document_of_its_own_is_followed_to_its_owner(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        gus = pod.network.add(OtherKey("gus", "http://gts.test"))
        assert await seen(pod, gus, alice) == {200}
        await pod.wing.shield.block(owner(alice), alice, gus.id)
        assert await seen(pod, gus, alice) == {404}
        gus.is_down = True
        nobody = OtherKey("nobody", "http://gts.test")
        assert await seen(pod, nobody, alice) == {200}

    tell(story)


def test_in_secure_mode_the_blocked_get_what_verifies_a_block_and_no_more(tmp_path: Path) -> None:
    async def story() -> None:
        async with fedi_pod(tmp_path, secure=True) as pod:
            alice, bob = await pod.member(), pod.network.add(Peer())
            await pod.wing.shield.block(owner(alice), alice, bob.id)
            assert await seen(pod, bob, alice) == {404}
            status, actor = await pod.signed_get(bob, alice.webid)
            assert (status, "publicKey" in actor, "summary" in actor) == (200, True, False)

    asyncio.run(story())
