"""A pod's database opened for reading alone, with the reads that only an audit needs."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import select

from pod.errors import Invalid
from pod.model.ids import Cid, MemberId
from pod.model.resource import ResourcePath, Tombstone
from pod.ports import BlobRow
from pod.records.cid import cid_text
from storage.blobs import blob_name
from storage.key_vault import Seal
from storage.migrate import HEAD, version_of
from storage.rows import blob_of, tombstone_of
from storage.statements import compiled, given
from storage.store import SqlReader
from storage.tables import blob, blob_ref, change_log, cursor, frame, member, tombstone

_TOMBSTONES: Final = compiled(select(tombstone).where(tombstone.c.member_id == given("member")))
_BLOBS: Final = compiled(select(blob).where(blob.c.member_id == given("member")))
_REFS: Final = compiled(
    select(blob_ref.c.path, blob_ref.c.cid).where(blob_ref.c.member_id == given("member"))
)
_CURSORS: Final = compiled(select(cursor.c.reactor, cursor.c.seq))
_STRAY_FRAMES: Final = compiled(
    select(frame.c.seq).where(frame.c.seq.not_in(select(change_log.c.seq)))
)
_STRAY_CHANGES: Final = compiled(
    select(change_log.c.seq).where(change_log.c.member_id.not_in(select(member.c.id)))
)


class AuditReader(SqlReader):
    """Every read of the store, and whole tables of one member."""

    def tombstones(self, member: MemberId) -> list[Tombstone]:
        """What all deletions of a member left."""
        return [tombstone_of(row) for row in self._execute(_TOMBSTONES, (member,))]

    def blobs(self, member: MemberId) -> list[BlobRow]:
        """All blobs that a member holds."""
        return [blob_of(row) for row in self._execute(_BLOBS, (member,))]

    def blob_refs(self, member: MemberId) -> dict[ResourcePath, set[Cid]]:
        """The blobs that each resource of a member refers to, where there are any."""
        found: dict[ResourcePath, set[Cid]] = {}
        for path, cid in self._execute(_REFS, (member,)):
            found.setdefault(ResourcePath(path), set()).add(Cid(cid))
        return found

    def faults(self) -> Iterator[str]:
        """What is wrong with the file itself, and rows that belong to nothing."""
        for (text,) in self._execute("PRAGMA integrity_check").fetchall():
            if text != "ok":
                yield f"database: {text}"
        for table, *_ in self._execute("PRAGMA foreign_key_check").fetchall():
            yield f"database: a row of {table} belongs to nothing"
        for (seq,) in self._execute(_STRAY_FRAMES).fetchall():
            yield f"seq {seq}: an event of no change"
        for (seq,) in self._execute(_STRAY_CHANGES).fetchall():
            yield f"seq {seq}: a change of nobody"
        head = self.head_seq()
        for reactor, seq in self._execute(_CURSORS).fetchall():
            if seq > head:
                yield f"the cursor of {reactor} is at {seq}, the log ends at {head}"


@contextmanager
def open_for_audit(path: Path, seal_key: Path) -> Iterator[AuditReader]:
    """One unchanging state of a pod's database; nothing is written, a server may run beside.

    Raises Invalid when there is none, or one of another version.
    """
    if not path.exists() or not seal_key.exists():
        raise Invalid(f"There is no pod in {path.parent}.")
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        connection.isolation_level = None
        connection.execute("BEGIN")
        version = version_of(connection)
        if version != HEAD:
            raise Invalid(f"The database is of version {version}, this program knows {HEAD}.")
        yield AuditReader(connection, Seal.open(seal_key))


def blob_is_whole(folder: Path, cid: Cid, size: int) -> bool:
    """Whether a blob's file is in the folder and holds the bytes that its CID names."""
    path = folder / blob_name(cid_text(cid))
    if not path.is_file() or path.stat().st_size != size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest() == cid[4:]
