"""What outlives an account until its peers were told: the actor's key, and who followed it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import delete, func, select

from pod.keys.keyring import ACTOR_RSA
from pod.model.member import Standing
from storage.delivery_queue import REACTOR
from storage.engine import Database, Transaction
from storage.erase import AFTERWARDS
from storage.statements import compiled
from storage.tables import change_log, cursor, follower, key_vault, member, outgoing

_TURNED: Final = select(cursor.c.seq).where(cursor.c.reactor == REACTOR).scalar_subquery()
_LAST: Final = (
    select(func.max(change_log.c.seq))
    .where(change_log.c.member_id == member.c.id)
    .scalar_subquery()
)
_TOLD: Final = select(member.c.id).where(member.c.standing == Standing.DELETED, _LAST <= _TURNED)
_GONE: Final = compiled(select(member.c.id).where(member.c.standing == Standing.DELETED))
_FOLLOWERS: Final = compiled(delete(follower).where(follower.c.member_id.in_(_TOLD)))
_KEYS: Final = compiled(
    delete(key_vault).where(
        key_vault.c.purpose == ACTOR_RSA,
        key_vault.c.owner.in_(_TOLD),
        key_vault.c.owner.not_in(select(outgoing.c.member_id)),
    )
)


class StoredFarewells:
    """Finishes what `storage.erase` had to leave."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def finish(self) -> None:
        """Forget followers once all deliveries are queued, the key once all are sent.

        And what was written for a member just after they were erased.
        """

        def work(tx: Transaction) -> None:
            tx.execute(_FOLLOWERS)
            tx.execute(_KEYS)
            gone = tx.execute(_GONE).fetchall()
            for statement in AFTERWARDS:
                tx.connection.executemany(statement, gone)

        if self._database.read.execute(_GONE).fetchone() is not None:
            await self._database.write_in_thread(work)
