"""Erasing all that a member has; their row stays, so that their names lead to nobody else."""

from __future__ import annotations

from typing import Final

from sqlalchemy import delete, select, update

from pod.keys.keyring import ACTOR_RSA
from pod.model.ids import Cid, MemberId
from pod.model.member import Standing
from storage.members import MemberWrites
from storage.statements import compiled, given
from storage.tables import (
    blob,
    change_log,
    delivery,
    frame,
    key_vault,
    member,
    metadata,
    outgoing,
    usage,
)

_OF: Final = given("member")
_KEPT: Final = frozenset({"change_log", "usage", "follower"})
"""What stays a while: followers are still to be told (`storage.farewells`)."""

_EVENTS: Final = (change_log.c.member_id == _OF, change_log.c.seq < given("before"))
_BLOBS: Final = compiled(select(blob.c.cid).where(blob.c.member_id == _OF))
_FRAMES: Final = compiled(
    delete(frame).where(frame.c.seq.in_(select(change_log.c.seq).where(*_EVENTS)))
)
_LOG: Final = compiled(delete(change_log).where(*_EVENTS))
_ON_THE_WAY: Final = compiled(
    delete(delivery).where(
        delivery.c.outgoing_id.in_(select(outgoing.c.id).where(outgoing.c.member_id == _OF))
    )
)
_SECRETS: Final = compiled(
    delete(key_vault).where(key_vault.c.owner == _OF, key_vault.c.purpose != ACTOR_RSA)
)
"""All but the key that signs the last word to other servers (`storage.farewells`)."""

_NOTHING_USED: Final = compiled(update(usage).values(bytes=0).where(usage.c.member_id == _OF))
_EMPTY_ROW: Final = compiled(
    update(member)
    .values(email=None, email_confirmed=False, address=None, standing=Standing.DELETED)
    .where(member.c.id == _OF)
)


_TABLES: Final = [
    table
    for table in reversed(metadata.sorted_tables)
    if "member_id" in table.c and table.name not in _KEPT
]
_ERASE: Final = {
    table.name: compiled(delete(table).where(table.c.member_id == _OF)) for table in _TABLES
}
AFTERWARDS: Final = [sql for name, sql in _ERASE.items() if name != outgoing.name]
"""Each erases, for one member, what was under way just when they were erased, and came too late."""


class EraseWrites(MemberWrites):
    """Erasing within a transaction."""

    def erase_member(self, member: MemberId, *, before: int) -> list[Cid]:
        """Erase a member's data, keys and the events before one; returns the blobs they held."""
        blobs = [Cid(cid) for (cid,) in self._execute(_BLOBS, (member,)).fetchall()]
        for sql in (_FRAMES, _LOG):
            self._execute(sql, (member, before))
        for sql in (_ON_THE_WAY, *_ERASE.values(), _SECRETS, _NOTHING_USED):
            self._execute(sql, (member,))
        self._execute(_EMPTY_ROW, (member,))
        self.changed_members.add(member)
        return blobs
