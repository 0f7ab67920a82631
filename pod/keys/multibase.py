"""Multibase base58btc, the text form of public keys: ``z`` and the bytes in Bitcoin's base 58.

Spec: https://www.w3.org/TR/cid-1.0/#multibase-0. Our own, as the general codec of the package
``multiformats`` takes a millisecond a key; a test holds the two together.
"""

from __future__ import annotations

from typing import Final

from pod.errors import Invalid

MAX_CHARS: Final = 200
"""Text that is read at most: the work grows with the square of its length."""

_DIGITS: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES: Final = {digit: value for value, digit in enumerate(_DIGITS)}


def encode(raw: bytes) -> str:
    """Bytes as multibase text."""
    number = int.from_bytes(raw, "big")
    digits: list[str] = []
    while number:
        number, rest = divmod(number, 58)
        digits.append(_DIGITS[rest])
    zeros = len(raw) - len(raw.lstrip(b"\0"))
    return "z" + "1" * zeros + "".join(reversed(digits))


def decode(text: str) -> bytes:
    """The bytes of multibase text; raises Invalid."""
    if not text.startswith("z") or len(text) > MAX_CHARS:
        raise Invalid("not a base58btc multibase text")
    number = 0
    for digit in text[1:]:
        value = _VALUES.get(digit)
        if value is None:
            raise Invalid("not a base58btc multibase text")
        number = number * 58 + value
    zeros = len(text) - 1 - len(text[1:].lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
