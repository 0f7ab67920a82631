"""Notification channels: what is asked by key in columns, the rest of each in one JSON."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import orjson
from sqlalchemy import delete, func, select, update

from pod.access.agent import Agent, Credential
from pod.channel import Channel
from pod.model.ids import Iri, MemberId
from pod.model.resource import ResourcePath
from pod.oauth.reach import Reach
from storage.engine import Database, Transaction
from storage.rows import Row, from_us, to_us
from storage.statements import compiled, given, upsert
from storage.tables import notification_channel

_c: Final = notification_channel.c
_GET: Final = compiled(select(notification_channel).where(_c.id == given("id")))
_BY_SECRET: Final = compiled(select(notification_channel).where(_c.secret == given("secret")))
_OF_TYPE: Final = compiled(
    select(notification_channel).where(_c.type == given("type")).order_by(_c.type, _c.created_at)
)
_HELD: Final = compiled(
    select(notification_channel)
    .where(_c.member_id == given("member"), _c.holder == given("holder"))
    .order_by(_c.member_id, _c.holder, _c.created_at)
)
_COUNT: Final = compiled(
    select(func.count()).select_from(notification_channel).where(_c.member_id == given("member"))
)
_PUT: Final = upsert(notification_channel)
_MOVE: Final = compiled(
    update(notification_channel).values(seq=given("to")).where(_c.id == given("ident"))
)
_DROP: Final = compiled(delete(notification_channel).where(_c.id == given("id")))
_DROP_ENDED: Final = compiled(delete(notification_channel).where(_c.end_at <= given("now")))


class SqlChannels:
    """Implements `pod.channel.Channels`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, ident: str) -> Channel | None:
        """The channel with an id."""
        return self._one(_GET, ident)

    def by_secret(self, secret: str) -> Channel | None:
        """The channel that a secret opens."""
        return self._one(_BY_SECRET, secret)

    def of_type(self, kind: str) -> list[Channel]:
        """All channels of a type, oldest first."""
        return [_channel_of(row) for row in self._database.read.execute(_OF_TYPE, (kind,))]

    def held(self, member: MemberId, holder: str) -> list[Channel]:
        """Somebody's channels on a member's storage, oldest first."""
        rows = self._database.read.execute(_HELD, (member, holder))
        return [_channel_of(row) for row in rows]

    def count(self, member: MemberId) -> int:
        """How many channels there are on a member's storage."""
        count: int = self._database.read.execute(_COUNT, (member,)).fetchone()[0]
        return count

    async def put(self, channel: Channel) -> None:
        """Insert or replace."""
        row = _row_of(channel)
        await self._database.write(lambda tx: tx.execute(_PUT, row))

    async def move(self, ident: str, seq: int) -> None:
        """Move the cursor of a channel, if it is still there."""
        await self._database.write(lambda tx: tx.execute(_MOVE, (seq, ident)))

    async def drop(self, ident: str) -> bool:
        """Delete a channel; whether it was there."""

        def work(tx: Transaction) -> bool:
            return bool(tx.execute(_DROP, (ident,)).rowcount)

        return await self._database.write(work)

    async def drop_ended(self, now: datetime) -> None:
        """Delete the channels whose end has come."""
        await self._database.write(lambda tx: tx.execute(_DROP_ENDED, (to_us(now),)))

    def _one(self, statement: str, key: str) -> Channel | None:
        row = self._database.read.execute(statement, (key,)).fetchone()
        return None if row is None else _channel_of(row)


def _row_of(channel: Channel) -> Row:
    agent = channel.agent
    rest = {
        "topic": channel.topic,
        "agent": [
            agent.credential,
            agent.member,
            agent.iri,
            agent.app_origin,
            agent.client,
            agent.issuer,
            None if agent.reach is None else agent.reach.scopes(),
        ],
        "start_at": None if channel.start_at is None else to_us(channel.start_at),
        "rate_ms": channel.rate // timedelta(milliseconds=1),
        "accept": channel.accept,
        "state": channel.state,
        "send_to": channel.send_to,
        "failing_since": None if channel.failing_since is None else to_us(channel.failing_since),
    }
    return (
        channel.id,
        channel.secret,
        channel.member,
        channel.holder,
        channel.type,
        channel.seq,
        to_us(channel.created_at),
        to_us(channel.end_at),
        orjson.dumps(rest),
    )


def _channel_of(row: Row) -> Channel:
    ident, secret, member, _, kind, seq, created_at, end_at, body = row
    rest = orjson.loads(body)
    credential, account, iri, app_origin, client, issuer, reach = rest["agent"]
    return Channel(
        id=ident,
        secret=secret,
        member=MemberId(member),
        topic=ResourcePath(rest["topic"]),
        type=kind,
        agent=Agent(
            Credential(credential),
            None if account is None else MemberId(account),
            iri,
            app_origin,
            None,
            client,
            issuer,
            None if reach is None else Reach.of(reach),
        ),
        seq=seq,
        created_at=from_us(created_at),
        end_at=from_us(end_at),
        start_at=None if rest["start_at"] is None else from_us(rest["start_at"]),
        rate=timedelta(milliseconds=rest["rate_ms"]),
        accept=rest["accept"],
        state=rest["state"],
        send_to=None if rest["send_to"] is None else Iri(rest["send_to"]),
        failing_since=None if rest["failing_since"] is None else from_us(rest["failing_since"]),
    )
