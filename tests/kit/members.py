"""A member and the clock that tests run by, without any store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pod.model.ids import Did, Handle, MemberId, Origin
from pod.model.member import Member, Standing

START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


class SteppingClock:
    """A clock that moves on by a millisecond whenever it is read."""

    def __init__(self, at: datetime = START) -> None:
        self._at = at

    def now(self) -> datetime:
        self._at += timedelta(milliseconds=1)
        return self._at


def a_member(number: int = 1, standing: Standing = Standing.ACTIVE) -> Member:
    """A member with a DID, a handle and an origin made from a number."""
    name = f"member{number}"
    digits = "abcdefghijklmnopqrstuvwxyz"
    return Member(
        MemberId(number),
        Did("did:plc:" + digits[number % 26] * 24),
        Handle(f"{name}.test"),
        Origin(f"https://{name}.example"),
        standing,
        START,
    )
