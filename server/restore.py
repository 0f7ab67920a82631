"""``commonpod restore``: a data folder that came back from a backup is made fit for relays again.

Relays have seen sequence numbers and revisions that the backup knows nothing of. Nothing may be
given out twice: the sequence jumps ahead of all that can have been, each repository is signed anew
at a later revision, and each tells its standing, its identity and its state.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from adapters.atproto import face as atproto
from pod.errors import Invalid
from pod.keys.keyring import KeyRing
from pod.model.change import Change, ChangeKind
from pod.model.ids import MemberId, Tid
from pod.model.member import Member
from pod.records.tid import TidClock
from server.clock import SystemClock
from storage.engine import Database, Transaction
from storage.key_vault import Seal
from storage.sole import SoleUse
from storage.store import SqlStore, SqlTx

_PAGE: Final = 100
_LEAP: Final = 1_000_000
_EVENTS_PER_S: Final = 100
"""More than a pod gives out over any longer time."""


async def restore(data_dir: Path, *, seq: int | None = None) -> tuple[int, int]:
    """Let the sequence go on at ``seq``, or far enough ahead, with the state of every repository.

    Returns the first sequence number given out and the number of repositories. Raises Invalid if
    there is no pod or ``seq`` is not ahead, Conflict while it is served.
    """
    path, seal_key = data_dir / "pod.sqlite", data_dir / "seal.key"
    if not path.exists() or not seal_key.exists():
        raise Invalid(f"There is no pod in {data_dir}.")
    with SoleUse(data_dir):
        database = Database(path)
        try:
            return await _restore_all(database, Seal.open(seal_key), seq)
        finally:
            await database.close()


async def _restore_all(database: Database, seal: Seal, seq: int | None) -> tuple[int, int]:
    store, clock, last = SqlStore(database, seal), SystemClock(), MemberId(0)
    herald = _Herald(seal, KeyRing(store), clock.now())
    first = herald.next_seq = _first(store, clock.now()) if seq is None else seq
    if first <= store.head_seq():
        raise Invalid(f"The log is at {store.head_seq()} already.")
    while page := store.members(after=last, limit=_PAGE):
        await database.write(partial(herald.tell, page))
        last = page[-1].id
    return first, herald.told


def _first(store: SqlStore, now: datetime) -> int:
    """A number that the pod cannot have reached since its last change was made."""
    head = store.head_seq()
    latest = store.changes(after=head - 1, limit=1)
    passed = (now - latest[0].at).total_seconds() if latest else 0
    return head + _LEAP + int(max(passed, 0)) * _EVENTS_PER_S


class _Herald:
    """Tells where every member stands, under sequence numbers that start anew."""

    def __init__(self, seal: Seal, keyring: KeyRing, now: datetime) -> None:
        self._seal = seal
        self._now = now
        self._projection = atproto.MemoryProjection(keyring.repo_key, TidClock(SystemClock()))
        self.next_seq = 0
        self.told = 0

    def tell(self, members: list[Member], transaction: Transaction) -> None:
        """Append the events of some members."""
        tx = SqlTx(transaction, self._seal)
        for member in members:
            frame = self._projection.account_frame(member, self.next_seq, self._now)
            self._append(tx, member, "account", None, frame)
            if member.is_active:
                frame = self._projection.identity_frame(member, self.next_seq, self._now)
                self._append(tx, member, "identity", None, frame)
            head = tx.repo(member.id)
            if head is None:
                continue
            head = self._projection.adopt(member, head.data, after=head.rev)
            tx.put_repo(head)
            event = self._projection.sync_frame(member, head, self.next_seq, self._now)
            self._append(tx, member, "sync", head.rev, event if member.is_active else None)
            self.told += 1

    def _append(
        self, tx: SqlTx, member: Member, kind: ChangeKind, rev: Tid | None, frame: bytes | None
    ) -> None:
        change = Change(self.next_seq, member.id, self._now, kind, rev, (), frame)
        tx.append_beyond(change)
        self.next_seq += 1
