"""Rich text: words with features, and the facets (UTF-8 byte ranges) that records keep them as.

Spec: lexicon app.bsky.richtext.facet
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import regex


@dataclass(frozen=True, slots=True)
class Mention:
    """The words name a person."""

    did: str


@dataclass(frozen=True, slots=True)
class LinkTo:
    """The words lead to a web address."""

    uri: str


@dataclass(frozen=True, slots=True)
class Tag:
    """The words are a hashtag; ``tag`` has no ``#``."""

    tag: str


Feature = Mention | LinkTo | Tag


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of text whose characters share the same features."""

    text: str
    features: tuple[Feature, ...] = ()


FACET: Final = "app.bsky.richtext.facet"
_GRAPHEME: Final = regex.compile(r"\X")
_ELLIPSIS: Final = "…"


def graphemes(text: str) -> int:
    """How many characters a person sees (extended grapheme clusters)."""
    if text.isascii():
        return len(text) - text.count("\r\n")
    return len(_GRAPHEME.findall(text))


def cut(
    text: str, max_graphemes: int = 300, max_bytes: int = 3000, *, ending: str = _ELLIPSIS
) -> str:
    """The text if it is short enough, else its beginning and an ending, within both limits.

    Both limits must leave room for the ending. No character is cut in two.
    """
    if len(text.encode()) <= max_bytes and graphemes(text) <= max_graphemes:
        return text
    kept, room = [], max_bytes - len(ending.encode())
    for match in islice(_GRAPHEME.finditer(text), max_graphemes - graphemes(ending)):
        room -= len(match[0].encode())
        if room < 0:
            break
        kept.append(match[0])
    return "".join(kept).rstrip() + ending


def segments(text: str, facets: Sequence[Mapping[str, Any]]) -> tuple[Segment, ...]:
    """Cut a text at its facets; ranges that overlap or split a character are left out."""
    raw = text.encode()
    found: list[Segment] = []
    at = 0
    for start, end, facet in sorted(_ranges(raw, facets), key=lambda r: r[:2]):
        features = features_of(facet)
        if start < at or not features:
            continue
        if start > at:
            found.append(Segment(raw[at:start].decode()))
        found.append(Segment(raw[start:end].decode(), features))
        at = end
    if at < len(raw):
        found.append(Segment(raw[at:].decode()))
    return tuple(found)


def facets(parts: Sequence[Segment]) -> tuple[str, list[dict[str, Any]]]:
    """Text and facets of segments; the inverse of `segments`."""
    made: list[dict[str, Any]] = []
    at = 0
    for part in parts:
        end = at + len(part.text.encode())
        if part.features:
            made.append(
                {
                    "index": {"byteStart": at, "byteEnd": end},
                    "features": [_feature_data(f) for f in part.features],
                }
            )
        at = end
    return "".join(part.text for part in parts), made


def reanchor(old: str, kept: Sequence[Mapping[str, Any]], new: str) -> list[dict[str, Any]]:
    """Facets of an old text whose words still stand in the new one, moved to where they stand now.

    A facet in the common beginning or end of both texts moves along; any other survives where its
    words stand exactly once in what was written anew. All others are dropped, and so is one whose
    words have become part of a longer word.
    """
    before, after = old.encode(), new.encode()
    head = _common(before, after)
    tail = min(_common(before[::-1], after[::-1]), len(before) - head, len(after) - head)
    moved: list[dict[str, Any]] = []
    for start, end, facet in _ranges(before, kept):
        words = before[start:end]
        if end <= head:
            place = start
        elif start >= len(before) - tail:
            place = start + len(after) - len(before)
        else:
            # Only where it touches what was written anew; elsewhere it stood before, unmarked.
            room = max(0, head - len(words) + 1), len(after) - tail + len(words) - 1
            if after.count(words, *room) != 1:
                continue
            place = after.index(words, *room)
        grown = _outer_letters(after, place, place + len(words))
        if grown <= _outer_letters(before, start, end):
            index = {**facet["index"], "byteStart": place, "byteEnd": place + len(words)}
            moved.append({**facet, "index": index})
    return moved


def _common(one: bytes, other: bytes) -> int:
    """How many bytes two texts begin with in common."""
    shorter = min(len(one), len(other))
    return next((at for at in range(shorter) if one[at] != other[at]), shorter)


def _outer_letters(raw: bytes, start: int, end: int) -> set[str]:
    """On which sides a range is continued by a letter or digit."""
    sides = {"before": raw[:start].decode()[-1:], "after": raw[end:].decode()[:1]}
    return {side for side, neighbour in sides.items() if neighbour.isalnum()}


def _ranges(
    raw: bytes, facets: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[int, int, Mapping[str, Any]]]:
    """The ranges that mark whole characters of the text, at least one."""
    for facet in facets:
        match facet.get("index"):
            case {"byteStart": int(start), "byteEnd": int(end)} if 0 <= start < end <= len(raw):
                if not _splits(raw, start) and not _splits(raw, end):
                    yield start, end, facet


def _splits(raw: bytes, at: int) -> bool:
    return at < len(raw) and raw[at] & 0xC0 == 0x80


def features_of(facet: Mapping[str, Any]) -> tuple[Feature, ...]:
    """The mentions, links and tags of a facet."""
    listed = facet.get("features")
    if not isinstance(listed, list):
        return ()
    return tuple(feature for feature in map(_feature, listed) if feature is not None)


def _feature(data: Any) -> Feature | None:
    match data:
        case {"$type": "app.bsky.richtext.facet#mention", "did": str(did)}:
            return Mention(did)
        case {"$type": "app.bsky.richtext.facet#link", "uri": str(uri)}:
            return LinkTo(uri)
        case {"$type": "app.bsky.richtext.facet#tag", "tag": str(tag)}:
            return Tag(tag)
        case _:
            return None


def _feature_data(feature: Feature) -> dict[str, Any]:
    match feature:
        case Mention(did):
            return {"$type": f"{FACET}#mention", "did": did}
        case LinkTo(uri):
            return {"$type": f"{FACET}#link", "uri": uri}
        case Tag(tag):
            return {"$type": f"{FACET}#tag", "tag": tag}
