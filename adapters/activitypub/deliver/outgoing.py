"""From an activity to what the queue keeps: proven by its actor's key, and ranked.

Spec: https://w3id.org/fep/8b32
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson

from adapters.activitypub.lens.profile import proof_key_id
from adapters.activitypub.signature.proof import prove
from adapters.activitypub.wing import Wing
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.peer import Outgoing, Priority

_AWAITED: Final = frozenset({"Accept", "Reject", "Follow", "QuoteRequest"})
_REST: Final = frozenset({"Delete", "Move", "Flag"})


async def outgoing(
    wing: Wing,
    member: Member,
    activity: dict[str, Any],
    inboxes: Sequence[Iri] = (),
    actors: Sequence[Iri] = (),
) -> Outgoing:
    """A member's activity, a document with its context, on its way to inboxes and actors."""
    key = await wing.keys.proof_key(member.id)
    proven = prove(activity, key, proof_key_id(member), wing.clock.now())
    return Outgoing(
        member.id,
        activity["id"],
        orjson.dumps(proven),
        tuple(inboxes),
        tuple(actors),
        priority_of(activity),
    )


def priority_of(activity: dict[str, Any]) -> Priority:
    """How urgent an activity is."""
    kind, about = activity["type"], activity.get("object")
    inner = about if isinstance(about, dict) else {}
    if kind == "Undo" and inner.get("type") == "Follow":
        return Priority.ANSWER  # or the next follow overtakes the end of the last one
    if kind in _AWAITED or (kind == "Create" and inner.get("inReplyTo")):
        return Priority.ANSWER
    if kind in _REST or (kind == "Update" and inner.get("id") == activity.get("actor")):
        return Priority.REST
    return Priority.NEWS
