"""DAG-CBOR set by hand: the few shapes that the repository and the firehose write all day.

Spec: https://atproto.com/specs/data-model
"""

from __future__ import annotations

from typing import Final

NULL: Final = b"\xf6"
FALSE: Final = b"\xf4"
TRUE: Final = b"\xf5"
LINK: Final = b"\xd8\x2a\x58\x25\x00"
"""What stands before the 36 bytes of a CID."""


def head(major: int, number: int) -> bytes:
    """The shortest head of an item: major type 0-7 and its number, below 2**64."""
    top = major << 5
    if number < 24:
        return bytes((top | number,))
    if number < 0x100:
        return bytes((top | 24, number))
    if number < 0x10000:
        return bytes((top | 25,)) + number.to_bytes(2, "big")
    if number < 0x100000000:
        return bytes((top | 26,)) + number.to_bytes(4, "big")
    return bytes((top | 27,)) + number.to_bytes(8, "big")


def uint(number: int) -> bytes:
    """A non-negative integer."""
    return head(0, number)


def text(value: str) -> bytes:
    """A text string."""
    raw = value.encode()
    return head(3, len(raw)) + raw


def link(cid: bytes | None) -> bytes:
    """A CID link, or null."""
    return NULL if cid is None else LINK + cid
