"""What the core needs of others: a store, a repository projection, blobs, a clock.

The ports are synchronous where the work is a point read or a statement inside the one write
transaction: on SQLite a point read costs about 10 microseconds inline, less than any hand-over.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from pod.model.change import Change, RecordOp, RepoHead
from pod.model.ids import Cid, Did, Handle, MemberId, Origin, Tid
from pod.model.member import AccountFacts, Member, Standing
from pod.model.resource import Complement, Resource, ResourcePath, Tombstone

T = TypeVar("T")


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """The current time, in UTC and aware."""
        ...


@dataclass(frozen=True, slots=True)
class BlobRow:
    """A blob that a member holds: bytes by content, visibility by reference.

    ``uploaded_at`` starts the hour after which a blob that nothing refers to is collected.
    """

    member: MemberId
    cid: Cid
    media_type: str
    size: int
    uploaded_at: datetime


class Reader(Protocol):
    """Point reads and short pages of committed state."""

    def member(self, member: MemberId) -> Member | None: ...
    def member_by_did(self, did: Did) -> Member | None: ...
    def member_by_handle(self, handle: Handle) -> Member | None: ...
    def member_by_origin(self, origin: Origin) -> Member | None: ...
    def member_by_email(self, email: str) -> Member | None: ...
    def members(self, *, after: MemberId, limit: int) -> list[Member]:
        """Members in order of id, those after ``after``."""
        ...

    def secret(self, member: MemberId | None, purpose: str) -> bytes | None:
        """A key or password hash of a member, or (None) of the server; sealed at rest."""
        ...

    def repo(self, member: MemberId) -> RepoHead | None: ...
    def resource(self, member: MemberId, path: ResourcePath) -> Resource | None: ...
    def resources(
        self, member: MemberId, prefix: str, *, after: str | None, limit: int, reverse: bool = False
    ) -> list[Resource]:
        """Resources whose path starts with ``prefix``, in path order; ``after`` is exclusive."""
        ...

    def containers(self, member: MemberId, prefix: str) -> list[str]:
        """Distinct next segments below ``prefix`` that are containers (end in ``/``)."""
        ...

    def record_index(self, member: MemberId) -> Iterator[tuple[str, Cid]]:
        """Every public record as (``collection/rkey``, cid), in key order."""
        ...

    def records(
        self, member: MemberId, prefix: str, *, after: str | None, limit: int, reverse: bool = False
    ) -> list[tuple[str, Cid, bytes]]:
        """Public records whose ``collection/rkey`` starts with ``prefix``, in key order.

        As (``collection/rkey``, cid, block): lighter than `resources`. ``after`` is exclusive.
        """
        ...

    def record_blocks(self, member: MemberId, cids: Sequence[Cid]) -> dict[Cid, bytes]:
        """Bytes of public records by CID; absent ones are left out."""
        ...

    def about(self, member: MemberId, prefix: str, subject: str) -> list[ResourcePath]:
        """Paths under ``prefix`` of resources whose ``subject`` is the given one."""
        ...

    def all_about(
        self, prefix: str, subject: str, *, limit: int
    ) -> list[tuple[MemberId, ResourcePath]]:
        """Whose resources under ``prefix`` have the given ``subject``, of all members."""
        ...

    def count_records(self, member: MemberId) -> int: ...
    def tombstone(self, member: MemberId, path: ResourcePath) -> Tombstone | None: ...
    def buried(
        self, member: MemberId, first: ResourcePath, last: ResourcePath
    ) -> dict[ResourcePath, int]:
        """Generations of all tombstones from one path to another, both inside, by path."""
        ...

    def changes(self, *, after: int, limit: int, member: MemberId | None = None) -> list[Change]:
        """Rows of the change log with ``seq > after``, in order."""
        ...

    def seq_at(self, member: MemberId, rev: Tid) -> int | None:
        """The last row of a member's log that is not later than a revision, None if there is none.

        Quick for recent ones.
        """
        ...

    def recent_changes(self, member: MemberId, *, limit: int) -> list[Change]:
        """The last rows of the change log of a member, newest first, without their frames."""
        ...

    def frames(self, *, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Firehose frames with ``seq > after``, in order."""
        ...

    def head_seq(self) -> int:
        """The last sequence number given out, 0 if none."""
        ...

    def oldest_frame(self) -> tuple[int, datetime] | None:
        """Sequence number and time of the oldest firehose frame still kept."""
        ...

    def blob(self, member: MemberId, cid: Cid) -> BlobRow | None: ...
    def blob_paths(self, member: MemberId, cid: Cid) -> list[ResourcePath]:
        """Resources that refer to a blob."""
        ...

    def repo_blobs(
        self, member: MemberId, *, since: Tid | None, after: Cid | None, limit: int
    ) -> list[Cid]:
        """Blobs that public records refer to, in CID order."""
        ...

    def blob_is_held(self, cid: Cid) -> bool:
        """Whether any member still holds a blob."""
        ...

    def idle_blobs(self, *, before: datetime, limit: int) -> list[BlobRow]:
        """Blobs that nothing refers to and that were uploaded before a time."""
        ...

    def bytes_used(self, member: MemberId) -> int:
        """Bytes that the member's resources and blobs take."""
        ...


class Tx(Reader, Protocol):
    """The one write transaction: sees its own writes, becomes durable as a whole or not at all."""

    def add_member(
        self,
        did: Did,
        handle: Handle,
        origin: Origin,
        *,
        email: str | None,
        at: datetime,
        standing: Standing = Standing.ACTIVE,
    ) -> Member:
        """A new member; Conflict with a name if handle, DID, origin or email is taken.

        Who was deleted may come back under their DID.
        """
        ...

    def set_email(self, member: MemberId, email: str, *, is_confirmed: bool) -> None:
        """Change a member's email address; Conflict if somebody else has it."""
        ...

    def set_address(self, member: MemberId, address: str | None) -> None:
        """Change a member's fediverse address; Conflict if somebody else has it."""
        ...

    def erase_member(self, member: MemberId, *, before: int) -> list[Cid]:
        """Erase all that a member has, and return the blobs that they held.

        Of their events those with ``seq < before`` go. Their row stays, as DELETED, so that their
        names lead to nobody else.
        """
        ...

    def set_handle(self, member: MemberId, handle: Handle) -> None: ...
    def set_standing(self, member: MemberId, standing: Standing) -> None: ...
    def put_secret(self, member: MemberId | None, purpose: str, secret: bytes) -> None: ...
    def put_resource(self, resource: Resource) -> None:
        """Insert or replace, complement included."""
        ...

    def put_resources(self, resources: Sequence[Resource], *, replaced_bytes: int) -> None:
        """Insert or replace many of one member, which replace ``replaced_bytes`` in sum."""
        ...

    def delete_resource(self, member: MemberId, path: ResourcePath, *, at: datetime) -> None:
        """Delete and leave a tombstone; its blob references go with it."""
        ...

    def put_complement(
        self, member: MemberId, path: ResourcePath, complement: Complement
    ) -> None: ...
    def put_repo(self, head: RepoHead) -> None: ...
    def next_seq(self) -> int:
        """The sequence number that the next `append` must carry."""
        ...

    def append(self, change: Change) -> None: ...
    def append_part(self, change: Change) -> None:
        """Append a part of a long change: it is in the log, but only its last part is heard of."""
        ...

    def put_blob(self, blob: BlobRow) -> None: ...
    def delete_blob(self, member: MemberId, cid: Cid) -> None: ...
    def set_blob_refs(self, member: MemberId, path: ResourcePath, blobs: Iterable[Cid]) -> None:
        """Say which blobs a resource refers to from now on."""
        ...


class Store(Reader, Protocol):
    """The store: inline reads, and writes grouped into one durable transaction."""

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run ``work`` in a write transaction and return when it is durable.

        ``work`` is synchronous, runs on its own against the latest state (all writes are serial)
        and may run twice when a neighbour in its group fails, so it must have no other effects.
        Whatever it raises is raised here, and nothing of it is kept.
        """
        ...

    async def write_long(self, work: Callable[[Tx], T]) -> T:
        """Like `write` for a long work: it runs in a thread, other writes wait, reads do not."""
        ...

    def snapshot(self) -> AbstractContextManager[Reader]:
        """Reads of one unchanging state, for one thread at a time: long exports."""
        ...

    def subscribe(self, listener: Callable[[Sequence[Change]], None]) -> Callable[[], None]:
        """Call ``listener`` after each commit with the changes it made durable, in order.

        Returns a function that ends the subscription.
        """
        ...


@dataclass(frozen=True, slots=True)
class Projected:
    """What the repository projection made of some record ops.

    ``frame(seq, at)`` gives the firehose message once the sequence number is known.
    """

    head: RepoHead
    frame: Callable[[int, datetime], bytes]


class RepoProjection(Protocol):
    """Records as a signed repository; the one inversion of the house (design page, section 3)."""

    def commit(
        self,
        member: Member,
        head: RepoHead | None,
        ops: Sequence[RecordOp],
        *,
        index: Callable[[], Iterable[tuple[str, Cid]]],
    ) -> Projected:
        """The next commit on top of ``head`` (None: the genesis commit, ops may be empty).

        ``index`` gives the record index before the ops, read only when the tree is not in memory.
        Raises TooLarge when the commit would break the limits of the sync protocol.
        """
        ...

    async def prepare(self, member: Member, store: Store) -> None:
        """Get ready for a `commit` or a read without holding up the event loop; may do nothing."""
        ...

    def adopt(self, member: Member, data: Cid, *, after: Tid | None) -> RepoHead:
        """A new head over a tree that was verified elsewhere, with a later rev than ``after``."""
        ...

    def identity_frame(self, member: Member, seq: int, at: datetime) -> bytes: ...
    def account_frame(self, member: Member, seq: int, at: datetime) -> bytes: ...
    def sync_frame(self, member: Member, head: RepoHead, seq: int, at: datetime) -> bytes: ...


class DidMethod(Protocol):
    """Where DIDs are made and changed: a PLC directory, or the member's own domain."""

    async def create(
        self, *, handle: Handle, origin: Origin, signing_key: str, recovery_key: str | None
    ) -> Did:
        """Register a new did:plc; keys are did:key. Raises PeerUnavailable."""
        ...

    async def set_handle(self, member: Member, handle: Handle) -> None:
        """Say the new handle in the DID document; raises PeerUnavailable."""
        ...


class AccountBook(Protocol):
    """What is seldom asked about accounts."""

    def facts(self, member: MemberId) -> AccountFacts: ...
    def due(self, now: datetime) -> list[MemberId]:
        """The accounts whose time to be deleted has come."""
        ...

    async def change(
        self, member: MemberId, change: Callable[[AccountFacts], AccountFacts]
    ) -> AccountFacts:
        """Replace what is known by what ``change`` makes of it."""
        ...


class BlobDraft(Protocol):
    """Bytes on their way in; nobody sees them until they are kept."""

    async def write(self, chunk: bytes) -> None: ...
    async def keep(self, cid: Cid) -> None:
        """Make the bytes, whose CID this is, a blob, durably."""
        ...

    async def discard(self) -> None:
        """Drop them, unless they were kept."""
        ...


class BlobStore(Protocol):
    """Blob bytes by content."""

    async def draft(self) -> BlobDraft:
        """A new draft, for bytes that are too many for memory."""
        ...

    async def put(self, cid: Cid, body: bytes) -> None:
        """Keep bytes durably; keeping the same bytes twice is one copy."""
        ...

    async def size(self, cid: Cid) -> int | None: ...
    def stream(self, cid: Cid, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Bytes from ``start`` up to ``end`` (exclusive); raises NotFound."""
        ...

    async def delete(self, cid: Cid) -> None: ...
    def cids(self) -> AsyncIterator[Cid]:
        """Every blob that is here, in no order."""
        ...
