"""Who is signed in on which browser."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import delete, select, update

from pod.model.ids import MemberId
from pod.oauth.ports import SignedIn
from storage.engine import Database, Transaction
from storage.rows import from_us, to_us
from storage.statements import compiled, given, upsert
from storage.tables import oauth_request, signed_in

_c: Final = signed_in.c
_HERE: Final = compiled(
    select(_c.member_id, _c.at)
    .where(_c.device == given("device"))
    .order_by(_c.device, _c.member_id)
)
_PUT: Final = upsert(signed_in)
_MOVE: Final = compiled(
    update(signed_in).values(device=given("successor")).where(_c.device == given("device"))
)
_MOVE_REQUESTS: Final = compiled(
    update(oauth_request)
    .values(device=given("successor"))
    .where(oauth_request.c.device == given("device"))
)
_OUT: Final = compiled(
    delete(signed_in).where(_c.device == given("device"), _c.member_id == given("member"))
)
_EXPIRE: Final = compiled(delete(signed_in).where(_c.at < given("before")))


class SqlDevices:
    """Implements `pod.oauth.ports.DeviceStore`; ``device`` is the hash of a cookie."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def signed_in(self, device: str) -> list[SignedIn]:
        """Who is signed in on a device, in order of member."""
        rows = self._database.read.execute(_HERE, (device,))
        return [SignedIn(MemberId(member), from_us(at)) for member, at in rows]

    async def sign_in(self, device: str, successor: str, member: MemberId, at: datetime) -> None:
        """Sign a member in, and move the device and its open requests to a new cookie."""

        def work(tx: Transaction) -> None:
            tx.execute(_MOVE, (successor, device))
            tx.execute(_MOVE_REQUESTS, (successor, device))
            tx.execute(_PUT, (successor, member, to_us(at)))

        await self._database.write(work)

    async def sign_out(self, device: str, member: MemberId) -> None:
        """Sign a member out on one device."""
        await self._database.write(lambda tx: tx.execute(_OUT, (device, member)))

    async def drop_expired(self, before: datetime) -> None:
        """Forget those who signed in before a time."""
        await self._database.write(lambda tx: tx.execute(_EXPIRE, (to_us(before),)))
