"""A notification channel: who hears of changes of which resource, until when, and how far they are.

A channel is read from the change log at a cursor of its own, so a restart loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from pod.access.agent import Agent
from pod.model.ids import Iri, MemberId
from pod.model.resource import ResourcePath


@dataclass(frozen=True, slots=True)
class Channel:
    """One subscription of ``agent`` to the ``topic``, a path of ``member``.

    ``id`` names it in its URL, ``secret`` opens it to whoever receives from it. ``seq`` is the last
    change that was told. ``state`` is what the subscriber knew, until that was answered;
    ``failing_since`` is set while nobody takes what is sent to ``send_to``.
    """

    id: str
    secret: str
    member: MemberId
    topic: ResourcePath
    type: str
    agent: Agent
    seq: int
    created_at: datetime
    end_at: datetime
    start_at: datetime | None = None
    rate: timedelta = timedelta()
    accept: str | None = None
    state: str | None = None
    send_to: Iri | None = None
    failing_since: datetime | None = None

    @property
    def holder(self) -> str:
        """Whose channel it is, for counting: their WebID, their account here, or nobody's name."""
        agent = self.agent
        return agent.iri or (f"member {agent.member}" if agent.member is not None else "")


class Channels(Protocol):
    """The channels that are kept; every write is durable when it returns."""

    def get(self, ident: str) -> Channel | None: ...
    def by_secret(self, secret: str) -> Channel | None: ...
    def of_type(self, kind: str) -> list[Channel]:
        """All channels of a type, oldest first."""
        ...

    def held(self, member: MemberId, holder: str) -> list[Channel]:
        """Somebody's channels on a member's storage, oldest first."""
        ...

    def count(self, member: MemberId) -> int:
        """How many channels there are on a member's storage."""
        ...

    async def put(self, channel: Channel) -> None:
        """Insert or replace."""
        ...

    async def move(self, ident: str, seq: int) -> None:
        """Move the cursor of a channel, if it is still there."""
        ...

    async def drop(self, ident: str) -> bool:
        """Delete a channel; whether it was there."""
        ...

    async def drop_ended(self, now: datetime) -> None:
        """Delete the channels whose end has come."""
        ...
