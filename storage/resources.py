"""Resources and the tombstones of deleted ones, clustered by member and path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, delete, func, select, update

from pod.errors import NotFound
from pod.model.ids import Cid, MemberId
from pod.model.resource import RECORD_TYPE, Complement, Resource, ResourcePath, Tombstone
from storage.members import Rows
from storage.rows import (
    pack_complement,
    prefix_end,
    resource_of,
    resource_row,
    to_us,
    tombstone_of,
)
from storage.statements import compiled, given, upsert
from storage.tables import blob_ref, resource, tombstone, usage

PUBLIC: Final = "/repo/"
"""Where the public records lie."""

_INDEX_PAGE: Final = 2_000

_r: Final = resource.c
_ONE: Final = (_r.member_id == given("member"), _r.path == given("path"))
_IN_RANGE: Final = (
    _r.member_id == given("member"),
    _r.path >= given("low"),
    _r.path < given("high"),
)
_PAST: Final = (_r.member_id == given("member"), _r.path > given("after"), _r.path < given("high"))
_IS_PUBLIC: Final = (_r.path >= PUBLIC, _r.path < prefix_end(PUBLIC), _r.media_type == RECORD_TYPE)


def _page(statement: Select[Any], *where: ColumnElement[bool], reverse: bool = False) -> str:
    order = _r.path.desc() if reverse else _r.path
    return compiled(statement.where(*where).order_by(order).limit(given("limit")))


_GET: Final = compiled(select(resource).where(*_ONE))
_SIZE: Final = compiled(select(_r.size).where(*_ONE))
_FROM: Final = _page(select(resource), *_IN_RANGE)
_AFTER: Final = _page(select(resource), *_PAST)
_BEFORE: Final = _page(select(resource), *_IN_RANGE, reverse=True)
_CONTAINER: Final = compiled(
    select(_r.path)
    .where(*_IN_RANGE, func.substr(_r.path, given("below")).like("%/%"))
    .order_by(_r.path)
    .limit(1)
)
_INDEX: Final = _page(select(_r.path, _r.cid).where(_r.media_type == RECORD_TYPE), *_PAST)
_COUNT: Final = compiled(select(func.count()).where(_r.member_id == given("member"), *_IS_PUBLIC))
# Answered by the index on CIDs alone, and by a function of the path: otherwise SQLite would rather
# go through all the paths than seek the CID.
_WITH_CID: Final = (
    select(_r.path)
    .where(_r.member_id == given("member"), _r.cid == given("cid"))
    .where(func.substr(_r.path, 1, len(PUBLIC)) == PUBLIC)
)
_BLOCK: Final = compiled(
    select(_r.body).where(
        _r.member_id == given("member"),
        _r.path == _WITH_CID.limit(1).correlate(None).scalar_subquery(),
        _r.media_type == RECORD_TYPE,
    )
)
_RECORDS: Final = select(_r.path, _r.cid, _r.body).where(_r.media_type == RECORD_TYPE)
_RECORDS_AFTER: Final = _page(_RECORDS, *_PAST)
_RECORDS_BEFORE: Final = _page(_RECORDS, *_IN_RANGE, reverse=True)
_ABOUT: Final = compiled(
    select(_r.path)
    .where(_r.member_id == given("member"), _r.subject == given("subject"))
    .where(_r.path >= given("low"), _r.path < given("high"))
    .order_by(_r.path)
)
_ALL_ABOUT: Final = compiled(
    select(_r.member_id, _r.path)
    .where(_r.subject == given("subject"))
    .where(_r.path >= given("low"), _r.path < given("high"))
    .order_by(_r.subject, _r.member_id, _r.path)
    .limit(given("limit"))
)
_TOMBSTONE: Final = compiled(
    select(tombstone).where(
        tombstone.c.member_id == given("member"), tombstone.c.path == given("path")
    )
)
_BURIED: Final = compiled(
    select(tombstone.c.path, tombstone.c.generation).where(
        tombstone.c.member_id == given("member"),
        tombstone.c.path >= given("first"),
        tombstone.c.path <= given("last"),
    )
)
_BYTES: Final = compiled(select(usage.c.bytes).where(usage.c.member_id == given("member")))

_PUT: Final = upsert(resource)
_DELETE: Final = compiled(delete(resource).where(*_ONE))
_PUT_TOMBSTONE: Final = upsert(tombstone)
DELETE_REFS: Final = compiled(
    delete(blob_ref).where(
        blob_ref.c.member_id == given("member"), blob_ref.c.path == given("path")
    )
)
_PUT_COMPLEMENT: Final = compiled(
    update(resource).values(complement=given("complement")).where(*_ONE)
)
_USE: Final = compiled(
    update(usage)
    .values(bytes=usage.c.bytes + given("more"))
    .where(usage.c.member_id == given("member"))
)


class ResourceReads(Rows):
    """Point reads and pages of resources."""

    def resource(self, member: MemberId, path: ResourcePath) -> Resource | None:
        """The resource at a path."""
        row = self._execute(_GET, (member, path)).fetchone()
        return None if row is None else resource_of(row)

    def resources(
        self, member: MemberId, prefix: str, *, after: str | None, limit: int, reverse: bool = False
    ) -> list[Resource]:
        """Resources whose path starts with ``prefix``, in path order; ``after`` is exclusive."""
        high = prefix_end(prefix)
        if reverse:
            top = high if after is None else min(high, after)
            rows = self._execute(_BEFORE, (member, prefix, top, limit))
        elif after is None or after < prefix:
            rows = self._execute(_FROM, (member, prefix, high, limit))
        else:
            rows = self._execute(_AFTER, (member, after, high, limit))
        return [resource_of(row) for row in rows]

    def containers(self, member: MemberId, prefix: str) -> list[str]:
        """Distinct next segments below ``prefix`` that are containers (end in ``/``)."""
        found: list[str] = []
        low, high, below = prefix, prefix_end(prefix), len(prefix) + 1
        while row := self._execute(_CONTAINER, (member, low, high, below)).fetchone():
            segment = row[0][len(prefix) :].split("/", 1)[0] + "/"
            found.append(segment)
            low = prefix_end(prefix + segment)
        return found

    def record_index(self, member: MemberId) -> Iterator[tuple[str, Cid]]:
        """Every public record as (``collection/rkey``, cid), in key order."""
        after, high = PUBLIC, prefix_end(PUBLIC)
        while page := self._execute(_INDEX, (member, after, high, _INDEX_PAGE)).fetchall():
            for path, cid in page:
                yield path[len(PUBLIC) :], Cid(cid)
            after = page[-1][0]

    def records(
        self, member: MemberId, prefix: str, *, after: str | None, limit: int, reverse: bool = False
    ) -> list[tuple[str, Cid, bytes]]:
        """Public records whose ``collection/rkey`` starts with ``prefix``, in key order."""
        low, high, at = PUBLIC + prefix, prefix_end(PUBLIC + prefix), len(PUBLIC)
        past = None if after is None else PUBLIC + after
        if reverse:
            top = high if past is None else min(high, past)
            rows = self._execute(_RECORDS_BEFORE, (member, low, top, limit))
        else:
            start = low if past is None else max(low, past)
            rows = self._execute(_RECORDS_AFTER, (member, start, high, limit))
        return [(path[at:], cid, body) for path, cid, body in rows]

    def record_blocks(self, member: MemberId, cids: Sequence[Cid]) -> dict[Cid, bytes]:
        """Bytes of public records by CID; absent ones are left out."""
        found = ((cid, self._execute(_BLOCK, (member, member, cid)).fetchone()) for cid in cids)
        return {cid: row[0] for cid, row in found if row is not None}

    def about(self, member: MemberId, prefix: str, subject: str) -> list[ResourcePath]:
        """Paths under ``prefix`` of resources whose ``subject`` is the given one, in order."""
        rows = self._execute(_ABOUT, (member, subject, prefix, prefix_end(prefix)))
        return [ResourcePath(path) for (path,) in rows]

    def all_about(
        self, prefix: str, subject: str, *, limit: int
    ) -> list[tuple[MemberId, ResourcePath]]:
        """Whose resources under ``prefix`` have the given ``subject``, in the order of members."""
        row = (subject, prefix, prefix_end(prefix), limit)
        return [(MemberId(m), ResourcePath(path)) for m, path in self._execute(_ALL_ABOUT, row)]

    def count_records(self, member: MemberId) -> int:
        """How many public records a member has; reads the whole index."""
        count: int = self._execute(_COUNT, (member,)).fetchone()[0]
        return count

    def tombstone(self, member: MemberId, path: ResourcePath) -> Tombstone | None:
        """What the last deletion at a path left, also when the path was born again since."""
        row = self._execute(_TOMBSTONE, (member, path)).fetchone()
        return None if row is None else tombstone_of(row)

    def buried(
        self, member: MemberId, first: ResourcePath, last: ResourcePath
    ) -> dict[ResourcePath, int]:
        """Generations of all tombstones from one path to another, both inside, by path."""
        rows = self._execute(_BURIED, (member, first, last))
        return {ResourcePath(path): generation for path, generation in rows}

    def bytes_used(self, member: MemberId) -> int:
        """Bytes that the member's resources and blobs take."""
        row = self._execute(_BYTES, (member,)).fetchone()
        return 0 if row is None else int(row[0])


class ResourceWrites(ResourceReads):
    """Writes to resources within a transaction."""

    def put_resource(self, resource: Resource) -> None:
        """Insert or replace, complement included."""
        old = self._execute(_SIZE, (resource.member, resource.path)).fetchone()
        self._execute(_PUT, resource_row(resource))
        self._use(resource.member, resource.size - (0 if old is None else old[0]))

    def put_resources(self, resources: Sequence[Resource], *, replaced_bytes: int) -> None:
        """Insert or replace many of one member, which replace ``replaced_bytes`` in sum."""
        if resources:
            self._execute_many(_PUT, map(resource_row, resources))
            self._use(resources[0].member, sum(r.size for r in resources) - replaced_bytes)

    def delete_resource(self, member: MemberId, path: ResourcePath, *, at: datetime) -> None:
        """Delete and leave a tombstone; its blob references go with it; NotFound."""
        old = self.resource(member, path)
        if old is None:
            raise NotFound
        row = (member, path, old.media_type, old.cid, old.generation, to_us(at), old.body)
        self._execute(_PUT_TOMBSTONE, row)
        self._execute(_DELETE, (member, path))
        self._execute(DELETE_REFS, (member, path))
        self._use(member, -old.size)

    def put_complement(self, member: MemberId, path: ResourcePath, complement: Complement) -> None:
        """Replace the complement of a resource; NotFound."""
        row = (pack_complement(complement), member, path)
        if self._execute(_PUT_COMPLEMENT, row).rowcount == 0:
            raise NotFound

    def _use(self, member: MemberId, more: int) -> None:
        """Add to the bytes that a member uses."""
        if more:
            self._execute(_USE, (more, member))
