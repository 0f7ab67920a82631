"""The ``Range`` header: one range of bytes, or all of them.

Spec: RFC 9110 section 14
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes from ``start`` up to ``end`` (exclusive)."""

    start: int
    end: int


class Unsatisfiable(ValueError):
    """A range that lies outside the bytes."""


def span_of(header: str | None, size: int) -> Span | None:
    """The one range that a ``Range`` header asks for.

    None for no header, several ranges or another unit: then all is sent. Raises Unsatisfiable.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        length = int(match[2])
        if length == 0 or size == 0:
            raise Unsatisfiable
        return Span(max(0, size - length), size)
    start = int(match[1])
    end = int(match[2]) + 1 if match[2] else size
    if match[2] and end <= start:
        return None
    if start >= size:
        raise Unsatisfiable
    return Span(start, min(end, size))
