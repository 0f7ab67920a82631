"""Who hears of an activity: followers by their shared inboxes, everybody else who is addressed.

Spec: https://www.w3.org/TR/activitypub/#delivery
"""

from __future__ import annotations

from typing import Any

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import PUBLIC
from adapters.activitypub.wing import Wing
from pod.model.ids import Iri
from pod.model.member import Member


def audience(
    wing: Wing, member: Member, activity: dict[str, Any]
) -> tuple[tuple[Iri, ...], tuple[Iri, ...]]:
    """Each inbox once, and the actors whose inboxes are not known yet. No I/O but point reads."""
    inboxes: dict[Iri, None] = {}
    actors: dict[Iri, None] = {}
    told = read.recipients(activity)
    has_copy = PUBLIC in told
    for recipient in sorted(told):
        if recipient == PUBLIC or recipient == member.webid:
            continue
        if recipient == f"{member.origin}/followers":
            # Followers in this pod read the one public copy; they need none of their own.
            found = wing.followers.inboxes(member.id)
            inboxes |= dict.fromkeys(i for i in found if not has_copy or i != wing.shared_inbox)
        elif wing.local_actor(recipient) is not None:
            inboxes[wing.shared_inbox] = None
        elif (known := wing.actors.cached(recipient)) is not None:
            inboxes[known.mailbox] = None
        elif not wing.is_local(recipient):
            actors[recipient] = None
    return tuple(inboxes), tuple(actors)
