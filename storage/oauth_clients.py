"""Clients that registered with the authorisation server, and those that members made."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import orjson
from sqlalchemy import delete, func, select, update

from pod.model.ids import MemberId
from pod.oauth.registration import Registered
from storage.engine import Database, Transaction
from storage.rows import Row, from_us, to_us
from storage.statements import compiled, given, insert_row
from storage.tables import oauth_client

_c: Final = oauth_client.c
_NOBODYS: Final = _c.member_id.is_(None)
_GET: Final = compiled(select(oauth_client).where(_c.id == given("id")))
_OF_MEMBER: Final = compiled(
    select(oauth_client)
    .where(_c.member_id == given("member"))
    .order_by(_c.member_id.desc(), _c.created_at.desc())
)
_UNUSED: Final = compiled(
    select(func.count()).select_from(oauth_client).where(_c.used_at == 0, _NOBODYS)
)
_ADD: Final = insert_row(oauth_client)
_USE: Final = compiled(
    update(oauth_client)
    .ordered_values((_c.used_at, given("at")))
    .where(_c.id == given("id"), _c.used_at < given("before"))
)
_DELETE: Final = compiled(delete(oauth_client).where(_c.id == given("id")))
_DROP_UNUSED: Final = compiled(
    delete(oauth_client).where(_c.used_at == 0, _c.created_at < given("before"), _NOBODYS)
)
_DROP_IDLE: Final = compiled(
    delete(oauth_client).where(_c.used_at > 0, _c.used_at < given("before"), _NOBODYS)
)
_NOTED_EVERY: Final = timedelta(days=1)


class SqlClients:
    """Implements `pod.oauth.registration.ClientStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def client(self, client_id: str) -> Registered | None:
        """A client by its id."""
        row = self._database.read.execute(_GET, (client_id,)).fetchone()
        return None if row is None else _client_of(row)

    def clients(self, member: MemberId) -> list[Registered]:
        """The clients that a member made, the newest first."""
        return [_client_of(row) for row in self._database.read.execute(_OF_MEMBER, (member,))]

    async def add_client(self, client: Registered, most_unused: int) -> bool:
        """Keep a client; False where as many as ``most_unused`` wait for their first use."""

        def work(tx: Transaction) -> bool:
            if client.member is None:
                found = tx.execute(_UNUSED, ()).fetchone()
                if found is not None and found[0] >= most_unused:
                    return False
            tx.execute(_ADD, _row(client))
            return True

        return await self._database.write(work)

    async def use_client(self, client_id: str, at: datetime) -> None:
        """Note that a client was used; to the day."""
        found = self.client(client_id)
        if found is None or (found.used_at is not None and found.used_at > at - _NOTED_EVERY):
            return
        values = (to_us(at), client_id, to_us(at))
        await self._database.write(lambda tx: tx.execute(_USE, values))

    async def delete_client(self, client_id: str) -> None:
        """Forget a client."""
        await self._database.write(lambda tx: tx.execute(_DELETE, (client_id,)))

    async def drop_clients(self, unused_since: datetime, idle_since: datetime) -> None:
        """Forget clients that are no member's: made and never used, or used last, before then."""

        def work(tx: Transaction) -> None:
            tx.execute(_DROP_UNUSED, (to_us(unused_since),))
            tx.execute(_DROP_IDLE, (to_us(idle_since),))

        await self._database.write(work)


def _row(client: Registered) -> Row:
    body = {"told": dict(client.told), "secret": client.secret_hash}
    used = 0 if client.used_at is None else to_us(client.used_at)
    return (client.id, client.member, to_us(client.created_at), used, orjson.dumps(body))


def _client_of(row: Row) -> Registered:
    ident, member, created_at, used_at, packed = row
    body = orjson.loads(packed)
    return Registered(
        id=ident,
        told=body["told"],
        created_at=from_us(created_at),
        secret_hash=body["secret"],
        used_at=from_us(used_at) if used_at else None,
        member=None if member is None else MemberId(member),
    )
