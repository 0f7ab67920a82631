"""The inbox: from a signed request to the room that knows the activity's type.

Nothing is looked at before the signature holds and its key's owner is the activity's actor.

Spec: https://www.w3.org/TR/activitypub/#server-to-server-interactions
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from adapters.activitypub.jsonld import read
from adapters.activitypub.receive import content, reaction, relation
from adapters.activitypub.receive.activity import Activity
from adapters.activitypub.signature.request import Request
from adapters.activitypub.signature.verify import verify
from adapters.activitypub.wing import Wing
from pod.errors import Gone, Invalid, Unauthenticated
from pod.model.ids import Iri

Handler = Callable[[Wing, Activity], Awaitable[None]]

HANDLERS: Final[Mapping[str, Handler]] = {
    "Follow": relation.on_follow,
    "Accept": relation.on_accept,
    "Reject": relation.on_reject,
    "Undo": reaction.on_undo,
    "Create": content.on_create,
    "Update": content.on_update,
    "Delete": content.on_delete,
    "Like": reaction.on_like,
    "Announce": reaction.on_announce,
}
"""Every activity type that does something; others are answered politely and forgotten."""


class Receiver:
    """Takes activities from peers."""

    def __init__(self, wing: Wing) -> None:
        self._wing = wing
        self._under_way: set[Iri] = set()

    async def receive(self, request: Request) -> None:
        """Take one activity, once.

        Raises Unauthenticated for missing, false or another actor's signatures; Invalid and
        TooLarge for bad bodies; PeerUnavailable when the signer's key cannot be had at the moment.
        """
        node = read.parse(request.body)
        activity = self._activity(node)
        if not await self._is_signed_by_actor(request, activity):
            return
        if activity.id in self._under_way:
            return
        self._under_way.add(activity.id)
        try:
            await self._take(activity)
        finally:
            self._under_way.discard(activity.id)

    async def _take(self, activity: Activity) -> None:
        """Do what the activity says, unless it was done before.

        The copies that come by several inboxes at once are one activity.
        """
        if self._wing.seen.has(activity.id):
            if activity.kind == "Follow":
                await relation.on_follow_again(self._wing, activity)
            return
        handler = HANDLERS.get(activity.kind)
        if handler is not None:
            await handler(self._wing, activity)
        await self._wing.seen.add(activity.id, activity.at)

    def _activity(self, node: read.Node) -> Activity:
        activity_id, actor = read.id_of(node), read.iri(node, "actor")
        if activity_id is None or actor is None:
            raise Invalid("An activity needs an id and an actor.")
        if not read.same_origin(activity_id, actor):
            raise Unauthenticated("The activity's id is not of its actor's origin.")
        kind = next((name for name in HANDLERS if name in read.types(node)), "")
        return Activity(activity_id, actor, kind, node, self._wing.clock.now())

    async def _is_signed_by_actor(self, request: Request, activity: Activity) -> bool:
        """Whether to go on: False for the farewell of an actor whose key is gone and unknown."""
        try:
            key = await verify(request, self._wing.actors, self._wing.clock.now())
        except Gone as err:
            if activity.kind == "Delete" and activity.object == activity.actor:
                return await self._is_gone(activity)
            raise Unauthenticated("The signer's key is gone.") from err
        if key.owner != activity.actor:
            raise Unauthenticated("The activity is not signed by its actor.")
        return True

    async def _is_gone(self, activity: Activity) -> bool:
        """Whether the actor's own server says that they are gone: then no signature is needed."""
        try:
            await self._wing.actors.document(activity.actor)
        except Gone:
            return True
        return False
