"""Which blobs a member holds, and which resources refer to them; the bytes lie elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import delete, exists, select

from pod.model.ids import Cid, MemberId, Tid
from pod.model.resource import ResourcePath
from pod.ports import BlobRow
from storage.members import Rows
from storage.resources import DELETE_REFS, PUBLIC, ResourceWrites
from storage.rows import blob_of, prefix_end, to_us
from storage.statements import compiled, given, insert_row, upsert
from storage.tables import blob, blob_ref, resource

_b: Final = blob.c
_f: Final = blob_ref.c
_ONE: Final = (_b.member_id == given("member"), _b.cid == given("cid"))
_GET: Final = compiled(select(blob).where(*_ONE))
_PATHS: Final = compiled(
    select(_f.path).where(_f.member_id == given("member"), _f.cid == given("cid")).order_by(_f.path)
)
_PUBLIC_REFS: Final = (
    select(_f.cid)
    .distinct()
    .where(_f.member_id == given("member"), _f.cid > given("after"))
    .where(_f.path >= PUBLIC, _f.path < prefix_end(PUBLIC))
)
_REPO_BLOBS: Final = compiled(_PUBLIC_REFS.order_by(_f.cid).limit(given("limit")))
_REPO_BLOBS_SINCE: Final = compiled(
    _PUBLIC_REFS.join(
        resource, (resource.c.member_id == _f.member_id) & (resource.c.path == _f.path)
    )
    .where(resource.c.rev > given("since"))
    .order_by(_f.cid)
    .limit(given("limit"))
)
_IS_HELD: Final = compiled(select(_b.cid).where(_b.cid == given("cid")).limit(1))
_IDLE: Final = compiled(
    select(blob)
    .where(_b.uploaded_at < given("before"))
    .where(~exists().where(_f.member_id == _b.member_id, _f.cid == _b.cid))
    .order_by(_b.member_id, _b.cid)
    .limit(given("limit"))
)
_PUT: Final = upsert(blob)
_DELETE: Final = compiled(delete(blob).where(*_ONE))
_ADD_REF: Final = insert_row(blob_ref, or_ignore=True)


class BlobReads(Rows):
    """Reads of blob rows and references."""

    def blob(self, member: MemberId, cid: Cid) -> BlobRow | None:
        """A blob that the member holds."""
        row = self._execute(_GET, (member, cid)).fetchone()
        return None if row is None else blob_of(row)

    def blob_paths(self, member: MemberId, cid: Cid) -> list[ResourcePath]:
        """Resources that refer to a blob, in path order."""
        return [ResourcePath(path) for (path,) in self._execute(_PATHS, (member, cid))]

    def repo_blobs(
        self, member: MemberId, *, since: Tid | None, after: Cid | None, limit: int
    ) -> list[Cid]:
        """Blobs that public records refer to (written after ``since``), in CID order."""
        low = after or b""
        if since is None:
            rows = self._execute(_REPO_BLOBS, (member, low, limit))
        else:
            rows = self._execute(_REPO_BLOBS_SINCE, (member, low, since, limit))
        return [Cid(cid) for (cid,) in rows]

    def blob_is_held(self, cid: Cid) -> bool:
        """Whether any member still holds a blob."""
        return self._execute(_IS_HELD, (cid,)).fetchone() is not None

    def idle_blobs(self, *, before: datetime, limit: int) -> list[BlobRow]:
        """Blobs that nothing refers to and that were uploaded before a time."""
        return [blob_of(row) for row in self._execute(_IDLE, (to_us(before), limit))]


class BlobWrites(ResourceWrites, BlobReads):
    """Writes of blob rows and references within a transaction."""

    def put_blob(self, blob: BlobRow) -> None:
        """Hold a blob; holding it again renews its time."""
        old = self.blob(blob.member, blob.cid)
        row = (blob.member, blob.cid, blob.media_type, blob.size, to_us(blob.uploaded_at))
        self._execute(_PUT, row)
        self._use(blob.member, blob.size - (0 if old is None else old.size))

    def delete_blob(self, member: MemberId, cid: Cid) -> None:
        """Hold a blob no longer; nothing happens if it was not held."""
        old = self.blob(member, cid)
        if old is not None:
            self._execute(_DELETE, (member, cid))
            self._use(member, -old.size)

    def set_blob_refs(self, member: MemberId, path: ResourcePath, blobs: Iterable[Cid]) -> None:
        """Say which blobs a resource refers to from now on."""
        self._execute(DELETE_REFS, (member, path))
        for cid in blobs:
            self._execute(_ADD_REF, (member, cid, path))
