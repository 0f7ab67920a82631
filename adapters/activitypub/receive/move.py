"""Move: somebody whom members follow lives elsewhere from now on.

Spec: https://swicg.github.io/activitypub-data-portability/#move and
https://docs.joinmastodon.org/spec/activitypub/#Move
"""

from __future__ import annotations

import asyncio
from typing import Final

import orjson

from adapters.activitypub import moderation
from adapters.activitypub.jsonld import read
from adapters.activitypub.lens.act import Act, folder
from adapters.activitypub.receive.activity import Activity
from adapters.activitypub.wing import Wing
from adapters.activitypub.wishes import changed, wish_of
from adapters.activitypub.writing import act_of
from pod.access.agent import SYSTEM
from pod.errors import Conflict, Forbidden, Gone, Invalid, PodError, TooLarge
from pod.model.ids import Iri, MemberId
from pod.model.member import Member
from pod.model.peer import SERVER, Delivery, Outgoing, Priority

SCHEME: Final = "move"
_MEMBERS: Final = 100
_CARRIED: Final[tuple[Act, ...]] = ("follow", "block", "ignore")
"""What a member did towards the old actor that goes for the new one too."""


async def on_move(wing: Wing, activity: Activity) -> None:
    """Let members follow, block and mute an actor who moved under the new name.

    Only where the new actor says that they are the old one too; once in seven days (as long as
    activities are remembered). The work itself is an errand, which outlives a crash. Raises
    PeerUnavailable where the new actor cannot be asked.
    """
    target = read.iri(activity.node, "target")
    once = f"moved {activity.actor}"
    if activity.object != activity.actor or target is None or wing.seen.has(once):
        return
    try:
        await says_also(wing, target, activity.actor)
    except (Conflict, Gone, Invalid, Forbidden, TooLarge):
        return
    if not wing.is_local(activity.actor):
        await wing.actors.actor(activity.actor, fresh=True)
    errand = Outgoing(
        SERVER,
        f"{activity.id}#carry",
        activity.actor.encode(),
        (Iri(f"{SCHEME}:{target}"),),
        priority=Priority.ANSWER,
    )
    await wing.queue.enqueue([errand], activity.at)
    await wing.seen.add(activity.at, once)
    wing.outgoing.set()


async def carry(wing: Wing, delivery: Delivery) -> None:
    """Let all members follow along; what was done before is not done again."""
    old, new = Iri(delivery.body.decode()), Iri(delivery.target.removeprefix(f"{SCHEME}:"))
    after = MemberId(0)
    while members := wing.reader.members(after=after, limit=_MEMBERS):
        for member in members:
            if member.is_active and member.webid != new:
                await _carry_over(wing, member, old, new)
        after = members[-1].id
        await asyncio.sleep(0)


async def says_also(wing: Wing, target: Iri, old: Iri) -> Iri:
    """The new actor's id, if they say that they are the old one too.

    Raises Conflict where they do not; PeerUnavailable, Gone, Invalid, Forbidden and TooLarge.
    """
    local = wing.local_actor(target)
    if local is not None:
        found, document = local.webid, await wing.actor_view(local)
    else:
        actor = await wing.actors.actor(target, fresh=True)
        found, held = actor.id, wing.cache.get(actor.id)
        document = orjson.loads(held[0]) if held is not None else {}
    if old not in read.iris(document, "alsoKnownAs") or read.iri(document, "movedTo"):
        raise Conflict("The new account does not name the old one among its aliases.")
    return found


async def _carry_over(wing: Wing, member: Member, old: Iri, new: Iri) -> None:
    for act in _CARRIED:
        is_wanted = wing.reader.about(member.id, folder(act), old)
        if not is_wanted or wing.reader.about(member.id, folder(act), new):
            continue
        if act == "follow" and (
            moderation.blocks(wing, member, new) or moderation.is_blocked_by(wing, member, new)
        ):
            continue
        wished = changed(wing, member, new, wish_of(wing, member, old)) if act == "follow" else []
        mute = moderation.mute_of(wing, member, old) if act == "ignore" else None
        if act == "ignore" and mute is None:
            continue
        more = mute.told if mute is not None else None
        ops = [act_of(wing, member, act, new, more=more), *wished]
        try:
            await wing.write.apply(SYSTEM, member.id, ops)
        except PodError:
            continue  # their own trouble, a full pod or the like, holds nobody else up
