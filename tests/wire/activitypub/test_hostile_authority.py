"""Published failures of other servers, each tried here: refused, and nothing is changed.

Every case names the advisory, or the class of advisories, that it was built from.
"""

from __future__ import annotations

import gzip
import hashlib
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest

from pod.model.ids import Iri
from pod.model.member import Member
from tests.kit.fediverse import AS2, EVERYBODY, KEYS, FediPod, Peer, rfc9421
from tests.kit.house import owner

Story = Callable[[FediPod, Member, Peer], Awaitable[None]]
Case = Callable[[FediPod, Member, Peer, Peer, str], Awaitable[int | None]]


def state(pod: FediPod, alice: Member) -> object:
    """All of a member that others could have touched."""
    return [
        pod.store.resources(alice.id, prefix, after=None, limit=99)
        for prefix in ("/repo/", "/data/", "/profile/", "/inbox/")
    ] + [pod.followers.page(alice.id, after="", limit=99)]


async def a_foreign_actor_document(
    pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str
) -> int:
    """CVE-2024-23832 (Mastodon): a document of one origin that calls itself another's."""
    eve.documents[eve.id] = eve.actor() | {"id": bob.id}
    return await pod.post(eve, bob.activity("Like", post), key_id=eve.key_id)


async def a_key_of_another_owner(
    pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str
) -> int:
    """CVE-2025-54888 (Fedify): the key is right, but of somebody else than the actor."""
    return await pod.post(eve, bob.activity("Like", post))


async def a_key_that_claims_an_owner(
    pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str
) -> int:
    """Key confusion: an actor lists a key and says that it is another's."""
    actor = eve.actor()
    actor["publicKey"]["owner"] = bob.id
    eve.documents[eve.id] = actor
    return await pod.post(eve, bob.activity("Like", post), key_id=eve.key_id)


async def a_key_listed_under_anothers_id(
    pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str
) -> int:
    """Key confusion: an actor lists their key under the id of another's."""
    actor = eve.actor()
    actor["publicKey"]["id"] = bob.key_id
    eve.documents[eve.id] = actor
    return await pod.post(eve, bob.activity("Like", post), key_id=bob.key_id)


async def no_signature(pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str) -> int:
    """CVE-2026-28432 (Misskey), Takahe: what is not signed at all."""
    drop = lambda headers: {k: v for k, v in headers.items() if k != "Signature"}  # noqa: E731
    return await pod.post(eve, bob.activity("Like", post), change=drop)


async def an_unsigned_delete(pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str) -> int:
    """A Delete without a signature of an actor who is there."""
    drop = lambda headers: {k: v for k, v in headers.items() if k != "Signature"}  # noqa: E731
    return await pod.post(bob, bob.activity("Delete", bob.id), change=drop)


async def two_signatures(pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str) -> int:
    """Two schemes at once: the weaker one must not stand for the stronger."""

    def both(headers: dict[str, str]) -> dict[str, str]:
        return headers | {"Signature-Input": "sig1=()", "Signature": "sig1=:AAAA:"}

    return await pod.post(bob, bob.activity("Like", post), change=both)


async def a_signature_of_a_fetch(
    pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str
) -> int:
    """A signature that covers no digest, as of a GET."""

    def uncovered(headers: dict[str, str]) -> dict[str, str]:
        return headers | {"Signature": headers["Signature"].replace(" digest", "")}

    return await pod.post(bob, bob.activity("Like", post), change=uncovered)


async def another_body(pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str) -> int:
    """The digest of another body than the one that is sent."""
    body = orjson.dumps(bob.activity("Like", post, 5))
    return await pod.post(bob, bob.activity("Like", post), body=body)


async def another_body_with_its_digest(
    pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str
) -> int:
    """A right digest, which is not the signed one."""
    body = orjson.dumps(bob.activity("Like", post, 5))
    digest = "SHA-256=" + b64encode(hashlib.sha256(body).digest()).decode()
    swap = lambda headers: headers | {"Digest": digest}  # noqa: E731
    return await pod.post(bob, bob.activity("Like", post), body=body, change=swap)


async def another_inbox(pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str) -> int:
    """A request that was signed for another host."""
    host = alice.origin.split("://")[1]
    moved = lambda headers: headers | {"Host": host}  # noqa: E731
    return await pod.post(bob, bob.activity("Like", post), change=moved)


async def another_algorithm(pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str) -> int:
    """An algorithm that is not the key's."""
    swap = lambda headers: {  # noqa: E731
        **headers, "Signature": headers["Signature"].replace("rsa-sha256", "hmac-sha256")
    }  # fmt: skip
    return await pod.post(bob, bob.activity("Like", post), change=swap)


async def an_id_of_another_origin(
    pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str
) -> int:
    """GHSA-37r7-jqmr-3472 (Bridgy Fed): the id of the activity is not of its actor's origin."""
    return await pod.post(eve, eve.activity("Like", post) | {"id": f"{bob.origin}/likes/1"})


async def a_compressed_bomb(pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str) -> int:
    """A compressed body: inboxes take none, so there is nothing to blow up."""
    body = gzip.compress(b"[" * 10_000_000)
    packed = lambda headers: headers | {"Content-Encoding": "gzip"}  # noqa: E731
    return await pod.post(bob, {}, body=body, change=packed)


async def a_web_page(pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str) -> int:
    """CVE-2024-25623 (Mastodon), Pleroma: an uploaded file served as something else."""
    eve.content_type = "application/octet-stream"
    return await pod.post(eve, eve.activity("Like", post))


async def a_json_type_with_another_profile(
    pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str
) -> int:
    """The same, by a JSON-LD type that does not say ActivityStreams."""
    eve.content_type = 'application/ld+json; profile="http://www.w3.org/ns/anno.jsonld"'
    return await pod.post(eve, eve.activity("Like", post))


REFUSED: tuple[Case, ...] = (
    a_foreign_actor_document, a_key_of_another_owner, a_key_that_claims_an_owner,
    a_key_listed_under_anothers_id, no_signature, an_unsigned_delete, two_signatures,
    a_signature_of_a_fetch, another_body, another_body_with_its_digest, another_inbox,
    another_algorithm, an_id_of_another_origin, a_compressed_bomb, a_web_page,
    a_json_type_with_another_profile,
)  # fmt: skip


async def a_wrapped_forgery(pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str) -> None:
    """A Create of one's own around a note of somebody else."""
    note = bob.note(7, "<p>forged</p>", inReplyTo=post)
    await pod.post(eve, eve.activity("Create", note))


async def a_boosted_forgery(pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str) -> None:
    """An Announce that carries a forged copy of what it announces."""
    note = bob.note(7, "<p>forged</p>", inReplyTo=post, to=[EVERYBODY, alice.webid])
    await pod.post(eve, eve.activity("Announce", bob.activity("Create", note)))
    await pod.post(eve, eve.activity("Announce", note, 2))


async def a_stolen_edit(pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str) -> None:
    """An Update of what somebody else wrote, also under one's own name."""
    note = bob.note(1, "<p>forged</p>", inReplyTo=post, updated="2027-01-01T00:00:00Z")
    await pod.post(eve, eve.activity("Update", note))
    await pod.post(eve, eve.activity("Update", note | {"attributedTo": eve.id}, 2))


async def a_stolen_profile(pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str) -> None:
    """An Update of another's actor, with another key."""
    await pod.post(
        eve, eve.activity("Update", bob.actor() | {"publicKey": eve.actor()["publicKey"]})
    )
    assert await pod.post(bob, bob.activity("Dance", post, 90)) == 202


async def a_strangers_delete(pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str) -> None:
    """A Delete of what somebody else wrote, and of somebody else."""
    await pod.post(eve, eve.activity("Delete", bob.note(1)["id"]))
    await pod.post(eve, eve.activity("Delete", bob.id, 2))


async def a_strangers_undo(pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str) -> None:
    """An Undo of another's follow, by its id and told in full."""
    follow = bob.activity("Follow", alice.webid)
    await pod.post(eve, eve.activity("Undo", follow))
    await pod.post(eve, eve.activity("Undo", follow["id"], 2))
    await pod.post(eve, eve.activity("Undo", follow | {"actor": eve.id}, 3))


async def a_move_without_consent(
    pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str
) -> None:
    """A Move to an actor who does not say that they are the same, and one of somebody else."""
    await pod.post(bob, bob.activity("Move", bob.id, target=eve.id))
    await pod.post(eve, eve.activity("Move", bob.id, target=eve.id))


async def an_inbox_elsewhere(pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str) -> None:
    """An actor whose inbox is somebody else's server."""
    mallory = Peer("mallory", eve.origin, KEYS[1])
    eve.documents[mallory.id] = mallory.actor() | {"inbox": f"{bob.id}/inbox"}
    assert await pod.post(mallory, mallory.activity("Follow", alice.webid)) == 401


async def a_linked_data_signature(
    pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str
) -> None:
    """CVE-2026-42462 (Fedify), CVE-2026-46349 (Mastodon): LD signatures give no authority."""
    signature = {
        "type": "RsaSignature2017", "creator": bob.key_id, "created": "2026-11-24T12:00:00Z",
        "signatureValue": "AAAA",
    }  # fmt: skip
    forged = bob.activity("Like", post) | {"signature": signature}
    assert await pod.post(eve, forged) == 401


async def a_member_in_disguise(
    pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str
) -> None:
    """What claims to be of a member of this pod, from outside."""
    forged = {"@context": AS2, "id": f"{alice.origin}/likes/1", "type": "Like",
              "actor": alice.webid, "object": post}  # fmt: skip
    assert await pod.post(eve, forged) == 401
    note = eve.note(8, inReplyTo=post) | {"attributedTo": alice.webid}
    await pod.post(eve, eve.activity("Create", note))


async def a_size_bomb(pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str) -> None:
    """CVE-2026-23962 and others (Mastodon): lists without end. Only a hundred are looked at."""
    many = [f"{eve.origin}/users/{n}" for n in range(3_000)]
    fetched = len(eve.fetched)
    await pod.post(eve, eve.activity("Create", eve.note(9, to=many), cc=many))
    await pod.post(eve, eve.activity("Like", many, 10))
    await pod.post(eve, eve.activity("Flag", many, 11))
    assert len(eve.fetched) - fetched <= 2


async def a_thread_without_end(
    pod: FediPod, alice: Member, bob: Peer, eve: Peer, post: str
) -> None:
    """Answers to answers: what is asked for does not grow with the thread."""
    for number in range(100, 200):
        parent = f"{eve.origin}/notes/{number + 1}"
        eve.documents[f"{eve.origin}/notes/{number}"] = eve.note(number, inReplyTo=parent)
    fetched = len(eve.fetched)
    first = eve.note(100, inReplyTo=f"{eve.origin}/notes/101", to=[alice.webid])
    assert await pod.post(eve, eve.activity("Create", first)) == 202
    assert len(eve.fetched) - fetched <= 12
    kept = pod.store.about(alice.id, "/inbox/", first["id"])
    await pod.post(eve, eve.activity("Delete", first["id"]))
    assert len(kept) == 1


IGNORED: tuple[Callable[..., Awaitable[None]], ...] = (
    a_wrapped_forgery, a_boosted_forgery, a_stolen_edit, a_stolen_profile, a_strangers_delete,
    a_strangers_undo, a_move_without_consent, an_inbox_elsewhere, a_linked_data_signature,
    a_member_in_disguise, a_size_bomb, a_thread_without_end,
)  # fmt: skip


async def scene(pod: FediPod, alice: Member, bob: Peer) -> tuple[Peer, str]:
    """Bob answered a post; eve is a stranger with a right key of her own."""
    eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
    post = alice.url((await pod.note(alice)).path)
    await pod.wing.social.follow(owner(alice), alice, bob.id)
    assert await pod.post(bob, bob.activity("Create", bob.note(1, inReplyTo=post))) == 202
    return eve, post


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.__name__)
def test_it_is_refused(tell: Callable[[Story], None], case: Case) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve, post = await scene(pod, alice, bob)
        before = state(pod, alice)
        assert await case(pod, alice, bob, eve, post) in (400, 401, 404)
        assert state(pod, alice) == before
        assert (await pod.get(f"{post}?c=likes"))[1]["totalItems"] == 0

    tell(story)


@pytest.mark.parametrize("case", IGNORED, ids=lambda case: case.__name__)
def test_it_changes_nothing(tell: Callable[[Story], None], case: Any) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve, post = await scene(pod, alice, bob)
        before = state(pod, alice)
        await case(pod, alice, bob, eve, post)
        assert state(pod, alice) == before
        assert (await pod.get(f"{post}?c=likes"))[1]["totalItems"] == 0
        assert (await pod.get(f"{post}?c=replies"))[1]["first"]["items"] == [bob.note(1)["id"]]
        key = await pod.wing._wing.actors.actor_key(bob.key_id, fresh=False)
        assert key.owner == Iri(bob.id)

    tell(story)


def test_the_right_requests_of_the_same_scene_are_taken(tell: Callable[[Story], None]) -> None:
    """So that the refusals above are for what is wrong with them."""

    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve, post = await scene(pod, alice, bob)
        assert await pod.post(eve, eve.activity("Like", post)) == 202
        assert await pod.post(bob, bob.activity("Like", post), scheme=rfc9421) == 202
        assert (await pod.get(f"{post}?c=likes"))[1]["totalItems"] == 2

    tell(story)
