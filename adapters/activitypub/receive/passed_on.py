"""What a group passes on: an Announce whose object is what somebody else did.

Groups (Lemmy, Mbin, PieFed, NodeBB) tell their followers all that is done in them so. It is taken
for a hint only: what concerns members here is asked for at its own origin; the rest is left alone.

Spec: https://w3id.org/fep/1b12
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.receive import content, forwarded, reaction
from adapters.activitypub.receive.activity import Activity, Handler
from adapters.activitypub.wing import Wing
from pod.errors import Forbidden, Gone, Invalid, TooLarge
from pod.model.ids import Iri

_CHANGES: Final[dict[str, Handler]] = {
    "Create": content.on_create,
    "Update": content.on_update,
    "Delete": content.on_delete,
}
_REACTIONS: Final[dict[str, Handler]] = {"Like": reaction.on_like, "Undo": reaction.on_undo}


async def on_announce(wing: Wing, activity: Activity) -> None:
    """A boost of a post, or what a group passes on; raises PeerUnavailable and Throttled."""
    inner = read.node(activity.node, "object")
    actor = read.iri(inner, "actor") if inner is not None else None
    if inner is None or actor is None:
        await reaction.on_announce(wing, activity)
        return
    told_id = read.id_of(inner)
    kind = next((name for name in (*_CHANGES, *_REACTIONS) if name in read.types(inner)), None)
    if kind is None or told_id is None or wing.is_local(actor) or wing.seen.has(told_id):
        return
    told = Activity(told_id, actor, kind, inner, activity.at)
    believed = await (_change if kind in _CHANGES else _reaction)(wing, told, activity.actor)
    if believed is not None and not wing.seen.has(believed.id):
        await (_CHANGES | _REACTIONS)[kind](wing, believed)
        await wing.seen.add(activity.at, believed.id)


async def _change(wing: Wing, told: Activity, group: Iri) -> Activity | None:
    """A post that members hold, or that answers or names one, as its origin has it now."""
    about = told.object
    if about is None or wing.is_local(about):
        return None
    author = next(filter(None, (herald.author_of(about) for herald in wing.heralds)), None)
    if author is None and wing.edges.about(told.actor, about):
        author = told.actor
    if author is None and (told.kind == "Delete" or not _is_for_members(wing, told.node)):
        return None
    forwarded.limit(wing, group)
    if told.kind == "Delete" and author is not None:
        told = replace(told, actor=author)  # those who look after a group delete others' posts
    return await forwarded.believed(wing, told)


async def _reaction(wing: Wing, told: Activity, group: Iri) -> Activity | None:
    """A like of a member's post, or its end, if its actor's own server shows it."""
    inner = read.node(told.node, "object") or {}
    liked = told.object if told.kind == "Like" else read.iri(inner, "object")
    if wing.local_object(liked or "") is None or not read.same_origin(told.id, told.actor):
        return None
    forwarded.limit(wing, group)
    try:
        found = await wing.actors.document(told.id)
    except (Gone, Invalid, Forbidden, TooLarge):
        return None
    is_same = read.iri(found, "actor") == told.actor and read.iri(found, "object") == told.object
    return replace(told, node=found) if is_same and told.kind in read.types(found) else None


def _is_for_members(wing: Wing, inner: Node) -> bool:
    """Whether a post answers or names a member, as far as the group says."""
    post = read.node(inner, "object") or {}
    if wing.local_object(read.iri(post, "inReplyTo") or "") is not None:
        return True
    return any(wing.local_actor(name) is not None for name in content.named(inner, post))
