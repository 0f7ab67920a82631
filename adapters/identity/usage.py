"""How a server, or one member's domain, is used: the numbers that NodeInfo tells.

Spec: https://nodeinfo.diaspora.software/docson/index.html#/ns/schema/2.1 (usage)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from pod.model.ids import MemberId
from pod.model.member import Member
from pod.ports import Clock, Reader
from pod.read import NOTES_PREFIX

COUNTED_EVERY: Final = timedelta(minutes=10)
MONTH: Final = timedelta(days=30)
HALF_YEAR: Final = timedelta(days=180)
_PAGE: Final = 100

Count = Callable[[MemberId, str], int]
"""How many resources of a member stand under a path."""


@dataclass(frozen=True, slots=True)
class Used:
    """Members, those who wrote anything within a month and half a year, and their posts."""

    members: int = 0
    month: int = 0
    half_year: int = 0
    posts: int = 0

    def __add__(self, other: Used) -> Used:
        return Used(
            self.members + other.members,
            self.month + other.month,
            self.half_year + other.half_year,
            self.posts + other.posts,
        )


@dataclass(slots=True)
class Usage:
    """Counts; all members together at most every ten minutes, letting others go first."""

    reader: Reader
    count: Count
    clock: Clock
    _all: tuple[datetime, Used] | None = field(default=None, init=False)

    def of(self, member: Member) -> Used:
        """The numbers of one active member."""
        last = self.reader.recent_changes(member.id, limit=1)
        idle = self.clock.now() - last[0].at if last else HALF_YEAR * 2
        posts = self.count(member.id, NOTES_PREFIX)
        return Used(1, int(idle <= MONTH), int(idle <= HALF_YEAR), posts)

    async def of_all(self) -> Used:
        """The numbers of all active members."""
        now = self.clock.now()
        if self._all is None or now - self._all[0] > COUNTED_EVERY:
            total, after = Used(), MemberId(0)
            while page := self.reader.members(after=after, limit=_PAGE):
                for member in page:
                    total += self.of(member) if member.is_active else Used()
                after = page[-1].id
                await asyncio.sleep(0)
            self._all = now, total
        return self._all[1]
