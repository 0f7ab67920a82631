"""New keys for a member: peers hear of them by the old key, and everything goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from adapters.activitypub.signature.verify import fits, read
from pod.errors import Throttled
from pod.model.member import Member
from tests.kit.fediverse import KEYS, FediPod, Peer
from tests.kit.house import owner

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


def test_once_a_peer_tells_of_a_new_key_the_old_one_is_good_no_more(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        old, new = KEYS
        note = alice.url((await pod.note(alice)).path)
        assert await pod.post(bob, bob.activity("Like", note)) == 202
        bob.key = new
        bob.documents[bob.id] = bob.actor()
        bob.key = old
        update = bob.activity("Update", bob.actor() | {"name": "Bob"})
        assert await pod.post(bob, update) == 202
        assert await pod.post(bob, bob.activity("Like", note, 2)) == 401
        bob.key = new
        assert await pod.post(bob, bob.activity("Like", note, 3)) == 202

    tell(story)


def test_a_member_gets_a_new_key_by_the_page(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        _, before = await pod.get(alice.webid)
        told = await pod.wing.desk.act(owner(alice), alice, "key", {})
        assert "new signing key" in told
        _, after = await pod.get(alice.webid)
        assert after["publicKey"]["publicKeyPem"] != before["publicKey"]["publicKeyPem"]
        await pod.wing.flush()
        await pod.note(alice)
        await pod.wing.flush()
        update, create = bob.received
        assert (is_by(update, before, pod), is_by(update, after, pod)) == (True, False)
        assert (is_by(create, before, pod), is_by(create, after, pod)) == (False, True)

    tell(story)


def test_keys_do_not_change_faster_than_peers_can_be_told(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        await pod.wing.desk.act(owner(alice), alice, "key", {})
        _, before = await pod.get(alice.webid)
        with pytest.raises(Throttled):
            await pod.wing.desk.act(owner(alice), alice, "key", {})
        assert (await pod.get(alice.webid))[1] == before

    tell(story)
