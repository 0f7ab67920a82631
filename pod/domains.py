"""Members' domains are looked at again and again: do they lead here, with a certificate that holds?

Peers distrust a whole server for minutes over one member's broken certificate, so nothing is sent
for a member whose domain was not seen to be well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from pod.confirm import Letter, Mailbox
from pod.errors import PeerUnavailable
from pod.model.ids import MemberId, Origin
from pod.model.member import Member
from pod.ports import Clock, Reader

WELL_FOR: Final = timedelta(hours=1)
"""How long a domain that is well is taken to stay so."""

ILL_FOR: Final = timedelta(minutes=5)
TOLD_AFTER: Final = timedelta(days=1)
"""How long a domain may be ill before its member gets a letter."""

_AT_ONCE: Final = 8
_PAUSE_S: Final = 30.0
_PAGE: Final = 500

log = structlog.get_logger()

Look = Callable[[Origin], Awaitable[str | None]]
"""Looks at an origin from outside: None if it leads here over TLS, or else what is wrong."""


@dataclass(frozen=True, slots=True)
class DomainState:
    """What was last seen of a member's domain. ``fault`` is None where all is well."""

    member: MemberId
    seen_at: datetime
    fault: str | None = None
    ill_since: datetime | None = None
    told: bool = False

    @property
    def next_look(self) -> datetime:
        """When to look again."""
        return self.seen_at + (WELL_FOR if self.fault is None else ILL_FOR)


class DomainBook(Protocol):
    """Keeps what was seen."""

    def states(self) -> list[DomainState]: ...
    async def put(self, state: DomainState) -> None: ...


class Domains:
    """Watches every active member's domain. Keep `run` running; `wake` when a member has joined."""

    def __init__(
        self, reader: Reader, book: DomainBook, look: Look, letters: Mailbox, clock: Clock
    ) -> None:
        self._reader = reader
        self._book = book
        self._look = look
        self._letters = letters
        self._clock = clock
        self._states = {state.member: state for state in book.states()}
        self._wanted = asyncio.Event()

    def rests_until(self, member: Member) -> datetime | None:
        """When to ask again whether anything may be sent for a member; None for now."""
        state = self._states.get(member.id)
        if state is not None and state.fault is None:
            return None
        if state is None:
            self._wanted.set()
            return self._clock.now() + timedelta(seconds=2)
        return max(state.next_look, self._clock.now() + timedelta(seconds=2))

    @property
    def looked_at(self) -> int:
        """How many domains were looked at."""
        return len(self._states)

    def report(self) -> list[tuple[Member, DomainState]]:
        """The domains that are ill, the longest first."""
        ill = [state for state in self._states.values() if state.ill_since is not None]
        ill.sort(key=lambda state: state.ill_since or state.seen_at)
        pairs = [(self._reader.member(state.member), state) for state in ill]
        return [(member, state) for member, state in pairs if member is not None]

    async def run(self) -> None:
        """Look at whoever is due, for ever."""
        while True:
            self._wanted.clear()  # first: whoever joins during the look is looked at in the next
            await self.look_at_due()
            try:
                async with asyncio.timeout(_PAUSE_S):
                    await self._wanted.wait()
            except TimeoutError:
                pass

    async def look_at_due(self) -> None:
        """Look at every domain that was not looked at lately."""
        now = self._clock.now()
        turn = asyncio.Semaphore(_AT_ONCE)

        async def one(member: Member) -> None:
            async with turn:
                await self.look_at(member)

        async with asyncio.TaskGroup() as group:
            for member in self._members():
                state = self._states.get(member.id)
                if state is None or state.next_look <= now:
                    group.create_task(one(member))

    async def look_at(self, member: Member) -> DomainState:
        """Look at a member's domain now, and keep what is seen."""
        fault, now = await self._look(member.origin), self._clock.now()
        former = self._states.get(member.id)
        since = former.ill_since if former is not None else None
        told = former is not None and former.told
        state = DomainState(member.id, now)
        if fault is not None:
            state = DomainState(member.id, now, fault, since or now, told)
            log.warning("a member's domain is ill", domain=member.host, fault=fault)
            if not told and now - (since or now) >= TOLD_AFTER:
                state = replace(state, told=await self._tell(member, fault))
        self._states[member.id] = state
        if former is None or replace(former, seen_at=now) != state:
            await self._book.put(state)
        return state

    def _members(self) -> Iterator[Member]:
        after = MemberId(0)
        while page := self._reader.members(after=after, limit=_PAGE):
            yield from (member for member in page if member.is_active)
            after = page[-1].id

    async def _tell(self, member: Member, fault: str) -> bool:
        if member.email is None:
            return True
        text = (
            f"For a day {member.host} has not led to your pod as it should: {fault}\n\n"
            "While it does not, people elsewhere cannot find you, and what you write is not sent "
            "to them; it is when the domain is well again. Look at its DNS records, or ask "
            "whoever runs this server."
        )
        try:
            await self._letters.send(Letter(member.email, f"{member.host} needs a look", text))
        except PeerUnavailable:
            return False
        return True
