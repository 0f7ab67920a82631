"""New keys for an actor: followers are told by an Update that the old key signs.

A server that knows the old key believes the new one so; one that knows neither asks for the actor,
and gets the same Update again, signed by the new key.

Spec: https://swicg.github.io/activitypub-http-signature/#key-rotation
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from adapters.activitypub.deliver.outgoing import outgoing
from adapters.activitypub.jsonld.context import ACTOR, with_context
from adapters.activitypub.lens import index
from adapters.activitypub.wing import Wing
from adapters.http.throttle import Limit
from pod.keys.rsa import RsaKey
from pod.model.member import Member
from pod.model.peer import Delivery, Priority

NEW_KEYS: Final = Limit(1, 600)
"""New keys of a member in ten minutes."""

_MARK: Final = "#rotate/"


async def rotate(wing: Wing, member: Member | None) -> None:
    """Give a member, or (None) the server itself, new keys, and tell the followers.

    Raises Throttled for a member who got new keys a moment ago: the old key alone tells of the new
    one, and only one old key is kept.
    """
    if member is not None:
        wing.throttle.take(f"new keys {member.id}", NEW_KEYS)
    await wing.keys.rotate_actor_keys(member.id if member is not None else None)
    if member is None:
        return
    name = f"{member.webid}{_MARK}{wing.tids.next()}"
    update = with_context(index.update_actor(await wing.actor_view(member), name), ACTOR)
    told = await outgoing(wing, member, update, wing.followers.inboxes(member.id))
    await wing.queue.enqueue([replace(told, priority=Priority.ANSWER)], wing.clock.now())
    wing.outgoing.set()


async def old_key_for(wing: Wing, delivery: Delivery, member: Member) -> RsaKey | None:
    """The key that signs the news of a new one; None for all other deliveries."""
    if not delivery.activity.startswith(member.webid + _MARK):
        return None
    return await wing.keys.previous_actor_key(member.id)
