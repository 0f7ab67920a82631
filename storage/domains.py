"""What was last seen of members' domains."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from pod.domains import DomainState
from pod.model.ids import MemberId
from storage.engine import Database
from storage.rows import from_us, to_us
from storage.statements import compiled, upsert
from storage.tables import domain

_ALL: Final = compiled(select(domain))
_PUT: Final = upsert(domain)


class SqlDomains:
    """Read once at the start, written when something changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def states(self) -> list[DomainState]:
        """What is known of every domain that was looked at."""
        return [
            DomainState(
                MemberId(member),
                from_us(seen_at),
                fault,
                from_us(since) if since is not None else None,
                bool(told),
            )
            for member, seen_at, fault, since, told in self._database.read.execute(_ALL).fetchall()
        ]

    async def put(self, state: DomainState) -> None:
        """Keep what was seen, instead of what was seen before."""
        since = to_us(state.ill_since) if state.ill_since is not None else None
        row = (state.member, to_us(state.seen_at), state.fault, since, state.told)
        await self._database.write(lambda transaction: transaction.execute(_PUT, row))
