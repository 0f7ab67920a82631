"""Quotes of members' posts that are asked for, and the answers to what members asked.

Spec: https://w3id.org/fep/044f
"""

from __future__ import annotations

import hashlib
from typing import Final

from adapters.activitypub.deliver.outgoing import outgoing
from adapters.activitypub.jsonld import read
from adapters.activitypub.lens import index, quote
from adapters.activitypub.lens.published import Published, View, annotated
from adapters.activitypub.moderation import blocks
from adapters.activitypub.receive.activity import Activity
from adapters.activitypub.wing import Wing
from adapters.http.throttle import Limit
from pod.access.agent import SYSTEM
from pod.errors import Forbidden, Gone, Invalid, PeerUnavailable, TooLarge
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.peer import Edge, Outgoing
from pod.write import Annotate

PER_ACTOR: Final = Limit(100, 3_600)
"""Quotes that one actor asks for in an hour."""


async def on_quote_request(wing: Wing, activity: Activity) -> None:
    """Answer who wants to quote a member's post: by its postgate, with a stamp or a refusal.

    Raises Throttled for an actor who wants to too often.
    """
    found = wing.local_object(activity.object or "")
    quoting = read.iri(activity.node, "instrument")
    if found is None or quoting is None or not read.same_origin(quoting, activity.actor):
        return
    wing.throttle.take(f"quotes {activity.actor}", PER_ACTOR)
    member, resource = found
    published = wing.published(member, resource)
    if blocks(wing, member, activity.actor) or not quote.may_quote(published):
        refusal = await _answer(wing, member, activity, "Reject", {})
        await wing.queue.enqueue([refusal], wing.clock.now())
        wing.outgoing.set()
        return
    edge = Edge(
        resource.path, "quote", activity.actor, quoting, activity.id, True, activity.at
    )  # fmt: skip
    more = {"result": quote.stamp_id(published.id, quoting)}
    accept = await _answer(wing, member, activity, "Accept", more)
    await wing.edges.put(member.id, edge, telling=[accept])
    wing.outgoing.set()


async def on_quote_answered(wing: Wing, activity: Activity, *, accepted: bool) -> bool:
    """Note that an author lets a member quote, or not; whether the answer was one to that."""
    request = activity.object or ""
    note, mark, _ = request.partition(quote.REQUEST)
    found = wing.local_object(note) if mark else None
    if found is None:
        return bool(mark)
    member, resource = found
    published = wing.published(member, resource)
    target = published.annotation.get("quote")
    author = published.internal.get("quoteAuthor")
    if target is None or author != activity.actor:
        return True
    if request != quote.request_id(published.id, target):
        return True
    stamp = read.iri(activity.node, "result") if accepted else None
    if stamp is not None and await _is_good(wing, stamp, published, target, activity.actor):
        edge = Edge(resource.path, "stamp", activity.actor, stamp, activity.id, False, activity.at)
        await wing.edges.put(member.id, edge)
        await _note(wing, published, {**published.annotation, "quoteAuthorization": stamp})
    elif not accepted:
        await _note(wing, published, _without_stamp(published.annotation))
    return True


async def on_stamp_gone(wing: Wing, author: Iri, stamp: Iri) -> None:
    """Take a permission away that its author revoked."""
    for holder, edge in wing.edges.about(author, stamp):
        resource = wing.reader.resource(holder, edge.path) if edge.kind == "stamp" else None
        member = wing.reader.member(holder)
        if resource is not None and member is not None:
            published = wing.published(member, resource)
            if published.annotation.get("quoteAuthorization") == stamp:
                await _note(wing, published, _without_stamp(published.annotation))


def _without_stamp(beside: View) -> View:
    return {key: value for key, value in beside.items() if key != "quoteAuthorization"}


async def _note(wing: Wing, published: Published, beside: View) -> None:
    resource = published.resource
    note = Annotate(resource.path, annotated(resource.complement, beside))
    await wing.write.apply(SYSTEM, resource.member, [note])


async def _is_good(wing: Wing, stamp: Iri, published: Published, target: str, author: Iri) -> bool:
    """Whether a stamp, fetched from the author's own server, allows exactly this quote."""
    if not read.same_origin(stamp, author):
        return False
    try:
        document = await wing.actors.document(stamp)
    except (Gone, Invalid, Forbidden, TooLarge, PeerUnavailable):
        return False
    return (
        "QuoteAuthorization" in {kind.rpartition("#")[2] for kind in read.types(document)}
        and read.author(document) == author
        and read.iri(document, "interactingObject") == published.id
        and read.iri(document, "interactionTarget") == target
    )


async def _answer(
    wing: Wing, member: Member, activity: Activity, kind: str, more: View
) -> Outgoing:
    actor = await wing.actors.actor(activity.actor)
    request = {
        "id": activity.id,
        "type": "QuoteRequest",
        "actor": activity.actor,
        "object": activity.object,
        "instrument": read.iri(activity.node, "instrument"),
    }
    digest = hashlib.sha256(activity.id.encode()).hexdigest()[:32]
    answer_id = f"{member.webid}#{kind.lower()}-quote/{digest}"
    answer = {**index.answer(kind, request, member.webid, answer_id), **more}
    return await outgoing(wing, member, index.document(answer), (actor.inbox,))
