"""Followers, compared between two servers: what comes with posts for followers only.

Spec: https://w3id.org/fep/8fcf
"""

from __future__ import annotations

import re
from typing import Any, Final

from adapters.activitypub.deliver.followers_digest import digest
from adapters.activitypub.deliver.outgoing import outgoing
from adapters.activitypub.jsonld import read
from adapters.activitypub.lens import index
from adapters.activitypub.lens.act import FOLLOWS
from adapters.activitypub.lens.names import member_at
from adapters.activitypub.wing import Wing
from adapters.http.throttle import Limit
from pod.access.agent import SYSTEM
from pod.errors import Forbidden, Gone, Invalid, PeerUnavailable, Throttled, TooLarge
from pod.model.ids import Iri
from pod.model.member import Member
from pod.write import Delete

_ONCE_AN_HOUR: Final = Limit(1, 3_600)
_PARAM: Final = re.compile(r'(\w+)="([^"]*)"')


async def compare(wing: Wing, actor: Iri, told: str, inbox: str) -> None:
    """Make a member's follow of an actor what the actor's server says, where they differ.

    A follow that it does not know ends; one that we do not know is taken back there. Told is of
    those at the host of the inbox alone: at the one that all share nobody lives.
    """
    member = member_at(wing.reader, inbox)
    claimed = dict(_PARAM.findall(told))
    url = read.iri(claimed, "url")
    collection_id = read.iri(claimed, "collectionId")
    if member is None or not member.is_active or url is None or collection_id is None:
        return
    follows = member.id in wing.let_follow(actor)
    if claimed.get("digest") == digest([member.webid] if follows else []):
        return
    if not (read.same_origin(url, actor) and read.same_origin(collection_id, actor)):
        return
    try:
        wing.throttle.take(f"synchronise {actor} {member.id}", _ONCE_AN_HOUR)
        document = await wing.actors.document(url, member)
    except (Throttled, Gone, Invalid, Forbidden, TooLarge, PeerUnavailable):
        return
    listed = document.get("orderedItems", document.get("items"))
    if not isinstance(listed, list):
        return  # what lists nobody says of nobody that they do not follow
    is_listed = any(read.iri({"item": item}, "item") == member.webid for item in listed)
    if follows and not is_listed:
        paths = wing.reader.about(member.id, FOLLOWS, actor)
        deletes = [Delete(path, missing_ok=True) for path in paths]
        await wing.write.apply(SYSTEM, member.id, deletes)
    elif is_listed and not follows:
        await _take_back(wing, member, actor)


async def _take_back(wing: Wing, member: Member, actor: Iri) -> None:
    if wing.reader.about(member.id, FOLLOWS, actor):
        return  # asked for, and the answer is still to come
    number = wing.tids.next()
    follow: dict[str, Any] = {
        "id": f"{member.webid}#follows/{number}",
        "type": "Follow",
        "actor": member.webid,
        "object": actor,
        "to": [actor],
    }
    undo = index.document(index.undo(follow, f"{member.webid}#undo/{number}"))
    told = await outgoing(wing, member, undo, actors=[actor])
    await wing.queue.enqueue([told], wing.clock.now())
    wing.outgoing.set()
