"""Rich text: words with features, and the facets (UTF-8 byte ranges) that records keep them as.

Spec: lexicon app.bsky.richtext.facet
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


def graphemes(text: str) -> int:
    """How many characters a person sees (extended grapheme clusters)."""
    if text.isascii():
        return len(text) - text.count("\r\n")
    return len(_GRAPHEME.findall(text))


def segments(text: str, facets: Sequence[Mapping[str, Any]]) -> tuple[Segment, ...]:
    """Cut a text at its facets; ranges that overlap or split a character are left out."""
    raw = text.encode()
    found: list[Segment] = []
    at = 0
    for start, end, facet in sorted(_ranges(facets), key=lambda r: r[:2]):
        features = tuple(f for f in map(_feature, facet.get("features", ())) if f is not None)
        if start < at or end > len(raw) or end <= start or not features:
            continue
        if _splits(raw, start) or _splits(raw, end):
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

    A facet in the common beginning or end of both texts moves along; one in between survives where
    its words stand exactly once in what was edited; all others are dropped.
    """
    a, b = old.encode(), new.encode()
    head = next(
        (i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b))
    )
    room = min(len(a), len(b)) - head
    tail = 0
    while tail < room and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    moved: list[dict[str, Any]] = []
    for start, end, facet in _ranges(kept):
        words = a[start:end]
        if end <= head:
            place = start
        elif start >= len(a) - tail:
            place = start + len(b) - len(a)
        elif b.count(words) == 1 and words:
            place = b.index(words)
        else:
            continue
        if b[place : place + len(words)] == words:
            moved.append({**facet, "index": {"byteStart": place, "byteEnd": place + len(words)}})
    return moved


def _ranges(facets: Sequence[Mapping[str, Any]]) -> list[tuple[int, int, Mapping[str, Any]]]:
    found = []
    for facet in facets:
        index = facet.get("index")
        if isinstance(index, Mapping):
            start, end = index.get("byteStart"), index.get("byteEnd")
            if isinstance(start, int) and isinstance(end, int) and start >= 0:
                found.append((start, end, facet))
    return found


def _splits(raw: bytes, at: int) -> bool:
    return at < len(raw) and raw[at] & 0xC0 == 0x80


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
