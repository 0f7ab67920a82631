"""Whatever the order in which activities come, the same stands at the end."""

from __future__ import annotations

import asyncio
from itertools import permutations
from pathlib import Path
from typing import Any

import orjson
import pytest

from pod.model.member import Member
from tests.kit.fediverse import EVERYBODY, FediPod, Peer, fedi_pod

Activities = list[dict[str, Any]]


def reactions(bob: Peer, alice: Member, post: str) -> Activities:
    """A like and a boost, each taken back, and a reply that stands."""
    told: Activities = []
    for kind, about in (("Like", post), ("Announce", post)):
        done = bob.activity(kind, about, to=[EVERYBODY])
        told += [done, bob.activity("Undo", done, len(told) + 10)]
    return [*told, bob.activity("Create", bob.note(inReplyTo=post))]


def follows(bob: Peer, alice: Member, post: str) -> Activities:
    """A follow taken back by its id, and one that stands of somebody else."""
    ann = bob.activity("Follow", alice.webid)
    return [ann, bob.activity("Undo", ann["id"]), bob.activity("Like", post)]


def a_reply(bob: Peer, alice: Member, post: str) -> Activities:
    """A reply with two edits."""
    edits = [
        bob.note(content=f"<p>{n}</p>", inReplyTo=post, updated=f"2026-11-24T11:0{n}:00Z")
        for n in (1, 2)
    ]
    made = bob.activity("Create", bob.note(inReplyTo=post))
    return [made, *(bob.activity("Update", edit, n) for n, edit in enumerate(edits))]


def a_deleted_reply(bob: Peer, alice: Member, post: str) -> Activities:
    """The same, deleted."""
    tombstone = {"id": bob.note()["id"], "type": "Tombstone"}
    return [*a_reply(bob, alice, post), bob.activity("Delete", tombstone)]


def farewell(bob: Peer, alice: Member, post: str) -> Activities:
    """All of it, of somebody who leaves."""
    return [
        bob.activity("Follow", alice.webid),
        bob.activity("Like", post),
        bob.activity("Delete", bob.id),
    ]


STORIES = (reactions, follows, a_reply, a_deleted_reply, farewell)


def state(pod: FediPod, alice: Member, post: str) -> object:
    """What a member has of others, without what only tells when it came."""
    held = pod.store.resources(alice.id, "/inbox/", after=None, limit=99)
    path = alice.path(post)
    assert path is not None
    kinds = ("like", "announce", "reply")
    return (
        [orjson.loads(item.body) for item in held],
        [(kind, pod.edges.count(alice.id, path, kind)) for kind in kinds],  # type: ignore[arg-type]
        pod.followers.count(alice.id),
    )


@pytest.mark.parametrize("story", STORIES)
def test_every_order_ends_in_the_same_state(tmp_path: Path, story: Any) -> None:
    async def tried() -> list[object]:
        ends = []
        async with fedi_pod(tmp_path) as pod:
            for number in range(len(list(permutations(story(Peer(), *await made(pod, "nobody")))))):
                alice, post = await made(pod, f"alice{number}")
                bob = pod.network.add(Peer(origin=f"http://peer{number}.test"))
                order = list(permutations(story(bob, alice, post)))[number]
                assert await pod.post(bob, bob.activity("Dance", post, 99)) == 202
                if story is farewell:
                    bob.documents[bob.id] = 410
                for activity in order:
                    pod.clock.pass_by(1)
                    assert await pod.post(bob, activity) == 202
                text = orjson.dumps(state(pod, alice, post), default=str).decode()
                ends.append(text.replace(bob.origin, "").replace(alice.origin, ""))
        return ends

    ends = asyncio.run(tried())
    assert len(ends) > 1
    keyless = {end.replace(end[end.find("/repo/") :][:40], "") for end in ends}
    assert len(keyless) == 1


async def made(pod: FediPod, name: str) -> tuple[Member, str]:
    """A member and a post of theirs."""
    member = await pod.member(name)
    return member, member.url((await pod.note(member)).path)


def test_a_follow_may_come_back_under_the_same_id(tmp_path: Path) -> None:
    async def tried() -> None:
        async with fedi_pod(tmp_path) as pod:
            alice, bob = await pod.member(), pod.network.add(Peer())
            follow = bob.activity("Follow", alice.webid)
            for number in range(3):
                pod.clock.pass_by(1)
                await pod.post(bob, follow)
                assert pod.followers.count(alice.id) == 1
                await pod.post(bob, bob.activity("Undo", follow, number))
                assert pod.followers.count(alice.id) == 0

    asyncio.run(tried())


def test_who_said_farewell_may_return(tmp_path: Path) -> None:
    async def tried() -> None:
        async with fedi_pod(tmp_path) as pod:
            alice, bob = await pod.member(), pod.network.add(Peer())
            await pod.post(bob, bob.activity("Delete", bob.id))
            pod.clock.pass_by(1)
            assert await pod.post(bob, bob.activity("Follow", alice.webid)) == 202
            assert pod.followers.count(alice.id) == 1

    asyncio.run(tried())


def test_a_mark_binds_only_who_made_it(tmp_path: Path) -> None:
    async def tried() -> None:
        async with fedi_pod(tmp_path) as pod:
            alice, bob = await pod.member(), pod.network.add(Peer())
            mallory = Peer("mallory", bob.origin)
            bob.documents[mallory.id] = mallory.actor()
            follow = bob.activity("Follow", alice.webid)
            await pod.post(mallory, mallory.activity("Undo", follow["id"], 7))
            await pod.post(mallory, mallory.activity("Delete", bob.note()["id"], 8))
            await pod.post(bob, follow)
            note = bob.note(to=[EVERYBODY, alice.webid])
            await pod.post(bob, bob.activity("Create", note))
            assert pod.followers.count(alice.id) == 1
            assert len(pod.store.about(alice.id, "/inbox/", note["id"])) == 1

    asyncio.run(tried())
