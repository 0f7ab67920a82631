"""Timestamp identifiers: record keys and revisions that sort by time.

Spec: https://atproto.com/specs/tid
"""

from __future__ import annotations

import secrets

from pod.errors import Invalid
from pod.model.ids import Tid
from pod.ports import Clock

_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
_VALUE = {digit: value for value, digit in enumerate(_DIGITS)}
_CLOCK_BITS = 10
_MAX_US = 2**53 - 1


def tid_from_us(us: int, clock_id: int) -> Tid:
    """The TID of microseconds since 1970 (53 bits) on a clock (10 bits); raises Invalid."""
    if not 0 <= us <= _MAX_US or not 0 <= clock_id < 1 << _CLOCK_BITS:
        raise Invalid("the time does not fit in a TID")
    number = us << _CLOCK_BITS | clock_id
    return Tid("".join(_DIGITS[number >> shift & 31] for shift in range(60, -1, -5)))


def tid_to_us(tid: Tid) -> int:
    """Microseconds since 1970 that a TID stands for."""
    number = 0
    for digit in tid:
        number = number << 5 | _VALUE[digit]
    return number >> _CLOCK_BITS


class TidClock:
    """Gives out TIDs that never repeat and never run backwards, whatever the clock does."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._clock_id = secrets.randbelow(1 << _CLOCK_BITS)
        self._last_us = 0

    def next(self, after: Tid | None = None) -> Tid:
        """A TID later than any before it, and later than ``after``.

        ``after`` (the last revision of a repo) may lie far in the future. It then moves only this
        answer, not the clock that everyone shares. Raises Invalid when no TID is left after it.
        """
        now = self._clock.now()
        self._last_us = max(int(now.timestamp() * 1_000_000), self._last_us + 1)
        us = self._last_us if after is None else max(self._last_us, tid_to_us(after) + 1)
        return tid_from_us(us, self._clock_id)
