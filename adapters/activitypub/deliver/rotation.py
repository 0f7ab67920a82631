"""New keys for an actor: followers are told by an Update that the old key signs.

A server that knows the old key believes the new one so; one that knows neither asks for the actor,
and gets the same Update again, signed by the new key.

Spec: https://swicg.github.io/activitypub-http-signature/#key-rotation
"""

from __future__ import annotations

from dataclasses import replace

from adapters.activitypub.deliver.outgoing import outgoing
from adapters.activitypub.jsonld.context import ACTOR, with_context
from adapters.activitypub.lens import index
from adapters.activitypub.wing import Wing
from pod.keys.rsa import RsaKey
from pod.model.member import Member
from pod.model.peer import Delivery, Priority

_MARK = "#rotate/"


async def rotate(wing: Wing, member: Member | None) -> None:
    """Give a member, or (None) the server itself, new keys, and tell the followers."""
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
