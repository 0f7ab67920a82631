"""Opens both stores, and builds what a store keeps."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pod.model.change import Change, ChangeOp, RepoHead
from pod.model.ids import Cid, Did, Handle, MemberId, Origin, Tid
from pod.model.member import Member
from pod.model.resource import RECORD_TYPE, Resource, ResourcePath
from pod.ports import BlobRow, Store, Tx
from storage.engine import Database
from storage.in_memory import MemoryStore
from storage.key_vault import Seal
from storage.migrate import upgrade
from storage.store import SqlStore

NOON = datetime(2026, 1, 2, 12, 0, 0, 123456, tzinfo=UTC)

OpenStore = Callable[[], AbstractAsyncContextManager[Store]]


@asynccontextmanager
async def sql_store(path: Path) -> AsyncIterator[SqlStore]:
    """The store on a database file, closed at the end."""
    upgrade(path)
    store = SqlStore(Database(path), Seal.open(path.with_name("seal.key")))
    try:
        yield store
    finally:
        await store.database.close()


@asynccontextmanager
async def memory_store() -> AsyncIterator[MemoryStore]:
    """The store in memory."""
    yield MemoryStore()


def cid_of(body: bytes, codec: int = 0x71) -> Cid:
    """The CID of some bytes."""
    return Cid(bytes((1, codec, 0x12, 0x20)) + hashlib.sha256(body).digest())


def rev_of(number: int) -> Tid:
    """A TID whose order is that of the number."""
    return Tid("3" + f"{number:012d}".translate(str.maketrans("0123456789", "234567abcd")))


def add_member(tx: Tx, name: str = "alice", email: str | None = None) -> Member:
    """A member of that name."""
    return tx.add_member(
        Did(f"did:plc:{name}"),
        Handle(f"{name}.test"),
        Origin(f"https://{name}.test"),
        email=email,
        at=NOON,
    )


def record(
    member: MemberId,
    path: str = "/repo/app.bsky.feed.post/3a",
    body: bytes = b"\xa0",
    *,
    rev: int = 1,
    generation: int = 1,
    subject: str | None = None,
) -> Resource:
    """A record, public unless its path says otherwise."""
    return Resource(
        member,
        ResourcePath(path),
        RECORD_TYPE,
        cid_of(body),
        len(body),
        body,
        rev_of(rev),
        NOON,
        NOON + timedelta(seconds=rev),
        generation,
        subject,
    )


def document(member: MemberId, path: str, body: bytes = b"<a> <b> <c>.") -> Resource:
    """A document of its own media type."""
    cid = cid_of(body, 0x55)
    return Resource(
        member, ResourcePath(path), "text/turtle", cid, len(body), body, rev_of(1), NOON, NOON
    )


def change(tx: Tx, member: MemberId, *, frame: bytes | None = b"frame", rev: int = 1) -> Change:
    """The next change of the log, appended."""
    path = ResourcePath("/repo/app.bsky.feed.post/3a")
    op = ChangeOp("update", path, cid_of(b"new"), cid_of(b"old"))
    made = Change(tx.next_seq(), member, NOON, "commit", rev_of(rev), (op,), frame)
    tx.append(made)
    return made


def blob(member: MemberId, body: bytes = b"pixels", *, at: datetime = NOON) -> BlobRow:
    """A picture that a member holds."""
    return BlobRow(member, cid_of(body, 0x55), "image/png", len(body), at)


def head(member: MemberId, rev: int = 1) -> RepoHead:
    """A repository head."""
    block = f"commit {rev}".encode()
    return RepoHead(member, cid_of(block), rev_of(rev), cid_of(b"root"), block)
