"""Like, EmojiReact, Announce and Undo: what actors do to members' posts, and take back.

Misskey says its reactions as a `Like` with words: that is a like and a reaction.

Spec: https://www.w3.org/TR/activitypub/#like-activity-inbox and https://w3id.org/fep/c0e0
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from adapters.activitypub import circle
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import PUBLIC
from adapters.activitypub.moderation import hears
from adapters.activitypub.receive.activity import Activity
from adapters.activitypub.receive.relation import undo_relation
from adapters.activitypub.wing import Wing
from adapters.http.throttle import Limit
from pod.errors import Throttled
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.peer import Edge, EdgeKind
from pod.model.resource import Resource

_LONGEST_EMOJI: Final = 128
EMOJI: Final = Limit(20, 86_400)
"""Emoji that one actor gives one post in a day."""

_TOLD_AS: Final[dict[EdgeKind, str]] = {"like": "favourite", "announce": "reblog"}
_UNDONE: Final[tuple[tuple[str, EdgeKind], ...]] = (
    ("Like", "like"),
    ("Like", "react"),
    ("Announce", "announce"),
)
"""What the Undo of an activity whose id we do not know takes back; an emoji has its id."""


async def on_like(wing: Wing, activity: Activity) -> None:
    """Count a like of a member's post, and its emoji where it has one."""
    await _react(wing, activity, "like", is_public=True)
    await on_emoji_react(wing, activity)


async def on_emoji_react(wing: Wing, activity: Activity) -> None:
    """Count an emoji of an actor, each once; of too many for one post no more are counted."""
    emoji = read.text(activity.node, "content") or read.text(activity.node, "_misskey_reaction")
    if not emoji or len(emoji) > _LONGEST_EMOJI:
        return
    with suppress(Throttled):
        wing.throttle.take(f"emoji {activity.actor} {activity.object}", EMOJI)
        await _react(wing, activity, "react", is_public=True, emoji=emoji)


async def on_announce(wing: Wing, activity: Activity) -> None:
    """Count a boost of a member's post, and let those see it who follow the booster."""
    is_public = PUBLIC in read.recipients(activity.node)
    await _react(wing, activity, "announce", is_public=is_public)
    target = activity.object
    if target is not None:
        await wing.herald(lambda herald: herald.boost(activity.node, activity.actor, target))


async def on_undo(wing: Wing, activity: Activity) -> None:
    """Take back a follow, like, boost or block of the same actor, named by id or told in full."""
    undone = activity.object
    if undone is not None:
        await wing.followers.remove_follow(activity.actor, undone)
        await wing.edges.remove_activity(activity.actor, undone)
        await wing.herald(lambda herald: herald.gone(undone, activity.actor))
    inner = read.node(activity.node, "object")
    target = read.iri(inner, "object") if inner is not None else None
    if inner is None or target is None or read.iri(inner, "actor") != activity.actor:
        return
    kinds = read.types(inner)
    await undo_relation(wing, activity.actor, kinds, target)
    found = _post(wing, target, activity.actor)
    for name, kind in _UNDONE:
        if found is not None and name in kinds:
            await wing.edges.remove(found[0].id, found[1].path, kind, activity.actor)


def _post(wing: Wing, target: str, actor: Iri) -> tuple[Member, Resource] | None:
    """A post of a member that an actor may see."""
    public = wing.local_object(target)
    narrow = circle.found(wing, target, actor) if public is None else None
    return narrow[:2] if narrow is not None else public


async def _react(
    wing: Wing, activity: Activity, kind: EdgeKind, *, is_public: bool, emoji: str = ""
) -> None:
    target = activity.object or ""
    is_open = kind == "announce"
    found = wing.local_object(target) if is_open else _post(wing, target, activity.actor)
    if found is not None and hears(wing, found[0], activity.actor):
        member, resource = found
        edge = Edge(resource.path, kind, activity.actor, emoji, activity.id, is_public, activity.at)
        await wing.edges.put(member.id, edge)
        told = _TOLD_AS.get(kind)
        if told is not None:
            await wing.herald(lambda herald: herald.note(member.id, told, activity.actor, target))
