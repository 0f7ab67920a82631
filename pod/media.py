"""Blobs: bytes once by content, visible by reference, collected when nothing refers to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import Final

from pod.errors import Invalid, NotFound, QuotaExceeded, TooLarge
from pod.model.ids import Cid, MemberId
from pod.model.resource import Zone, zone_of
from pod.ports import BlobRow, BlobStore, Clock, Store, Tx
from pod.records.cid import Codec, cid_of_digest, raw_cid
from pod.settings import Limits

SNIFFED: Final = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF87a", 0, "image/gif"),
    (b"GIF89a", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
    (b"ftypavif", 4, "image/avif"),
    (b"ftypheic", 4, "image/heic"),
    (b"ftypM4A", 4, "audio/mp4"),
    (b"ftypqt", 4, "video/quicktime"),
    (b"ftyp", 4, "video/mp4"),
    (b"\x1a\x45\xdf\xa3", 0, "video/webm"),
    (b"%PDF-", 0, "application/pdf"),
    (b"OggS", 0, "audio/ogg"),
    (b"ID3", 0, "audio/mpeg"),
    (b"fLaC", 0, "audio/flac"),
    (b"WAVE", 8, "audio/wav"),
    (b"PK\x03\x04", 0, "application/zip"),
    (b"\x1f\x8b\x08", 0, "application/gzip"),
)
OCTETS: Final = "application/octet-stream"
_HEAD_BYTES: Final = 64
_IN_MEMORY_BYTES: Final = 1 << 20
"""What is larger goes to the disk while it comes in."""


def media_type_of(body: bytes, declared: str | None) -> str:
    """The type that the bytes show; what the sender declared where they show none."""
    for magic, offset, media_type in SNIFFED:
        if body.startswith(magic, offset):
            return media_type
    essence = (declared or "").split(";", 1)[0].strip().lower()
    return essence if "/" in essence and "*" not in essence else OCTETS


def _nowhere() -> NotFound:
    return NotFound("Blob not found.", name="BlobNotFound")


class Media:
    """The blob service."""

    def __init__(
        self,
        store: Store,
        blobs: BlobStore,
        clock: Clock,
        limits: Limits,
        *,
        hides: Callable[[MemberId, Cid], bool] = lambda _, __: False,
    ) -> None:
        """``hides`` tells which blobs were taken down: nobody sees them nor brings them again."""
        self._hides = hides
        self._store = store
        self._blobs = blobs
        self._clock = clock
        self._limits = limits
        self._gate = asyncio.Lock()  # bytes never vanish between their arrival and their row

    async def upload(
        self, member: MemberId, chunks: AsyncIterator[bytes], declared_type: str | None
    ) -> BlobRow:
        """Keep bytes for a member; until a resource refers to them they are temporary.

        Raises TooLarge past ``blob_bytes``, Invalid for nothing at all, QuotaExceeded.
        """
        digest, size, head = sha256(), 0, b""
        waiting, draft = bytearray(), None
        try:
            async for chunk in chunks:
                size += len(chunk)
                self._check_size(size)
                digest.update(chunk)
                head += chunk[: _HEAD_BYTES - len(head)]
                waiting += chunk
                if len(waiting) >= _IN_MEMORY_BYTES:
                    draft = draft or await self._blobs.draft()
                    await draft.write(bytes(waiting))
                    waiting.clear()
            if draft is None:
                return await self.keep(member, bytes(waiting), declared_type)
            await draft.write(bytes(waiting))
            cid = cid_of_digest(digest.digest(), Codec.RAW)
            keep = partial(draft.keep, cid)
            return await self._hold(member, cid, size, media_type_of(head, declared_type), keep)
        finally:
            if draft is not None:
                await draft.discard()

    async def keep(self, member: MemberId, body: bytes, declared_type: str | None) -> BlobRow:
        """Keep bytes that are in memory already; see `upload`."""
        if not body:
            raise Invalid("The blob is empty.")
        cid = raw_cid(body)
        put = partial(self._blobs.put, cid, body)
        return await self._hold(member, cid, len(body), media_type_of(body, declared_type), put)

    def public(self, member: MemberId, cid: Cid) -> BlobRow:
        """A blob that a public record shows; raises NotFound otherwise.

        Visibility is by reference: bytes that only private resources refer to are not found.
        """
        zones = {zone_of(path) for path in self._store.blob_paths(member, cid)}
        if Zone.REPO not in zones:
            raise _nowhere()
        return self.held(member, cid)

    def held(self, member: MemberId, cid: Cid) -> BlobRow:
        """A blob that a member holds, for who may see what refers to it; raises NotFound."""
        row = self._store.blob(member, cid)
        if row is None or self._hides(member, cid):
            raise _nowhere()
        return row

    def stream(self, cid: Cid, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes of a blob that the caller was allowed to see."""
        return self._blobs.stream(cid, start=start, end=end)

    async def drop_bytes(self, cid: Cid) -> None:
        """Drop the bytes of a blob that nobody holds any more."""
        async with self._gate:
            if not self._store.blob_is_held(cid):
                await self._blobs.delete(cid)

    async def collect(self) -> int:
        """Drop blobs that nothing has referred to for ``blob_grace_s``; returns how many."""
        before = self._clock.now() - timedelta(seconds=self._limits.blob_grace_s)
        dropped = 0
        for row in self._store.idle_blobs(before=before, limit=1_000):
            async with self._gate:
                dropped += await self._drop(row)
        return dropped

    async def sweep(self) -> int:
        """Drop bytes that nobody holds, as a crash leaves them before their row is written.

        Looks at every blob of the pod; returns how many were dropped.
        """
        dropped = 0
        async for cid in self._blobs.cids():
            async with self._gate:
                if not self._store.blob_is_held(cid):
                    await self._blobs.delete(cid)
                    dropped += 1
        return dropped

    async def _hold(
        self,
        member: MemberId,
        cid: Cid,
        size: int,
        media_type: str,
        arrive: Callable[[], Awaitable[None]],
    ) -> BlobRow:
        """Let the bytes ``arrive`` in the blob store and hold them for a member."""
        if self._store.bytes_used(member) + size > self._limits.quota_bytes:
            raise QuotaExceeded
        if self._hides(member, cid):
            raise Invalid("Blob has been takendown, cannot re-upload", name="BlobTakendown")
        async with self._gate:
            await arrive()
            row = BlobRow(member, cid, media_type, size, self._clock.now())
            await self._store.write(lambda tx: tx.put_blob(row))
        return row

    def _check_size(self, size: int) -> None:
        if size > self._limits.blob_bytes:
            text = f"A blob may take at most {self._limits.blob_bytes} bytes."
            raise TooLarge(text, name="BlobTooLarge")

    async def _drop(self, row: BlobRow) -> int:
        def work(tx: Tx) -> bool:
            current = tx.blob(row.member, row.cid)
            is_idle = current == row and not tx.blob_paths(row.member, row.cid)
            if is_idle:
                tx.delete_blob(row.member, row.cid)
            return is_idle

        if not await self._store.write(work):
            return 0
        if not self._store.blob_is_held(row.cid):
            await self._blobs.delete(row.cid)
        return 1
