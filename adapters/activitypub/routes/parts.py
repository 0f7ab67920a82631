"""What belongs to a post, below ``?c=``: replies, likes, shares, emoji, its thread, its stamps.

Of likes and shares only the number is told. Only what is public is told.

Spec: https://www.w3.org/TR/activitypub/#likes, https://w3id.org/fep/7888 and .../fep/044f
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from adapters.activitypub.lens import index, quote
from adapters.activitypub.lens.collection import counted, part, with_first_page
from adapters.activitypub.lens.published import Published, View
from adapters.activitypub.routes.collections import offset
from adapters.activitypub.wing import Wing
from pod.errors import NotFound
from pod.model.ids import Iri
from pod.model.note import Note
from pod.model.peer import EdgeKind
from pod.model.resource import ResourcePath
from pod.read import NOTES_PREFIX, noun_of

PAGE: Final = 100
MOST: Final = 1_000
"""Items of one collection that are shown."""

_COUNTED: Final[dict[str, tuple[EdgeKind, str]]] = {
    "likes": ("like", "/repo/app.bsky.feed.like/"),
    "shares": ("announce", "/repo/app.bsky.feed.repost/"),
}


def part_of(wing: Wing, published: Published, query: Mapping[str, str]) -> View | None:
    """What ``?c=`` asks for, None for what a post has not; raises NotFound for no such stamp."""
    name = query.get("c", "")
    if name in _COUNTED:
        return counted(f"{published.id}?c={name}", count(wing, published, name))
    match name:
        case "replies":
            return _page(f"{published.id}?c=replies", _replies(wing, published), query.get("page"))
        case "context":
            return _page(f"{published.id}?c=context", _thread(wing, published), query.get("page"))
        case "reactions":
            return _emoji(wing, published)
        case "stamp":
            return _stamp(wing, published, query.get("of", ""))
        case "request":
            return _request(published)
        case _:
            return None


def count(wing: Wing, published: Published, name: str) -> int:
    """How many like or share a post: elsewhere, and its author, whom nobody had to tell."""
    member, path = published.author, published.resource.path
    kind, records = _COUNTED[name]
    own = wing.reader.about(member.id, records, member.at_uri(path))
    return wing.edges.count(member.id, path, kind) + len(own)


def _page(collection_id: str, items: list[Iri], at: str | None) -> View:
    start = offset(at or "")
    shown = items[start : start + PAGE]
    following = str(start + PAGE) if start + PAGE < len(items) else None
    if at is None:
        return with_first_page(collection_id, len(items), shown, following)
    return part(collection_id, at, shown, following)


def _replies(wing: Wing, published: Published) -> list[Iri]:
    """The public replies, the author's own first, as Mastodon wants them."""
    member, path = published.author, published.resource.path
    kept = wing.edges.page(member.id, path, "reply", limit=MOST)
    return list(dict.fromkeys([*_own(wing, published), *(Iri(edge.object) for edge in kept)]))


def _own(wing: Wing, published: Published) -> list[Iri]:
    member = published.author
    uri = member.at_uri(published.resource.path)
    found = [
        wing.reader.resource(member.id, path)
        for path in wing.reader.about(member.id, NOTES_PREFIX, uri)
    ]
    return [wing.published(member, reply).id for reply in found if reply is not None]


def _thread(wing: Wing, published: Published) -> list[Iri]:
    """A post and all that is known to follow it, each after what it answers."""
    found: dict[Iri, None] = {published.id: None}
    waiting = [published]
    while waiting and len(found) < MOST:
        for reply in _replies(wing, waiting.pop(0)):
            place = wing.local_object(reply) if reply not in found else None
            found[reply] = None
            if place is not None:
                waiting.append(wing.published(*place))
    return list(found)[:MOST]


def _emoji(wing: Wing, published: Published) -> View:
    """How often each emoji was given."""
    member, path = published.author, published.resource.path
    objects, _ = wing.edges.tally(member.id, path, "react")
    reactions = [
        {"type": "EmojiReact", "content": emoji, "totalItems": times}
        for emoji, times in sorted(objects.items())
    ]
    view = counted(f"{published.id}?c=reactions", sum(objects.values()))
    return {**view, "items": reactions}


def _stamp(wing: Wing, published: Published, quoting: str) -> View:
    """The permission that a quoting note was given."""
    member, path = published.author, published.resource.path
    given = wing.edges.find(member.id, path, "quote", quoting) is not None
    if not given and not _quotes(wing, published, path, quoting):
        raise NotFound
    return quote.stamp(published, Iri(quoting))


def _quotes(wing: Wing, published: Published, path: ResourcePath, quoting: str) -> bool:
    """Whether a note of this pod quotes the post, as its author allows."""
    place = wing.local_object(quoting)
    noun = noun_of(place[1]) if place is not None else None
    is_quote = isinstance(noun, Note) and noun.quote is not None
    if not is_quote or not isinstance(noun, Note) or noun.quote is None:
        return False
    return noun.quote.uri == published.author.at_uri(path) and quote.may_quote(published)


def _request(published: Published) -> View:
    """The wish of this note to quote something on another server."""
    view, target = index.get(published), published.annotation.get("quote")
    author = published.internal.get("quoteAuthor")
    if view is None or target is None or author is None:
        raise NotFound
    return {**quote.request(view, Iri(target), author), "instrument": published.id}
