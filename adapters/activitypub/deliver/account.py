"""What followers hear when an account itself changes: another handle, taken down, deleted.

An account that rests says nothing: its domain may be served by another host by then.

Spec: https://docs.joinmastodon.org/spec/activitypub/#suspended and
https://www.w3.org/TR/activitypub/#delete-activity-outbox
"""

from __future__ import annotations

import asyncio
from typing import Final

import orjson

from adapters.activitypub.deliver.outgoing import outgoing
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import ACTOR, AS2, PUBLIC, with_context
from adapters.activitypub.lens import index, profile
from adapters.activitypub.remote.actor import read_actor
from adapters.activitypub.wing import Wing
from pod.account import IMPOSED
from pod.errors import Invalid
from pod.model.change import Change
from pod.model.ids import Iri
from pod.model.member import Member, Standing
from pod.model.peer import Outgoing, Priority

FAREWELL: Final = "farewell"
"""The errand to forget a member with all others of this pod, whom no delivery tells."""

_PAGE: Final = 200


async def told_of_account(wing: Wing, member: Member, change: Change) -> list[Outgoing]:
    """The activity that a change of an account causes, with all whom it goes to."""
    activity_id = f"{member.webid}#account/{change.seq}"
    if member.standing is Standing.DELETED:
        if change.kind != "account":
            return []
        # Not proven: of all keys only the one that signs requests outlives an account.
        farewell = {
            "id": activity_id,
            "type": "Delete",
            "actor": member.webid,
            "to": [PUBLIC],
            "object": member.webid,
        }
        body = orjson.dumps(with_context(farewell, AS2))
        everywhere = tuple(await _all_inboxes(wing, member))
        here = Outgoing(member.id, f"{activity_id}#here", b"", (Iri(f"{FAREWELL}:{member.webid}"),))
        return [Outgoing(member.id, activity_id, body, everywhere, priority=Priority.REST), here]
    if change.kind == "account" and member.standing in IMPOSED:
        actor = profile.suspended(member, await wing.actor_keys(member))
    elif change.kind == "identity" and member.is_active and not _is_first(wing, change):
        actor = await wing.actor_view(member)
    else:
        return []
    inboxes = [inbox for inbox in wing.followers.inboxes(member.id) if inbox != wing.shared_inbox]
    if not inboxes:
        return []
    activity = with_context(index.update_actor(actor, activity_id), ACTOR)
    return [await outgoing(wing, member, activity, inboxes)]


def _is_first(wing: Wing, change: Change) -> bool:
    """Whether an account begins with a change: then nobody knows another state of it."""
    return wing.reader.changes(after=0, limit=1, member=change.member)[0].seq == change.seq


async def _all_inboxes(wing: Wing, member: Member) -> list[Iri]:
    """Each inbox once where the member may be known: followers', and one of every known server."""
    found = dict.fromkeys(wing.followers.inboxes(member.id))
    servers = {read.origin_of(inbox) for inbox in found}
    after = ""
    while page := wing.cache.page(after=after, limit=_PAGE):
        for _, body in page:
            try:
                actor = read_actor(orjson.loads(body), wing.clock.now())
            except Invalid:
                continue
            server = read.origin_of(actor.mailbox)
            if actor.shared_inbox is not None or server not in servers:
                found[actor.mailbox] = None
                servers.add(server)
        after = page[-1][0]
        await asyncio.sleep(0)
    found.pop(wing.shared_inbox, None)
    return list(found)
