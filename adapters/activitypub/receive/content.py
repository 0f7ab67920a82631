"""Create, Update and Delete: replies to members and mentions of them are kept in their inboxes.

What others post to the world is not kept.

Spec: https://www.w3.org/TR/activitypub/#create-activity-inbox
"""

from __future__ import annotations

from typing import Final

import orjson

from adapters.activitypub import circle
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import AS2, MEDIA_TYPE, PUBLIC
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import quote
from adapters.activitypub.moderation import INBOX, WAITING, hears, is_stranger, must_wait
from adapters.activitypub.receive.activity import Activity, own_object
from adapters.activitypub.receive.farewell import forget_actor
from adapters.activitypub.receive.order import written_at
from adapters.activitypub.receive.quoting import on_stamp_gone
from adapters.activitypub.receive.vote import on_vote, vote_in
from adapters.activitypub.remote.actor import ACTOR_TYPES
from adapters.activitypub.wing import Wing
from adapters.http.throttle import Limit
from pod.access.agent import SYSTEM
from pod.errors import Throttled
from pod.model.ids import Iri, MemberId
from pod.model.peer import Edge
from pod.model.resource import Resource, ResourcePath
from pod.write import Delete, PutDocument

MOST_HELD: Final = 20_000
"""Posts in an inbox beyond which no stranger's is taken."""

DAILY: Final = Limit(50 * 1024 * 1024, 86_400)
"""Bytes that strangers may put into an inbox in a day."""

_ME: Final = ResourcePath("/me")


async def on_create(wing: Wing, activity: Activity) -> None:
    """Keep a post that answers or names members, once for each of them."""
    vote = vote_in(activity)
    if vote is not None:
        await on_vote(wing, activity, vote)
        return
    post = await own_object(wing, activity)
    if post is None or not ACTOR_TYPES.isdisjoint(read.types(post)):
        return
    answered = read.iri(post, "inReplyTo") or ""
    parent = wing.local_object(answered)
    if parent is None and (narrow := circle.found(wing, answered, activity.actor)) is not None:
        parent = narrow[:2]
    members = {
        member.id for name in named(activity.node, post) if (member := wing.local_actor(name))
    }
    if parent is not None:
        members.add(parent[0].id)
    quoted = wing.local_object(quote.quoted(post) or "")
    if quoted is not None:
        members.add(quoted[0].id)
    members |= {holder for holder, _ in wing.edges.about(activity.actor, Iri(post["id"]))}
    if not wing.is_local(post["id"]):
        shown = wing.federation.without_media(post, activity.actor)
        await wing.herald(lambda herald: herald.post(shown, activity.actor))
    full: Throttled | None = None
    for holder in sorted(members):
        own = parent[1] if parent is not None and parent[0].id == holder else None
        try:
            await _keep(wing, activity, post, holder, own)
        except Throttled as err:
            full = err  # the others get it all the same
    if full is not None:
        raise full


async def on_update(wing: Wing, activity: Activity) -> None:
    """Keep the new state of a post, or look again at an actor who changed."""
    if activity.object == activity.actor:
        actor = await wing.actors.actor(activity.actor, fresh=True)
        await wing.followers.move_actor(actor.id, actor.inbox, actor.shared_inbox)
        return
    await on_create(wing, activity)


async def on_delete(wing: Wing, activity: Activity) -> None:
    """Forget a post of the actor, or the actor, who is gone."""
    gone = activity.object
    if gone is None:
        return
    await wing.herald(lambda herald: herald.gone(gone, activity.actor))
    if gone == activity.actor:
        await forget_actor(wing, activity.actor)
        return
    for member, _ in wing.edges.about(activity.actor, gone):
        paths = wing.reader.about(member, INBOX, gone)
        deletes = [Delete(path, missing_ok=True) for path in paths]
        await wing.write.apply(SYSTEM, member, deletes)
    await on_stamp_gone(wing, activity.actor, gone)
    await wing.edges.remove_object(activity.actor, gone)


def named(activity: Node, post: Node) -> frozenset[Iri]:
    """All whom a post, and the activity that tells of it, are addressed to or mention."""
    mentions = {
        href
        for tag in read.nodes(post, "tag")
        if "Mention" in read.types(tag) and (href := read.iri(tag, "href")) is not None
    }
    return read.recipients(activity, post) | mentions


async def _keep(
    wing: Wing, activity: Activity, post: Node, member: MemberId, parent: Resource | None
) -> None:
    """Write the document, unless it is of this pod, and its edge.

    What the member does not want to hear is not kept; what has to wait is not shown yet.
    """
    holder = wing.reader.member(member)
    if holder is None or not hears(wing, holder, activity.actor):
        return
    post_id = Iri(post["id"])
    if not wing.is_local(post_id) and not await _written(wing, activity, post, member):
        return
    is_public = PUBLIC in read.recipients(post) and not must_wait(wing, holder, activity.actor)
    subject = parent.path if parent is not None else _ME
    edge = Edge(subject, "reply", activity.actor, post_id, activity.id, is_public, activity.at)
    await wing.edges.put(member, edge)
    if not must_wait(wing, holder, activity.actor):
        await wing.herald(lambda herald: herald.mention(holder, post, activity.actor))


def _require_room(wing: Wing, member: MemberId, size: int) -> None:
    """Pass, or raise Throttled where strangers fill an inbox: nothing in it is dropped for them."""
    if wing.log.count(member, INBOX) >= MOST_HELD:
        raise Throttled(retry_after_s=DAILY.window_s)
    wing.throttle.take(f"inbox of {member}", DAILY, size)


def _is_newer(post: Node, held: Node, kind: str) -> bool:
    """Whether a post replaces what is held: activities may overtake each other."""
    told, known = written_at(post), written_at(held)
    return told > known or (told == known and kind == "Update")


async def _written(wing: Wing, activity: Activity, post: Node, member: MemberId) -> bool:
    """Write the document; False where there is one that is not the author's to replace."""
    post_id = Iri(post["id"])
    paths = wing.reader.about(member, INBOX, post_id)
    held = wing.reader.resource(member, paths[0]) if paths else None
    before = orjson.loads(held.body) if held is not None else None
    if before is not None and read.author(before) != activity.actor:
        return False
    if before is not None and not _is_newer(post, before, activity.kind):
        return True
    holder = wing.reader.member(member)
    waits = holder is not None and must_wait(wing, holder, activity.actor)
    shelf = WAITING if waits else INBOX
    path = held.path if held is not None else ResourcePath(shelf + wing.tids.next())
    context = post.get("@context", activity.node.get("@context", AS2))
    post = wing.federation.without_media(post, activity.actor)
    body = orjson.dumps({"@context": context, **post})
    if held is None and holder is not None and is_stranger(wing, holder, activity.actor):
        _require_room(wing, member, len(body))
    document = PutDocument(path, MEDIA_TYPE, body, subject=post_id)
    await wing.write.apply(SYSTEM, member, [document])
    return True
