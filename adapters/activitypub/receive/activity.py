"""An activity whose signature was checked, and the object it may speak for.

Spec: https://www.w3.org/TR/activitypub/#inbox and https://w3id.org/fep/fe34
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import index
from adapters.activitypub.wing import Wing
from pod.errors import Forbidden, Gone, Invalid, PeerUnavailable, TooLarge
from pod.model.ids import Iri


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity of the actor who signed it. ``node`` is the whole of it."""

    id: Iri
    actor: Iri
    kind: str
    node: Node
    at: datetime

    @property
    def object(self) -> Iri | None:
        """The id of what it is about."""
        return read.iri(self.node, "object")


Handler = Callable[[Wing, Activity], Awaitable[None]]
"""Does what an activity says."""


async def own_object(wing: Wing, activity: Activity) -> Node | None:
    """The object of an activity, if it is the actor's own.

    What is embedded is believed for the actor's origin alone; anything else is asked for at its own
    origin, and what is of this pod is looked up. None where the object is another's, or cannot be
    had.
    """
    object_id = activity.object
    if object_id is None:
        return None
    if wing.is_local(object_id):
        held = wing.local_object(object_id)
        is_own = held is not None and held[0].webid == activity.actor
        return index.get(wing.published(*held)) if held is not None and is_own else None
    found = read.node(activity.node, "object")
    if found is None or not read.same_origin(object_id, activity.actor):
        try:
            found = await wing.actors.document(object_id)
        except (Gone, Invalid, Forbidden, TooLarge, PeerUnavailable):
            return None
    if read.id_of(found) != object_id or read.author(found) != activity.actor:
        return None
    if not read.same_origin(object_id, activity.actor):
        return None
    return {"id": object_id, **{key: value for key, value in found.items() if key != "@id"}}
