"""What a change causes besides its own activity: the wish to quote, pins, gates, news for voters.

Spec: https://w3id.org/fep/044f and https://docs.joinmastodon.org/spec/activitypub/#featured
"""

from __future__ import annotations

from hashlib import sha256

from adapters.activitypub.deliver.outgoing import outgoing
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import PUBLIC
from adapters.activitypub.lens import index, poll, quote
from adapters.activitypub.lens.published import View
from adapters.activitypub.pins import pinned_by
from adapters.activitypub.wing import Wing
from pod.model.change import ChangeOp
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.peer import Edge
from pod.model.resource import EMPTY, ResourcePath
from pod.read import NOTES_PREFIX, PROFILE_PATH


def gated(op: ChangeOp) -> ResourcePath | None:
    """The post for which a gate was written, changed or deleted."""
    for gates in (quote.POSTGATES, quote.THREADGATES):
        head, found, rkey = op.path.partition(f"/repo/{gates}/")
        if found and not head:
            return ResourcePath(NOTES_PREFIX + rkey)
    return None


def quote_request(wing: Wing, member: Member, op: ChangeOp) -> tuple[View, Iri] | None:
    """The wish to quote what a new post quotes on another server, and whom it goes to."""
    resource = wing.reader.resource(member.id, op.path) if op.action == "create" else None
    if resource is None or not op.path.startswith(NOTES_PREFIX):
        return None
    published = wing.published(member, resource)
    beside = published.annotation
    author, target = published.internal.get("quoteAuthor"), beside.get("quote")
    view = index.get(published)
    if view is None or author is None or target is None:
        return None
    return index.document(quote.request(view, Iri(target), author)), Iri(author)


def others(wing: Wing, member: Member, op: ChangeOp) -> list[Iri]:
    """Who hears of a change besides those it names: voters of results, the told of an end."""
    if op.action == "delete" and op.path.startswith(NOTES_PREFIX):
        told, crossed = (
            wing.edges.tally(member.id, op.path, kind)[1] for kind in ("told", "crossed")
        )
        return [*dict.fromkeys(told + crossed)]
    resource = wing.reader.resource(member.id, op.path) if op.action == "update" else None
    if resource is None or not op.path.startswith(NOTES_PREFIX):
        return []
    if not poll.is_poll(wing.published(member, resource).annotation):
        return []
    return wing.edges.tally(member.id, op.path, "vote")[1]


async def keep_told(wing: Wing, member: Member, op: ChangeOp) -> None:
    """Remember who is named beside a post alone: a tombstone does not."""
    resource = wing.reader.resource(member.id, op.path)
    if resource is None or not op.path.startswith(NOTES_PREFIX) or resource.complement == EMPTY:
        return
    published = wing.published(member, resource)
    tags = read.nodes(published.annotation, "tag")
    named = [read.iri(tag, "href") for tag in tags if "Mention" in read.types(tag)]
    named.append(published.internal.get("quoteAuthor"))
    for actor in {*filter(None, named)}.difference(wing.edges.tally(member.id, op.path, "told")[1]):
        edge = Edge(op.path, "told", actor, "", published.id, False, wing.clock.now())
        await wing.edges.put(member.id, edge)


async def tell_pins(wing: Wing, member: Member, activity_id: str) -> None:
    """Tell followers what the profile pins and does not pin any more (Add and Remove).

    What was told last is remembered; each activity is queued before that, so none is lost.
    """
    told = {Iri(found) for found in wing.edges.tally(member.id, PROFILE_PATH, "pin")[0]}
    pinned = set(pinned_by(wing, member))
    for kind, posts in (("Remove", told - pinned), ("Add", pinned - told)):
        for post in sorted(posts):
            activity = {
                "id": f"{activity_id}#{kind.lower()}-{sha256(post.encode()).hexdigest()[:16]}",
                "type": kind,
                "actor": member.webid,
                "object": post,
                "target": f"{member.origin}/featured",
                "to": [PUBLIC],
                "cc": [f"{member.origin}/followers"],
            }
            inboxes = tuple(i for i in wing.followers.inboxes(member.id) if i != wing.shared_inbox)
            if inboxes:
                news = await outgoing(wing, member, index.document(activity), inboxes)
                await wing.queue.enqueue([news], wing.clock.now())
    if told == pinned:
        return
    await wing.edges.remove_kind(member.id, PROFILE_PATH, "pin")
    for post in pinned:
        edge = Edge(
            PROFILE_PATH, "pin", member.webid, post, Iri(activity_id), True, wing.clock.now()
        )
        await wing.edges.put(member.id, edge)
