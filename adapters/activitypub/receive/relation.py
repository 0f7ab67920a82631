"""Follow, Accept, Reject, Block: who follows a member, and who lets a member follow.

A follow of another member of this pod is a record, and the word of it: nothing is sent.

Spec: https://www.w3.org/TR/activitypub/#follow-activity-inbox
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any, Final

from adapters.activitypub import moderation
from adapters.activitypub.deliver.outgoing import outgoing
from adapters.activitypub.jsonld import read
from adapters.activitypub.lens import index, presence
from adapters.activitypub.lens.act import FOLLOWS
from adapters.activitypub.moderation import AT_FOLLOWS, ME
from adapters.activitypub.receive.activity import Activity
from adapters.activitypub.receive.quoting import on_quote_answered
from adapters.activitypub.wing import Wing
from pod.access.agent import SYSTEM
from pod.model.ids import Iri, MemberId
from pod.model.member import Member
from pod.model.peer import Delivery, Edge, Follower, Outgoing
from pod.model.resource import Resource, ResourcePath
from pod.write import Delete

NOTICE: Final = "notice"
_FOLLOWS: Final = (FOLLOWS, AT_FOLLOWS)
_MOST_WAITING: Final = 10_000


async def on_follow(wing: Wing, activity: Activity) -> None:
    """Add a follower and accept, hold the wish for the member to answer, or refuse who is blocked.

    A follow of somebody who follows already, or asks already, takes the place of the first.
    """
    member = wing.local_actor(activity.object or "")
    if member is None:
        return
    actor = await wing.actors.actor(activity.actor)
    held = wing.followers.get(member.id, actor.id)
    follower = Follower(
        actor.id,
        actor.inbox,
        actor.shared_inbox,
        activity.id,
        (held is not None and held.accepted) or moderation.is_welcome(wing, member, actor.id),
        activity.at,
    )
    if moderation.blocks(wing, member, actor.id) or presence.moved_to(
        wing.presented(member).annotation
    ):
        await drop_follower(wing, member, follower)
        return
    kind = "follow" if follower.accepted else "follow_request"
    to = (Iri(f"{NOTICE}:{actor.id}"),)
    telling = [Outgoing(member.id, f"{activity.id}#{NOTICE}", kind.encode(), to)]
    if follower.accepted:
        telling.append(await answer_of(wing, member, follower, "Accept"))
    await wing.followers.put(member.id, follower, activity.at, telling=telling)
    wing.outgoing.set()


async def note(wing: Wing, delivery: Delivery) -> None:
    """Tell a member of a follow: an errand, as it has to outlive what kills the pod just then."""
    kind, actor = delivery.body.decode(), Iri(delivery.target.removeprefix(f"{NOTICE}:"))
    await wing.herald(lambda herald: herald.note(delivery.member, kind, actor, ""))


async def on_follow_again(wing: Wing, activity: Activity) -> None:
    """Repeat the answer to a follow that stands: its first one may have been lost."""
    member = wing.local_actor(activity.object or "")
    held = wing.followers.get(member.id, activity.actor) if member is not None else None
    if member is None or held is None or held.follow_id != activity.id or not held.accepted:
        return
    await wing.queue.enqueue([await answer_of(wing, member, held, "Accept")], wing.clock.now())
    wing.outgoing.set()


async def follow_here(wing: Wing, follower: Member, member: Member) -> None:
    """Let a member of this pod follow another, ask to, or follow no more, as their records say."""
    paths = wing.reader.about(follower.id, AT_FOLLOWS, member.did)
    records = (wing.reader.resource(follower.id, path) for path in paths)
    ids = [wing.published(follower, each).id for each in records if each is not None]
    held, now = wing.followers.get(member.id, follower.webid), wing.clock.now()
    is_record = held is None or AT_FOLLOWS in held.follow_id
    if moderation.is_severed(wing, member, follower) or (is_record and not ids):
        await wing.followers.remove(member.id, follower.webid, now)
    elif is_record and (held is None or held.follow_id not in ids):
        is_welcome = moderation.is_welcome(wing, member, follower.webid)
        inbox = Iri(f"{follower.origin}/inbox")
        asks = Follower(follower.webid, inbox, wing.shared_inbox, ids[0], is_welcome, now)
        await wing.followers.put(member.id, asks, now, telling=())


async def let_in(wing: Wing, member: Member) -> None:
    """Let those follow who waited for a member who answers no wishes any more."""
    for asked in wing.followers.waiting(member.id, limit=_MOST_WAITING):
        if moderation.is_welcome(wing, member, asked.actor):
            await accept(wing, member, asked)


async def accept(wing: Wing, member: Member, asked: Follower) -> None:
    """Let an actor follow who asked to, and tell them so, in one transaction."""
    telling = await _told(wing, member, asked, "Accept")
    follower, now = replace(asked, accepted=True), wing.clock.now()
    await wing.followers.put(member.id, follower, now, telling=telling)
    wing.outgoing.set()


async def drop_follower(wing: Wing, member: Member, follower: Follower) -> None:
    """Let an actor follow no more, and tell them so, in one transaction.

    The record of a member of this pod goes first: what is left of a crash is a wish to be answered.
    """
    other = wing.local_actor(follower.actor)
    if other is not None:
        paths = wing.reader.about(other.id, AT_FOLLOWS, member.did)
        ends = [Delete(path, missing_ok=True) for path in paths]
        await wing.write.apply(SYSTEM, other.id, ends)
    telling = await _told(wing, member, follower, "Reject")
    await wing.followers.remove(member.id, follower.actor, wing.clock.now(), telling=telling)
    wing.outgoing.set()


async def _told(wing: Wing, member: Member, follower: Follower, kind: str) -> list[Outgoing]:
    """The answer, where anybody is to be told."""
    is_record = AT_FOLLOWS in follower.follow_id and wing.is_local(follower.actor)
    return [] if is_record else [await answer_of(wing, member, follower, kind)]


async def answer_of(wing: Wing, member: Member, follower: Follower, kind: str) -> Outgoing:
    """Accept or Reject; the same answer to the same follow is one activity."""
    follow = {
        "id": follower.follow_id,
        "type": "Follow",
        "actor": follower.actor,
        "object": member.webid,
    }
    digest = hashlib.sha256(follower.follow_id.encode()).hexdigest()[:32]
    activity = index.answer(kind, follow, member.webid, f"{member.webid}#{kind.lower()}/{digest}")
    return await outgoing(wing, member, index.document(activity), [follower.inbox])


async def on_accept(wing: Wing, activity: Activity) -> None:
    """Note that an actor lets a member follow, or quote; only the one who was asked may say so."""
    if await on_quote_answered(wing, activity, accepted=True):
        return
    found = _own_follow(wing, activity)
    if found is not None:
        member, path = found
        edge = Edge(path, "accept", activity.actor, "", activity.id, True, activity.at)
        await wing.edges.put(member, edge)


async def on_reject(wing: Wing, activity: Activity) -> None:
    """Forget a follow that an actor does not want (any more), or a stamp; one may ask again."""
    if await on_quote_answered(wing, activity, accepted=False):
        return
    found = _own_follow(wing, activity)
    if found is not None:
        member, path = found
        await wing.edges.remove(member, path, "accept", activity.actor)
        await _unfollow(wing, member, activity.actor)


async def on_block(wing: Wing, activity: Activity) -> None:
    """End what is between a member and an actor who blocks them, in both directions."""
    member = wing.local_actor(activity.object or "")
    if member is None:
        return
    edge = Edge(ME, "block", activity.actor, "", activity.id, False, activity.at)
    await wing.edges.put(member.id, edge)
    await wing.followers.remove(member.id, activity.actor, activity.at)
    await _unfollow(wing, member.id, activity.actor)


async def undo_relation(wing: Wing, actor: Iri, kinds: frozenset[str], target: Iri) -> None:
    """Take back a follow or block that is told in full rather than named."""
    member = wing.local_actor(target)
    if member is not None and "Follow" in kinds:
        await wing.followers.remove(member.id, actor, wing.clock.now())
    if member is not None and "Block" in kinds:
        await wing.edges.remove(member.id, ME, "block", actor)


def accepted_follow(wing: Wing, member: Member, follow: Resource, actor: Iri) -> bool:
    """Whether the followed actor said yes."""
    return wing.edges.held(member.id, follow.path, "accept", actor) is not None


async def _unfollow(wing: Wing, member: MemberId, actor: Iri) -> None:
    paths = wing.reader.about(member, FOLLOWS, actor)
    await wing.write.apply(SYSTEM, member, [Delete(path, missing_ok=True) for path in paths])


def _own_follow(wing: Wing, activity: Activity) -> tuple[MemberId, ResourcePath] | None:
    """The follow of ours that an answer is about: by its id, or by who follows whom."""
    inner: dict[str, Any] = read.node(activity.node, "object") or {}
    follower = wing.local_actor(read.iri(inner, "actor") or "")
    if follower is None:
        follower = _author_of(wing, activity.object or "")
    if follower is None:
        return None
    paths = moderation.followed_across(wing, follower.id, activity.actor)
    paths += wing.reader.about(follower.id, FOLLOWS, activity.actor)
    return (follower.id, paths[-1]) if paths else None


def _author_of(wing: Wing, follow: str) -> Member | None:
    """The member whose follow has this id."""
    for path in _FOLLOWS:
        origin, found, _ = follow.partition(path)
        if found:
            return wing.local_actor(f"{origin}/me")
    return None
