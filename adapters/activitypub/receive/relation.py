"""Follow, Accept, Reject: who follows a member, and who lets a member follow.

Spec: https://www.w3.org/TR/activitypub/#follow-activity-inbox
"""

from __future__ import annotations

import hashlib
from typing import Any

from adapters.activitypub.deliver.outgoing import outgoing
from adapters.activitypub.jsonld import read
from adapters.activitypub.lens import index, profile
from adapters.activitypub.lens.act import FOLLOWS
from adapters.activitypub.receive.activity import Activity
from adapters.activitypub.wing import Wing
from pod.model.ids import Iri, MemberId
from pod.model.member import Member
from pod.model.peer import Edge, Follower
from pod.model.resource import Resource, ResourcePath


async def on_follow(wing: Wing, activity: Activity) -> None:
    """Add a follower and accept, or hold the wish for a member who approves by hand."""
    member = wing.local_actor(activity.object or "")
    if member is None:
        return
    actor = await wing.actors.actor(activity.actor)
    accepted = not profile.holds_follows(wing.presented(member).complement)
    follower = Follower(
        actor.id, actor.inbox, actor.shared_inbox, activity.id, accepted, activity.at
    )
    await wing.followers.put(member.id, follower)
    if accepted:
        await answer_follow(wing, member, follower, "Accept")


async def on_follow_again(wing: Wing, activity: Activity) -> None:
    """Repeat the answer to a follow that stands: its first one may have been lost."""
    member = wing.local_actor(activity.object or "")
    held = wing.followers.get(member.id, activity.actor) if member is not None else None
    if member is None or held is None or held.follow_id != activity.id or not held.accepted:
        return
    await answer_follow(wing, member, held, "Accept")


async def answer_follow(wing: Wing, member: Member, follower: Follower, kind: str) -> None:
    """Tell a follower Accept or Reject; the same answer to the same follow is one activity."""
    follow = {
        "id": follower.follow_id,
        "type": "Follow",
        "actor": follower.actor,
        "object": member.webid,
    }
    digest = hashlib.sha256(follower.follow_id.encode()).hexdigest()[:32]
    activity = index.answer(kind, follow, member.webid, f"{member.webid}#{kind.lower()}/{digest}")
    told = await outgoing(wing, member, index.document(activity), [follower.inbox])
    await wing.queue.enqueue([told], wing.clock.now())
    wing.outgoing.set()


async def on_accept(wing: Wing, activity: Activity) -> None:
    """Note that an actor lets a member follow; only the followed one may say so."""
    found = _own_follow(wing, activity)
    if found is not None:
        member, path = found
        edge = Edge(path, "accept", activity.actor, "", activity.id, True, activity.at)
        await wing.edges.put(member, edge)


async def on_reject(wing: Wing, activity: Activity) -> None:
    """Note that an actor does not, or no longer, let a member follow."""
    found = _own_follow(wing, activity)
    if found is not None:
        member, path = found
        await wing.edges.remove(member, path, "accept", activity.actor)


def _own_follow(wing: Wing, activity: Activity) -> tuple[MemberId, ResourcePath] | None:
    """The follow of ours that an answer is about: by its id, or by who follows whom."""
    inner: dict[str, Any] = read.node(activity.node, "object") or {}
    follower = wing.local_actor(read.iri(inner, "actor") or "")
    if follower is None:
        follower = _author_of(wing, activity.object or "")
    if follower is None:
        return None
    paths = wing.reader.about(follower.id, FOLLOWS, activity.actor)
    return (follower.id, paths[-1]) if paths else None


def _author_of(wing: Wing, follow: str) -> Member | None:
    """The member whose follow has this id."""
    for path in (FOLLOWS, "/repo/app.bsky.graph.follow/"):
        origin, found, _ = follow.partition(path)
        if found:
            return wing.local_actor(f"{origin}/me")
    return None


def accepted_follow(wing: Wing, member: Member, follow: Resource, actor: Iri) -> bool:
    """Whether the followed actor said yes."""
    return wing.edges.held(member.id, follow.path, "accept", actor) is not None
