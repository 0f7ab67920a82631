"""Activities in any order: what was undone or deleted before it was heard of does not come back.

Peers send from many workers: an Undo may overtake its Like, a Delete its Create. Marks of both lie
among the seen ids, for as long as those. They bind only the actor who made them.

Spec: https://www.w3.org/TR/activitypub/#undo-activity-inbox
"""

from __future__ import annotations

from datetime import UTC, datetime

from adapters.activitypub.jsonld import read
from adapters.activitypub.receive.activity import Activity
from adapters.activitypub.wing import Wing
from pod.errors import Gone, Invalid
from pod.model.ids import Iri, parse_datetime

_MAKING = frozenset({"Create", "Update"})


async def is_too_late(wing: Wing, activity: Activity) -> bool:
    """Whether an activity was undone, its object deleted, or its actor gone, before it came.

    Raises what fetching raises, for an actor who said farewell and may be back.
    """
    actor, about = activity.actor, activity.object
    if wing.seen.has(_undone(actor, activity.id)):
        return True
    if about is not None and activity.kind in _MAKING and wing.seen.has(_gone(actor, about)):
        return True
    if not wing.seen.has(_gone(actor, actor)):
        return False
    try:
        await wing.actors.actor(actor, fresh=True)
    except Gone:
        return True
    await wing.seen.drop(_gone(actor, actor))
    return False


async def remember(wing: Wing, activity: Activity) -> None:
    """Mark what an Undo or a Delete is about.

    What is undone that was done before may be done again under the same id: some peers name a
    follow by who follows whom.
    """
    about = activity.object
    if about is None or not read.same_origin(about, activity.actor):
        return
    if activity.kind == "Delete":
        await wing.seen.add(activity.at, _gone(activity.actor, about))
    elif activity.kind == "Undo" and wing.seen.has(about):
        await wing.seen.drop(about)
    elif activity.kind == "Undo":
        await wing.seen.add(activity.at, _undone(activity.actor, about))


def written_at(post: read.Node) -> datetime:
    """When a post got its present state, as it says itself; long ago where it does not."""
    try:
        return parse_datetime(read.text(post, "updated") or read.text(post, "published") or "")
    except Invalid:
        return datetime.min.replace(tzinfo=UTC)


def _gone(actor: Iri, about: Iri) -> str:
    return f"gone {about} {actor}"


def _undone(actor: Iri, activity: Iri) -> str:
    return f"undone {activity} {actor}"
