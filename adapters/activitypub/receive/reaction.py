"""Like, Announce and Undo: what actors do to members' posts, and take back.

Spec: https://www.w3.org/TR/activitypub/#like-activity-inbox
"""

from __future__ import annotations

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import PUBLIC
from adapters.activitypub.moderation import hears
from adapters.activitypub.receive.activity import Activity
from adapters.activitypub.receive.relation import undo_relation
from adapters.activitypub.wing import Wing
from pod.model.peer import Edge, EdgeKind


async def on_like(wing: Wing, activity: Activity) -> None:
    """Count a like of a member's post."""
    await _react(wing, activity, "like", is_public=True)


async def on_announce(wing: Wing, activity: Activity) -> None:
    """Count a boost of a member's post; boosts of others' posts are not kept."""
    is_public = PUBLIC in read.recipients(activity.node)
    await _react(wing, activity, "announce", is_public=is_public)


async def on_undo(wing: Wing, activity: Activity) -> None:
    """Take back a follow, like, boost or block of the same actor, named by id or told in full."""
    undone = activity.object
    if undone is not None:
        await wing.followers.remove_follow(activity.actor, undone)
        await wing.edges.remove_activity(activity.actor, undone)
    inner = read.node(activity.node, "object")
    target = read.iri(inner, "object") if inner is not None else None
    if inner is None or target is None or read.iri(inner, "actor") != activity.actor:
        return
    kinds = read.types(inner)
    await undo_relation(wing, activity.actor, kinds, target)
    found = wing.local_object(target)
    if found is not None and "Like" in kinds:
        await wing.edges.remove(found[0].id, found[1].path, "like", activity.actor)
    if found is not None and "Announce" in kinds:
        await wing.edges.remove(found[0].id, found[1].path, "announce", activity.actor)


async def _react(wing: Wing, activity: Activity, kind: EdgeKind, *, is_public: bool) -> None:
    found = wing.local_object(activity.object or "")
    if found is not None and hears(wing, found[0], activity.actor):
        member, resource = found
        edge = Edge(resource.path, kind, activity.actor, "", activity.id, is_public, activity.at)
        await wing.edges.put(member.id, edge)
