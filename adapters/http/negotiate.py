"""Proactive content negotiation: which of the offered media types answers an Accept header.

Spec: RFC 9110 sections 8.3 and 12.5.1 (https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

AS2_PROFILE: Final = "https://www.w3.org/ns/activitystreams"
_ITEM: Final = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_PARAMETER: Final = re.compile(
    r""";\s*([!#$%&'*+\-.^_`|~\w]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))"""
)
_TYPE: Final = re.compile(r"\s*([!#$%&'*+\-.^_`|~\w]+)/([!#$%&'*+\-.^_`|~\w]+)\s*")
_ACTIVITY: Final = re.compile(r"(?i)\s*application/(?:activity|ld)\+json\b")
_MAX_ACCEPT: Final = 4096


@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type or range, lower-cased; parameters sorted, without ``q`` and ``charset``."""

    type: str
    subtype: str
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def essence(self) -> str:
        """``type/subtype`` without parameters."""
        return f"{self.type}/{self.subtype}"

    @property
    def breadth(self) -> int:
        """0 for ``*/*``, 1 for ``type/*``, 2 for a full type."""
        return (self.type != "*") + (self.subtype != "*")

    def covers(self, offer: MediaType) -> bool:
        """Whether this range covers an offered type; a profile may be one of several."""
        if self.type not in ("*", offer.type) or self.subtype not in ("*", offer.subtype):
            return False
        held = dict(offer.parameters)
        return all(
            set(value.split()) <= set(held.get(name, "").split())
            if name == "profile"
            else held.get(name) == value
            for name, value in self.parameters
        )


@dataclass(frozen=True, slots=True)
class _Range:
    media: MediaType
    q: float


def parse_media_type(text: str) -> MediaType | None:
    """A Content-Type value or media range as its parts; None if it is not one."""
    parsed = _parse(text)
    return parsed.media if parsed else None


def harmless(media_type: str) -> str:
    """The type under which an upload goes out: never as an activity.

    Peers take those of an origin for the word of who lives there.
    """
    return "application/octet-stream" if _ACTIVITY.match(media_type) else media_type


def _parse(text: str) -> _Range | None:
    head = _TYPE.match(text)
    if head is None:
        return None
    q = 1.0
    parameters = []
    for match in _PARAMETER.finditer(text, head.end()):
        name = match[1].lower()
        value = re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3]
        if name == "q":
            q = _weight(value)
        elif name != "charset":
            parameters.append((name, value))
    media = MediaType(head[1].lower(), head[2].lower(), tuple(sorted(parameters)))
    return _Range(media, q)


def _weight(text: str) -> float:
    return float(text) if re.fullmatch(r"0(\.\d{0,3})?|1(\.0{0,3})?", text) else 0.0


def _ranges(accept: str) -> Iterator[_Range]:
    for item in _ITEM.findall(accept[:_MAX_ACCEPT]):
        parsed = _parse(item)
        if parsed is not None:
            yield parsed


def choose(accept: str | None, offered: Sequence[str]) -> str | None:
    """The offered media type that answers ``accept`` best; None means 406.

    Among equally wanted offers the more exact match wins, then the asker's order, then ours. A
    parameter that no offer has (a JSON-LD profile we do not make) is a hint, not a refusal.
    """
    ranges = (
        list(_ranges(accept)) if accept and accept.strip() else [_Range(MediaType("*", "*"), 1)]
    )
    exact = _best(ranges, offered)
    if exact is not None:
        return exact
    return _best([_Range(MediaType(r.media.type, r.media.subtype), r.q) for r in ranges], offered)


def _best(ranges: Sequence[_Range], offered: Sequence[str]) -> str | None:
    best: tuple[float, ...] | None = None
    winner: str | None = None
    for text in offered:
        offer = parse_media_type(text)
        if offer is None:
            continue
        found = _deciding(ranges, offer)
        if found is None:
            continue
        position, decider = found
        unasked = len(offer.parameters) - len(decider.media.parameters)
        rank = (decider.q, decider.media.breadth, -position, -unasked)
        if decider.q > 0 and (best is None or rank > best):
            best, winner = rank, text
    return winner


def _deciding(ranges: Sequence[_Range], offer: MediaType) -> tuple[int, _Range] | None:
    """The most specific range that covers an offer, with its place in the header."""
    covering = [(i, r) for i, r in enumerate(ranges) if r.media.covers(offer)]
    return max(
        covering,
        key=lambda found: (found[1].media.breadth, len(found[1].media.parameters), -found[0]),
        default=None,
    )
