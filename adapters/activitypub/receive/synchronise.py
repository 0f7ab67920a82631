"""Followers, compared between two servers: what comes with posts for followers only.

Spec: https://w3id.org/fep/8fcf
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from adapters.activitypub.deliver.followers_digest import digest
from adapters.activitypub.deliver.outgoing import outgoing
from adapters.activitypub.jsonld import read
from adapters.activitypub.lens import index
from adapters.activitypub.lens.act import FOLLOWS
from adapters.activitypub.wing import Wing
from adapters.http.throttle import Limit
from pod.access.agent import SYSTEM
from pod.errors import Forbidden, Gone, Invalid, PeerUnavailable, Throttled, TooLarge
from pod.model.ids import Iri
from pod.model.member import Member
from pod.write import Delete

_ONCE_AN_HOUR: Final = Limit(1, 3_600)
_PARAM: Final = re.compile(r'(\w+)="([^"]*)"')


async def compare(wing: Wing, actor: Iri, told: str) -> None:
    """Make our members' follows of an actor what the actor's server says, where they differ.

    A follow that it does not know ends; one that we do not know is taken back there.
    """
    claimed = dict(_PARAM.findall(told))
    url = read.iri(claimed, "url")
    collection_id = read.iri(claimed, "collectionId")
    ours = {member.webid: member for member in _following(wing, actor)}
    if url is None or collection_id is None or claimed.get("digest") == digest(ours):
        return
    if not (read.same_origin(url, actor) and read.same_origin(collection_id, actor)):
        return
    try:
        wing.throttle.take(f"synchronise {actor}", _ONCE_AN_HOUR)
        document = await wing.actors.document(url)
    except (Throttled, Gone, Invalid, Forbidden, TooLarge, PeerUnavailable):
        return
    listed = document.get("orderedItems", document.get("items"))
    if not isinstance(listed, list):
        return  # what lists nobody says of nobody that they do not follow
    items = [read.iri({"item": item}, "item") for item in listed]
    theirs = {i: member for i in items if i and (member := wing.local_actor(i)) is not None}
    for iri in ours.keys() - theirs.keys():
        member = ours[iri]
        paths = wing.reader.about(member.id, FOLLOWS, actor)
        deletes = [Delete(path, missing_ok=True) for path in paths]
        await wing.write.apply(SYSTEM, member.id, deletes)
    for iri in theirs.keys() - ours.keys():
        await _take_back(wing, theirs[iri], actor)


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


def _following(wing: Wing, actor: Iri) -> Iterator[Member]:
    for holder, _ in wing.edges.accepts_of(actor):
        member = wing.reader.member(holder)
        if member is not None and member.is_active:
            yield member
