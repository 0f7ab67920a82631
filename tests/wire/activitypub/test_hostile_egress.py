"""No document, activity or signature makes the pod connect to a place that is not for it."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from typing import Any

import pytest

from adapters.activitypub.addresses import find
from adapters.http.fetch import Fetch, Fetched
from pod.errors import PodError
from pod.model.ids import Iri
from pod.model.member import Member
from pod.settings import Egress
from tests.kit.egress_spy import connections
from tests.kit.fediverse import EVERYBODY, FediPod, Peer
from tests.kit.house import owner

Story = Callable[[FediPod, Member, Peer], Awaitable[None]]

PLACES = (
    "https://127.0.0.1/x", "https://127.1/x", "https://0x7f000001/x", "https://2130706433/x",
    "https://0177.0.0.1/x", "https://[::1]/x", "https://[::ffff:127.0.0.1]/x",
    "https://[::ffff:7f00:1]/x", "https://[64:ff9b::7f00:1]/x", "https://[2002:7f00:1::]/x",
    "https://[fe80::1]/x", "https://[fd00::1]/x", "https://10.0.0.1/x", "https://172.16.0.1/x",
    "https://192.168.1.1/x", "https://169.254.169.254/latest/meta-data/", "https://100.64.0.1/x",
    "https://0.0.0.0/x", "https://224.0.0.1/x", "https://192.0.0.1/x", "https://198.18.0.1/x",
    "https://localhost/x", "https://inward.test/x", "https://rebound.test/x", "https://six.test/x",
    "https://public.test:22/x", "https://public.test:8080/x", "http://public.test/x",
    "https://user:pass@public.test/x", "file:///etc/passwd", "gopher://127.0.0.1/x",
    "data:application/activity+json,{}", "https://127.0.0.1.:443/x", "https://①②⑦.0.0.1/x",
)  # fmt: skip
"""Addresses and names; only what these names lead to is not public.test is refused by itself."""

INWARD = {"localhost": ["127.0.0.1"], "inward.test": ["10.0.0.7"], "six.test": ["::ffff:10.0.0.7"]}


class LyingNames:
    """A resolver that answers inward, of one name only at the second look."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        if host == "rebound.test":
            return ["127.0.0.1"]
        if host in INWARD:
            return INWARD[host]
        raise socket.gaierror("no such name")


class Counted(Fetch):
    """The real egress, which keeps what it is asked for."""

    def __init__(self) -> None:
        super().__init__(Egress(fetch_timeout_s=2.0), lookup=LyingNames())
        self.asked: list[str] = []

    async def get(self, url: str, *args: Any, **more: Any) -> Fetched:
        self.asked.append(url)
        return await super().get(url, *args, **more)

    async def post(self, url: str, *args: Any, **more: Any) -> Fetched:
        self.asked.append(url)
        return await super().post(url, *args, **more)


def through(pod: FediPod) -> Counted:
    """Let the pod go out by the real egress wherever the test's own network ends."""
    pod.network.beyond = counted = Counted()
    return counted


numbers = count(10)


async def key_id(pod: FediPod, alice: Member, bob: Peer, place: str) -> None:
    """CVE-2024-39687, CVE-2026-34148 (Fedify): the key of a signature."""
    await pod.post(bob, bob.activity("Follow", alice.webid, next(numbers)), key_id=place)


async def key_and_actor(pod: FediPod, alice: Member, bob: Peer, place: str) -> None:
    """The actor and id of an activity, with a key there."""
    forged = {**bob.activity("Follow", alice.webid, next(numbers)), "id": place, "actor": place}
    await pod.post(bob, forged, key_id=f"{place}#main-key")


async def object_by_id(pod: FediPod, alice: Member, bob: Peer, place: str) -> None:
    """An object that is to be asked for."""
    for kind in ("Create", "Update", "Announce", "Like", "Delete"):
        await pod.post(bob, bob.activity(kind, place, next(numbers), to=[EVERYBODY, alice.webid]))


async def forwarded_object(pod: FediPod, alice: Member, bob: Peer, place: str) -> None:
    """An object of a third party that is to be asked for at its origin."""
    created = {**bob.activity("Create", place), "id": place, "actor": place}
    await pod.post(bob, created)


async def inboxes(pod: FediPod, alice: Member, bob: Peer, place: str) -> None:
    """The inboxes of a follower."""
    for name in ("inbox", "endpoints"):
        value = place if name == "inbox" else {"sharedInbox": place}
        mallory = Peer(f"mallory{next(numbers)}", bob.origin)
        bob.documents[mallory.id] = mallory.actor() | {name: value}
        await pod.post(mallory, mallory.activity("Follow", alice.webid, next(numbers)))
    await pod.wing.flush()
    await pod.note(alice)
    await pod.wing.flush()


async def followed(pod: FediPod, alice: Member, bob: Peer, place: str) -> None:
    """What a member's client asks to follow, like or boost."""
    for act in (pod.wing.social.follow, pod.wing.social.like, pod.wing.social.announce):
        with suppress(PodError):
            await act(owner(alice), alice, Iri(place))


async def moved(pod: FediPod, alice: Member, bob: Peer, place: str) -> None:
    """The target of a Move."""
    await pod.wing.social.follow(owner(alice), alice, bob.id)
    await pod.post(bob, bob.activity("Move", bob.id, next(numbers), target=place))


async def synchronised(pod: FediPod, alice: Member, bob: Peer, place: str) -> None:
    """The URL of a followers' digest."""
    told = f'collectionId="{bob.id}/followers", url="{place}", digest="00"'
    pod.clock.pass_by(3_601)
    note = bob.note(next(numbers), to=[alice.webid])
    header = {"Collection-Synchronization": told}
    create = bob.activity("Create", note, next(numbers))
    await pod.post(bob, create, change=lambda headers: headers | header)


async def proven(pod: FediPod, alice: Member, bob: Peer, place: str) -> None:
    """The key of a proof inside a forwarded activity."""
    proof = {
        "type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofValue": "z3",
        "created": "2026-11-24T12:00:00Z", "proofPurpose": "assertionMethod",
        "verificationMethod": place,
    }  # fmt: skip
    forged = {**bob.activity("Like", alice.webid), "id": place, "actor": place, "proof": proof}
    await pod.post(bob, forged)


async def addressed(pod: FediPod, alice: Member, bob: Peer, place: str) -> None:
    """The address that an actor claims, and the name that a person goes by."""
    host = place.partition("://")[2].rpartition("/")[0]
    bob.documents[bob.id] = bob.actor() | {"webfinger": f"bob@{host}"}
    with suppress(PodError):
        await pod.wing._wing.actors.actor(bob.id, fresh=True)
    link = {"rel": "self", "type": "application/activity+json", "href": place}
    for subject in (f"acct:bob@{host}", "acct:bob@peer.test"):
        url = f"{bob.origin}/.well-known/webfinger?resource=acct:bob@peer.test"
        bob.documents[url] = {"subject": subject, "links": [link]}
        with suppress(PodError):
            await pod.wing.acts.follow(
                owner(alice), alice, await find(pod.wing._wing, "bob@peer.test")
            )


VECTORS: tuple[Callable[[FediPod, Member, Peer, str], Awaitable[None]], ...] = (
    key_id, key_and_actor, object_by_id, forwarded_object, inboxes, followed, moved, synchronised,
    proven, addressed,
)  # fmt: skip


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.__name__)
def test_nothing_leads_inward(tell: Callable[[Story], None], vector: Any) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        egress = through(pod)
        with connections() as seen:
            for place in PLACES:
                await vector(pod, alice, bob, place)
        await egress.close()
        assert seen == []
        # The URL of a digest and the key of a proof must be of their actor's own server.
        is_local_only = vector in (synchronised, forwarded_object)
        assert is_local_only or len(egress.asked) > len(PLACES) // 2

    tell(story)


def test_the_spy_sees_what_is_connected_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, connections() as seen:
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port)).close()
    assert seen == [f"127.0.0.1:{port}"]


def test_no_context_is_ever_fetched(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        through(pod)
        bob.fetched.clear()
        url = alice.url((await pod.note(alice)).path)
        contexts: list[Any] = [
            "https://www.w3.org/ns/activitystreams", "https://unknown.test/context",
            f"{bob.origin}/context", {"toot": "http://joinmastodon.org/ns#"},
        ]  # fmt: skip
        with connections() as seen:
            for number, context in enumerate([*contexts, contexts]):
                note = {**bob.note(number, inReplyTo=url), "@context": context}
                activity = bob.activity("Create", note, number) | {"@context": context}
                assert await pod.post(bob, activity) == 202
            bob.documents[bob.id] = bob.actor() | {"@context": contexts}
            pod.clock.pass_by(90_000)
            assert await pod.post(bob, bob.activity("Like", url)) == 202
            await pod.get(url)
            await pod.get(alice.webid)
        assert seen == []
        assert bob.fetched == [bob.id]
        assert (await pod.get(f"{url}?c=replies"))[1]["totalItems"] == len(contexts) + 1

    tell(story)
