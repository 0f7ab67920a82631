"""A member's collections: outbox, followers, following, liked, featured.

Spec: https://www.w3.org/TR/activitypub/#collections
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final

from adapters.activitypub import moderation
from adapters.activitypub.deliver.reactor import activity_of
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import PUBLIC, without_context
from adapters.activitypub.lens import act, index
from adapters.activitypub.lens.act import FOLLOWS, LIKES
from adapters.activitypub.lens.collection import collection, counted, page
from adapters.activitypub.lens.presence import many
from adapters.activitypub.lens.published import View
from adapters.activitypub.pins import pinned_by
from adapters.activitypub.receive.relation import accepted_follow
from adapters.activitypub.wing import Wing
from pod.errors import Gone, Invalid, NotFound
from pod.model.change import Change
from pod.model.ids import Iri, Tid
from pod.model.member import Member
from pod.model.relation import Relation
from pod.model.resource import Resource
from pod.read import NOTES_PREFIX, noun_of

PAGE: Final = 20
FOLLOWERS_PAGE: Final = 100
LOOKED_AT: Final = 500
"""Ops that one page of the outbox looks at; it may show fewer posts than it has room for."""

_REPOSTS: Final = "/repo/app.bsky.feed.repost/"
_LIKES: Final = "/repo/app.bsky.feed.like/"
_AT_FOLLOWS: Final = "/repo/app.bsky.graph.follow/"
_SHOWN: Final = frozenset({"Create", "Announce"})
_NAME: Final = re.compile(r"([2-7a-z]{13})-([0-9]{1,6})")
_POSITION: Final = re.compile(r"([0-9]{1,18})\.([0-9]{1,9})")


def outbox(wing: Wing, member: Member, at: str | None) -> View:
    """What a member posted, newest first: the Creates and Announces of what still stands."""
    outbox_id = f"{member.origin}/outbox"
    if at is None:
        total = sum(wing.log.count(member.id, prefix) for prefix in (NOTES_PREFIX, _REPOSTS))
        return collection(outbox_id, total)
    items: list[View] = []
    for looked_at, (change, place) in enumerate(_ops_before(wing, member, _position(at))):
        if len(items) == PAGE or looked_at == LOOKED_AT:
            return page(outbox_id, at, items, f"{change.seq}.{place + 1}")
        op = change.ops[place]
        name = f"{outbox_id}/{change.rev}-{place}"
        activity = activity_of(wing, member, op, name) if op.action == "create" else None
        is_shown = activity is not None and activity["type"] in _SHOWN
        if activity is not None and is_shown and PUBLIC in read.recipients(activity):
            items.append(without_context(activity))
    return page(outbox_id, at, items, None)


def activity(wing: Wing, member: Member, name: str) -> View:
    """The activity with a name of the outbox, a document of its own; raises NotFound and Gone."""
    match = _NAME.fullmatch(name)
    change = wing.log.at(member.id, Tid(match.group(1))) if match else None
    if match is None or change is None or int(match.group(2)) >= len(change.ops):
        raise NotFound
    op = change.ops[int(match.group(2))]
    if not op.path.startswith("/repo/"):
        raise NotFound
    found = activity_of(wing, member, op, f"{member.origin}/outbox/{name}")
    if found is None:
        raise Gone
    return found


def followers(wing: Wing, member: Member, at: str | None) -> View:
    """Who follows a member."""
    followers_id = f"{member.origin}/followers"
    if at is None:
        return collection(followers_id, wing.followers.count(member.id))
    found = wing.followers.page(member.id, after=at, limit=FOLLOWERS_PAGE)
    following = found[-1].actor if len(found) == FOLLOWERS_PAGE else None
    return page(followers_id, at, [follower.actor for follower in found], following)


def following(wing: Wing, member: Member, at: str | None) -> View:
    """Whom a member follows: actors who accepted, and members of this pod."""

    def followed(after: str) -> Iterator[tuple[str, str]]:
        for resource, actor in _acts(wing, member, FOLLOWS, after):
            if accepted_follow(wing, member, resource, actor):
                yield resource.path, actor
        for path, webid in _objects(wing, member, _AT_FOLLOWS, after):
            other = wing.local_actor(webid)
            if other is not None and moderation.is_follower(wing, other, member.webid):
                yield path, webid

    total = sum(wing.log.count(member.id, prefix) for prefix in (FOLLOWS, _AT_FOLLOWS))
    return _listed(f"{member.origin}/following", followed, at, total)


def liked(wing: Wing, member: Member, at: str | None) -> View:
    """What a member likes, as far as it has a place in the fediverse."""

    def likes(after: str) -> Iterator[tuple[str, str]]:
        for each, about in _acts(wing, member, LIKES, after):
            is_for_some = wing.is_local(about) and wing.local_object(about) is None
            if not is_for_some:
                yield each.path, about
        yield from _objects(wing, member, _LIKES, after)

    total = sum(wing.log.count(member.id, prefix) for prefix in (LIKES, _LIKES))
    return _listed(f"{member.origin}/liked", likes, at, total)


def _listed(
    collection_id: str,
    entries: Callable[[str], Iterator[tuple[str, str]]],
    at: str | None,
    total: int,
) -> View:
    """A collection whose entries lie at paths: whole while it is short, then in pages.

    ``total`` counts what there is when it is too much to look at.
    """
    found = list(islice(entries(at or ""), FOLLOWERS_PAGE + 1))
    items = list(dict.fromkeys(entry for _, entry in found[:FOLLOWERS_PAGE]))
    is_last = len(found) <= FOLLOWERS_PAGE
    if at is None:
        if is_last:
            return collection(collection_id, len(items), items=items)
        return collection(collection_id, total)
    return page(collection_id, at, items, None if is_last else found[FOLLOWERS_PAGE - 1][0])


def featured_tags(wing: Wing, member: Member) -> View:
    """The hashtags that a member shows on their profile."""
    annotation = wing.presented(member).annotation
    tags = [tag for tag in many(annotation, "tag") if "Hashtag" in read.types(tag)]
    return counted(f"{member.origin}/featured-tags", len(tags), tags)


def featured(wing: Wing, member: Member) -> View:
    """The pinned posts, the newest pin first."""
    found = (wing.local_object(iri) for iri in pinned_by(wing, member))
    views = [index.get(wing.published(*place)) for place in found if place is not None]
    items = [view for view in views if view is not None]
    return collection(f"{member.origin}/featured", len(items), items=items)


def offset(at: str) -> int:
    """How many items stand before a page; raises Invalid."""
    if not (at or "0").isascii() or not (at or "0").isdecimal() or len(at) > 6:
        raise Invalid("There is no such page.")
    return int(at or "0")


def _objects(wing: Wing, member: Member, prefix: str, after: str) -> Iterator[tuple[str, str]]:
    """The relations in a collection that have a place in the fediverse, with their paths."""
    for resource in _resources(wing, member, prefix, after):
        if isinstance(noun_of(resource), Relation):
            view: dict[str, Any] | None = index.get(wing.published(member, resource))
            if view is not None:
                yield resource.path, view["object"]


def _acts(wing: Wing, member: Member, folder: str, after: str) -> Iterator[tuple[Resource, Iri]]:
    """A member's acts of a kind, each with what it is about."""
    for resource in _resources(wing, member, folder, after):
        view = act.get(member, resource)
        target = act.object_of(view) if view is not None else None
        if target is not None:
            yield resource, target


def _resources(wing: Wing, member: Member, prefix: str, after: str) -> Iterator[Resource]:
    """All resources under a prefix whose paths come after one, page by page."""
    start: str | None = after
    while found := wing.reader.resources(member.id, prefix, after=start, limit=FOLLOWERS_PAGE):
        yield from found
        start = found[-1].path


def _ops_before(
    wing: Wing, member: Member, position: tuple[int, int] | None
) -> Iterator[tuple[Change, int]]:
    """A member's ops, newest first, from just below a change's seq and a place among its ops."""
    seq, top = position if position is not None else (None, 0)
    before = seq + 1 if seq is not None else None
    while changes := wing.log.page(member.id, before=before, limit=PAGE):
        for change in changes:
            count = len(change.ops)
            for place in range(min(top, count) if change.seq == seq else count, 0, -1):
                yield change, place - 1
        before = changes[-1].seq


def _position(at: str) -> tuple[int, int] | None:
    if not at:
        return None
    match = _POSITION.fullmatch(at)
    if match is None:
        raise Invalid("There is no such page.")
    return int(match.group(1)), int(match.group(2))
