"""New keys for a member: peers hear of them by the old key, and everything goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from adapters.activitypub.signature.verify import fits, read
from pod.model.member import Member
from tests.kit.fediverse import FediPod, Peer

Story = Callable[[FediPod, Member, Peer], Awaitable[None]]


async def asked(pod: FediPod, url: str, token: str) -> int:
    parts = urlsplit(url)
    headers = {"Host": parts.netloc, "Authorization": f"Bearer {token}"}
    return (await pod.client.post(parts.path, headers=headers)).status_code


def is_by(request: Any, actor: dict[str, Any], pod: FediPod) -> bool:
    key = load_pem_public_key(actor["publicKey"]["publicKeyPem"].encode())
    return fits(read(request, pod.clock.now()), key)  # type: ignore[arg-type]


def test_new_keys_are_told_by_the_old_one(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        _, before = await pod.get(alice.webid)
        assert await asked(pod, f"{alice.origin}/me/keys", str(alice.id)) == 204
        _, after = await pod.get(alice.webid)
        assert after["publicKey"]["publicKeyPem"] != before["publicKey"]["publicKeyPem"]
        assert after["publicKey"]["id"] == before["publicKey"]["id"]
        assert after["assertionMethod"] != before["assertionMethod"]
        await pod.wing.flush()
        await pod.note(alice)
        await pod.wing.flush()
        update, create = bob.received
        told = orjson.loads(update.body)
        assert (told["type"], told["object"]["publicKey"]) == ("Update", after["publicKey"])
        assert is_by(update, before, pod)
        assert is_by(create, after, pod)

    tell(story)


def test_who_does_not_know_the_old_key_is_told_by_the_new_one(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        assert await asked(pod, f"{alice.origin}/me/keys", str(alice.id)) == 204
        _, after = await pod.get(alice.webid)
        bob.answers = lambda request: 202 if is_by(request, after, pod) else 401
        await pod.wing.flush()
        assert len(bob.received) == 2
        assert pod.wing.backlog() == 0
        assert not pod.wing._wing.hosts.state("peer.test").modern

    tell(story)


def test_nobody_else_changes_keys(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        carol = await pod.member("carol")
        _, before = await pod.get(alice.webid)
        assert await asked(pod, f"{alice.origin}/me/keys", str(carol.id)) == 403
        assert (await pod.get(alice.webid))[1] == before

    tell(story)
