"""Hosts of peers that are not as others are, and whom each host has met."""

from __future__ import annotations

from typing import Final

from sqlalchemy import delete, select

from pod.model.ids import MemberId
from pod.model.peer import HostState
from storage.engine import Database
from storage.rows import from_us, to_us
from storage.statements import compiled, given, insert_row, upsert
from storage.tables import introduced, peer_host

_ALL: Final = compiled(select(peer_host))
_PUT: Final = upsert(peer_host)
_DROP: Final = compiled(delete(peer_host).where(peer_host.c.host == given("host")))
_MET: Final = compiled(
    select(introduced.c.host).where(
        introduced.c.host == given("host"), introduced.c.member_id == given("member")
    )
)
_MEET: Final = insert_row(introduced, or_ignore=True)


class SqlPeerHosts:
    """The states of hosts; read once at the start, written when one changes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[HostState]:
        """Every host that is kept."""
        return [
            HostState(
                host,
                bool(modern),
                failures,
                from_us(since) if since is not None else None,
                from_us(until) if until is not None else None,
            )
            for host, modern, failures, since, until in self._database.read.execute(_ALL).fetchall()
        ]

    async def put(self, state: HostState) -> None:
        """Keep a state; one that says nothing is dropped."""
        since, until = state.failing_since, state.rest_until
        row = (
            state.host,
            state.modern,
            state.failures,
            to_us(since) if since is not None else None,
            to_us(until) if until is not None else None,
        )
        if state == HostState(state.host):
            await self._database.write(lambda tx: tx.execute(_DROP, (state.host,)))
        else:
            await self._database.write(lambda tx: tx.execute(_PUT, row))

    def has_met(self, host: str, member: MemberId) -> bool:
        """Whether a host took something of a member before."""
        return self._database.read.execute(_MET, (host, member)).fetchone() is not None

    async def meet(self, host: str, member: MemberId, *, within_s: float = 0.0) -> None:
        """Note that it did, at the latest in ``within_s``."""
        await self._database.write(lambda tx: tx.execute(_MEET, (host, member)), within_s=within_s)
