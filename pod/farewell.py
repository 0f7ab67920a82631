"""The end of an account: unlinked, told to the network, and then nothing of it is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from pod.errors import NotFound
from pod.keys.keyring import KeyRing
from pod.media import Media
from pod.model.change import Change
from pod.model.ids import Cid, MemberId
from pod.model.member import Standing
from pod.ports import AccountBook, Clock, RepoProjection, Store, Tx


class Farewell:
    """Deletes accounts, at once or when their time has come."""

    def __init__(
        self,
        store: Store,
        book: AccountBook,
        projection: RepoProjection,
        media: Media,
        keyring: KeyRing,
        clock: Clock,
    ) -> None:
        self._store = store
        self._book = book
        self._projection = projection
        self._media = media
        self._keyring = keyring
        self._clock = clock

    async def delete(self, member: MemberId) -> None:
        """Delete an account with all its data, keys, blobs and earlier events; NotFound.

        The last event of the account tells that it was deleted. Its names lead to nobody else
        afterwards; whoever proves its DID may move in again.
        """
        now = self._clock.now()
        blobs = await self._store.write_long(lambda tx: self._erase(tx, member, now))
        self._keyring.forget(member)
        for cid in blobs:
            await self._media.drop_bytes(cid)

    async def delete_due(self) -> int:
        """Delete the accounts whose members chose a day that has come; returns how many."""
        due = self._book.due(self._clock.now())
        for member in due:
            await self.delete(member)
        return len(due)

    def _erase(self, tx: Tx, member: MemberId, now: datetime) -> list[Cid]:
        leaving = tx.member(member)
        if leaving is None or leaving.standing is Standing.DELETED:
            raise NotFound("Account not found", name="AccountNotFound")
        gone = replace(leaving, standing=Standing.DELETED)
        seq = tx.next_seq()
        frame = self._projection.account_frame(gone, seq, now)
        tx.append(
            Change(seq=seq, member=member, at=now, kind="account", rev=None, ops=(), frame=frame)
        )
        return tx.erase_member(member, before=seq)
