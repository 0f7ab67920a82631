"""What a record says in words for readers without warnings and polls, and the words without that.

A content warning stands before the words, the choices of a poll and the names of files that the
record cannot show after them, and words that are too
many end in a link to the whole. `unwrap` finds the author's own words again.

Spec: lexicon app.bsky.feed.post (text: at most 300 graphemes)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from adapters.activitypub.lens import poll
from adapters.activitypub.lens.published import INTERNAL
from pod.model.ids import Iri
from pod.model.richtext import LinkTo, Segment, cut, graphemes

MORE: Final = "[…]"
_GRAPHEMES: Final = 300
_BYTES: Final = 3000
_BREAK: Final = "\n\n"
_WARNING_GRAPHEMES: Final = 80
_CHOICES_GRAPHEMES: Final = 160
_CHOICES_BYTES: Final = 1200


def wrap(words: tuple[Segment, ...], beside: Mapping[str, Any], url: Iri) -> tuple[Segment, ...]:
    """The words as the record has them, with what stands ``beside`` it; ``url`` is the whole."""
    head, tail = _head(beside), _tail(beside)
    taken = [part + _BREAK for part in (head, tail) if part]
    room = _GRAPHEMES - sum(map(graphemes, taken))
    body = _shortened(words, url, room, _BYTES - sum(len(part.encode()) for part in taken))
    parts = [part for part in ((Segment(head),), body, (Segment(tail),)) if part != (Segment(""),)]
    whole: list[Segment] = []
    for place, part in enumerate(filter(None, parts)):
        whole += [Segment(_BREAK)] if place else []
        whole += part
    return joined(whole)


def unwrap(words: tuple[Segment, ...], beside: Mapping[str, Any]) -> tuple[Segment, ...]:
    """The author's own words, of which `wrap` made the record's."""
    plain = "".join(segment.text for segment in words)
    start, end = 0, len(plain)
    head, tail = _head(beside), _tail(beside)
    if head and (plain == head or plain.startswith(head + _BREAK)):
        start = min(len(head + _BREAK), end)
    if tail and plain[start:] == tail:
        end = start
    elif tail and plain[start:].endswith(_BREAK + tail):
        end -= len(_BREAK + tail)
    return _between(words, start, end)


def joined(parts: Sequence[Segment]) -> tuple[Segment, ...]:
    """The segments, plain neighbours made one, empty ones left out."""
    found: list[Segment] = []
    for part in parts:
        if found and not part.features and not found[-1].features:
            found[-1] = Segment(found[-1].text + part.text)
        elif part.text:
            found.append(part)
    return tuple(found)


def _head(beside: Mapping[str, Any]) -> str:
    warning = beside.get("summary")
    if not isinstance(warning, str) or not warning.strip():
        return ""
    return f"[{cut(warning, _WARNING_GRAPHEMES, 600)}]"


def _tail(beside: Mapping[str, Any]) -> str:
    lines = [f"○ {name}" for name in poll.choices(beside)]
    files = beside.get(INTERNAL, {}).get("files", [])
    lines += [f"📎 {part.get('name') or part['type']}" for part in files]
    return cut("\n".join(lines), _CHOICES_GRAPHEMES, _CHOICES_BYTES)


def _shortened(
    words: tuple[Segment, ...], url: Iri, max_graphemes: int, max_bytes: int
) -> tuple[Segment, ...]:
    """As much of the words as there is room for, and then a link to the whole."""
    whole = "".join(segment.text for segment in words)
    short = cut(whole, max_graphemes, max_bytes, ending=f" {MORE}")
    if short == whole:
        return words
    kept = _between(words, 0, len(short) - len(MORE) - 1)
    return joined([*kept, Segment(" "), Segment(MORE, (LinkTo(url),))])


def _between(words: tuple[Segment, ...], start: int, end: int) -> tuple[Segment, ...]:
    """The characters from ``start`` up to ``end``; a segment that is cut keeps no features."""
    at, found = 0, list[Segment]()
    for segment in words:
        text = segment.text[max(0, start - at) : max(0, end - at)]
        whole = text == segment.text
        found.append(segment if whole else Segment(text))
        at += len(segment.text)
    return joined(found)
