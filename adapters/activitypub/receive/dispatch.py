"""The inbox: from a signed request to the room that knows the activity's type.

Nothing is done before the signature holds and its key's owner is the activity's actor, or the
activity is proven or found at its own origin.

Spec: https://www.w3.org/TR/activitypub/#server-to-server-interactions
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from adapters.activitypub.deliver.followers_digest import HEADER
from adapters.activitypub.jsonld import read
from adapters.activitypub.receive import (
    content,
    forwarded,
    move,
    order,
    passed_on,
    quoting,
    reaction,
    relation,
    report,
    synchronise,
)
from adapters.activitypub.receive.activity import Activity, Handler
from adapters.activitypub.signature import verify as signatures
from adapters.activitypub.signature.request import Claim, Request
from adapters.activitypub.wing import Wing
from adapters.http.throttle import Limit, Throttle
from pod.errors import Gone, Invalid, Overloaded, PeerUnavailable, Unauthenticated
from pod.model.ids import Iri

HANDLERS: Final[Mapping[str, Handler]] = {
    "Follow": relation.on_follow,
    "Accept": relation.on_accept,
    "Reject": relation.on_reject,
    "Undo": reaction.on_undo,
    "Create": content.on_create,
    "Update": content.on_update,
    "Delete": content.on_delete,
    "Like": reaction.on_like,
    "EmojiReact": reaction.on_emoji_react,
    "Announce": passed_on.on_announce,
    "Block": relation.on_block,
    "Flag": report.on_flag,
    "Move": move.on_move,
    "QuoteRequest": quoting.on_quote_request,
}
"""Every activity type that does something; others are answered politely and forgotten."""


PEER: Final = Limit(6_000, 300)
"""Activities of one server in five minutes."""


class Receiver:
    """Takes activities from peers."""

    def __init__(self, wing: Wing, throttle: Throttle) -> None:
        self._wing = wing
        self._throttle = throttle
        self._under_way: set[Iri] = set()

    async def receive(self, request: Request) -> None:
        """Take one activity, once.

        Cheap checks come first: shape, the rules for its server, time, digest, the sender's
        allowance; then the key. Raises Forbidden for servers that the pod does not talk to;
        Unauthenticated for missing, false or another actor's signatures; Invalid and TooLarge for
        bad bodies; Throttled; Overloaded (ask again) when a key cannot be had at the moment.
        """
        activity = self._activity(read.parse(request.body))
        self._wing.federation.require(activity.actor)
        claim = signatures.read(request, activity.at)
        self._wing.federation.require(claim.key_id)
        host = urlsplit(claim.key_id).netloc.lower()
        self._throttle.take(f"inbox {host}", PEER)
        if _is_farewell(activity) and not self._wing.knows(activity.actor):
            return
        mark = "signed " + hashlib.sha256(claim.signature).hexdigest()
        if self._wing.seen.has(mark):
            return
        try:
            believed = await self._believed(activity, claim)
            if believed is None or believed.id in self._under_way:
                return
            self._under_way.add(believed.id)
            try:
                await self._take(believed, mark)
                is_own = read.same_origin(claim.key_id, believed.actor)
                if is_own and request.has(HEADER.lower()):
                    told = request.one(HEADER.lower())
                    await synchronise.compare(self._wing, believed.actor, told, request.url)
            finally:
                self._under_way.discard(believed.id)
        except PeerUnavailable as err:
            raise Overloaded("What this depends on cannot be had at the moment.") from err

    async def _take(self, activity: Activity, mark: str) -> None:
        """Do what the activity says, unless it was done before.

        The copies that come by several inboxes at once are one activity.
        """
        wing = self._wing
        if wing.seen.has(activity.id):
            if activity.kind == "Follow":
                await relation.on_follow_again(wing, activity)
            return
        handler = HANDLERS.get(activity.kind)
        if handler is not None and not await order.is_too_late(wing, activity):
            await handler(wing, activity)
            await order.remember(wing, activity)
        await wing.seen.add(activity.at, activity.id, mark)

    def _activity(self, node: read.Node) -> Activity:
        activity_id, actor = read.id_of(node), read.iri(node, "actor")
        if activity_id is None or actor is None:
            raise Invalid("An activity needs an id and an actor.")
        if not read.same_origin(activity_id, actor):
            raise Unauthenticated("The activity's id is not of its actor's origin.")
        kind = next((name for name in HANDLERS if name in read.types(node)), "")
        return Activity(activity_id, actor, kind, node, self._wing.clock.now())

    async def _believed(self, activity: Activity, claim: Claim) -> Activity | None:
        """The activity as far as it is its actor's word; None where there is nothing to do."""
        wing = self._wing
        try:
            key = await signatures.verify(claim, wing.actors, activity.at)
        except Gone as err:
            if _is_farewell(activity):
                return activity if await self._is_gone(activity) else None
            raise Unauthenticated("The signer's key is gone.") from err
        await self._heard_from(urlsplit(key.owner).netloc.lower())
        if key.owner == activity.actor:
            return activity
        forwarded.limit(wing, key.owner)
        return await forwarded.believed(wing, activity)

    async def _heard_from(self, host: str) -> None:
        """A host that speaks is well: what waits for it is due at once."""
        if await self._wing.hosts.revive(host):
            await self._wing.queue.wake(host, self._wing.clock.now())
            self._wing.outgoing.set()

    async def _is_gone(self, activity: Activity) -> bool:
        """Whether the actor's own server says that they are gone: then no signature is needed."""
        try:
            await self._wing.actors.document(activity.actor)
        except Gone:
            return True
        return False


def _is_farewell(activity: Activity) -> bool:
    """Whether an actor says that they are gone: servers tell it to all, whoever knew them."""
    return activity.kind == "Delete" and activity.object == activity.actor
