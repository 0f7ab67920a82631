"""How the nouns lie in rows: times, complements and change ops."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from pod.model.change import Change, ChangeOp, RepoHead
from pod.model.ids import Cid, Did, Handle, MemberId, Origin, Tid
from pod.model.member import Member, Standing
from pod.model.resource import (
    EMPTY,
    Action,
    Annotation,
    Complement,
    Override,
    Resource,
    ResourcePath,
    Tombstone,
)
from pod.ports import BlobRow

Row = tuple[Any, ...]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)
_PACK: Final = msgspec.msgpack.Encoder()
_UNPACK_OPS: Final = msgspec.msgpack.Decoder(
    list[tuple[Action, str, bytes | None, bytes | None, tuple[str, ...]]]
)
_UNPACK_COMPLEMENT: Final = msgspec.msgpack.Decoder(
    tuple[int, list[tuple[str, bytes]], list[tuple[str, bytes, bytes]]]
)


def to_us(moment: datetime) -> int:
    """Microseconds since 1970 of an aware time."""
    return (moment - _EPOCH) // _US


def from_us(us: int) -> datetime:
    """The time, in UTC, of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=us)


def prefix_end(prefix: str) -> str:
    """The least string above all that start with ``prefix``, which must not be empty.

    Strings compare by code point here and by UTF-8 bytes in the database, which is the same order.
    """
    last = ord(prefix[-1]) + 1
    if last == 0xD800:
        last = 0xE000
    return prefix[:-1] + chr(last) if last < 0x110000 else prefix_end(prefix[:-1])


def pack_complement(complement: Complement) -> bytes | None:
    """A complement as bytes; None for the empty one."""
    if complement is EMPTY or complement == EMPTY:
        return None
    return _PACK.encode(
        (
            complement.revision,
            [(a.view, a.data) for a in complement.annotations],
            [(o.view, o.data, o.cid) for o in complement.overrides],
        )
    )


def unpack_complement(packed: bytes | None) -> Complement:
    """The inverse of `pack_complement`."""
    if packed is None:
        return EMPTY
    revision, annotations, overrides = _UNPACK_COMPLEMENT.decode(packed)
    return Complement(
        tuple(Annotation(view, data) for view, data in annotations),
        tuple(Override(view, data, Cid(cid)) for view, data, cid in overrides),
        revision,
    )


def pack_ops(ops: tuple[ChangeOp, ...]) -> bytes:
    """The ops of a change as bytes."""
    return _PACK.encode([(op.action, op.path, op.cid, op.prev, op.views) for op in ops])


def _unpack_ops(packed: bytes) -> tuple[ChangeOp, ...]:
    return tuple(
        ChangeOp(
            action,
            ResourcePath(path),
            None if cid is None else Cid(cid),
            None if prev is None else Cid(prev),
            views,
        )
        for action, path, cid, prev, views in _UNPACK_OPS.decode(packed)
    )


def member_of(row: Row) -> Member:
    """A row of ``member``."""
    ident, did, handle, origin, standing, created_at, email, confirmed, address = row
    return Member(
        MemberId(ident),
        Did(did),
        Handle(handle),
        Origin(origin),
        Standing(standing),
        from_us(created_at),
        email,
        bool(confirmed),
        address,
    )


def repo_of(row: Row) -> RepoHead:
    """A row of ``repo``."""
    member, commit, rev, data, block = row
    return RepoHead(MemberId(member), Cid(commit), Tid(rev), Cid(data), block)


def resource_of(row: Row) -> Resource:
    """A row of ``resource``."""
    member, path, media_type, cid, size, rev, created, updated, generation, *rest = row
    subject, complement, body = rest
    return Resource(
        MemberId(member),
        ResourcePath(path),
        media_type,
        Cid(cid),
        size,
        body,
        Tid(rev),
        from_us(created),
        from_us(updated),
        generation,
        subject,
        unpack_complement(complement),
    )


def resource_row(resource: Resource) -> Row:
    """The inverse of `resource_of`."""
    return (
        resource.member,
        resource.path,
        resource.media_type,
        resource.cid,
        resource.size,
        resource.rev,
        to_us(resource.created_at),
        to_us(resource.updated_at),
        resource.generation,
        resource.subject,
        pack_complement(resource.complement),
        resource.body,
    )


def change_of(row: Row) -> Change:
    """A row of ``change_log`` with its frame."""
    seq, member, at, kind, rev, ops, frame = row
    return Change(
        seq,
        MemberId(member),
        from_us(at),
        kind,
        None if rev is None else Tid(rev),
        _unpack_ops(ops),
        frame,
    )


def tombstone_of(row: Row) -> Tombstone:
    """A row of ``tombstone``."""
    member, path, media_type, cid, generation, deleted_at, body = row
    return Tombstone(
        MemberId(member),
        ResourcePath(path),
        media_type,
        Cid(cid),
        body,
        generation,
        from_us(deleted_at),
    )


def blob_of(row: Row) -> BlobRow:
    """A row of ``blob``."""
    member, cid, media_type, size, uploaded_at = row
    return BlobRow(MemberId(member), Cid(cid), media_type, size, from_us(uploaded_at))
