"""Blob bytes in a local folder, one file for each content, named by its CID."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from functools import cached_property
from io import BufferedWriter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pod.errors import Invalid, NotFound
from pod.model.ids import Cid
from pod.records.cid import cid_from_text, cid_text
from storage.durable import open_draft, sync_folder, write_file

if TYPE_CHECKING:
    from obstore.store import LocalStore

_CHUNK_BYTES: Final = 256 << 10


class FolderBlobs:
    """`pod.ports.BlobStore` in a folder, which is made where there is none.

    Files are spread over folders by two characters of their digest. Writing is our own, as an
    object store on local files does not sync them. Only one process at a time may have it open.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for draft in folder.glob(".*"):
            draft.unlink()
        sync_folder(folder)  # a folder that was made just before a crash may not be durable yet
        self._folder = folder

    @cached_property
    def _files(self) -> LocalStore:
        from obstore.store import LocalStore  # takes 4 MB, and many a pod holds no blob

        return LocalStore(self._folder)

    async def draft(self) -> FolderDraft:
        """A new draft in the folder; what a crash leaves of it goes at the next start."""
        file = await asyncio.to_thread(open_draft, self._folder)
        return FolderDraft(file, self._place)

    async def put(self, cid: Cid, body: bytes) -> None:
        """Keep bytes durably; keeping the same bytes twice is one copy."""
        await asyncio.to_thread(self._put, self._folder / blob_name(cid_text(cid)), body)

    async def size(self, cid: Cid) -> int | None:
        """How many bytes a blob has, None if it is not here."""
        try:
            return (await self._files.head_async(blob_name(cid_text(cid))))["size"]
        except FileNotFoundError:
            return None

    async def stream(
        self, cid: Cid, *, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """Bytes from ``start`` up to ``end`` (exclusive) or the blob's end; raises NotFound."""
        size = await self.size(cid)
        if size is None:
            raise NotFound("Blob not found.", name="BlobNotFound")
        end = size if end is None else min(end, size)
        if start >= end:
            return
        try:
            found = await self._files.get_async(
                blob_name(cid_text(cid)), options={"range": (start, end)}
            )
        except FileNotFoundError as err:  # it went a moment ago
            raise NotFound("Blob not found.", name="BlobNotFound") from err
        async for chunk in found.stream(min_chunk_size=_CHUNK_BYTES):
            yield bytes(chunk)

    async def delete(self, cid: Cid) -> None:
        """Drop a blob; nothing happens if it is not here."""
        path = self._folder / blob_name(cid_text(cid))
        await asyncio.to_thread(path.unlink, missing_ok=True)

    async def cids(self) -> AsyncIterator[Cid]:
        """Every blob that is here, in no order."""
        for folder in await asyncio.to_thread(_names, self._folder):
            for name in await asyncio.to_thread(_names, self._folder / folder):
                try:
                    yield cid_from_text(name)
                except Invalid:
                    continue

    def _put(self, path: Path, body: bytes) -> None:
        if path.exists():
            sync_folder(path.parent)
            return
        self._make_folder(path.parent)
        write_file(path, body, drafts=self._folder)

    def _place(self, draft: Path, cid: Cid) -> None:
        path = self._folder / blob_name(cid_text(cid))
        self._make_folder(path.parent)
        draft.replace(path)
        sync_folder(path.parent)

    def _make_folder(self, folder: Path) -> None:
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
            sync_folder(self._folder)


class FolderDraft:
    """`pod.ports.BlobDraft` as a file that gets its name when it is kept."""

    def __init__(self, file: BufferedWriter, place: Callable[[Path, Cid], None]) -> None:
        self._file = file
        self._place = place

    async def write(self, chunk: bytes) -> None:
        """Add bytes."""
        await asyncio.to_thread(self._file.write, chunk)

    async def keep(self, cid: Cid) -> None:
        """Make the bytes, whose CID this is, a blob, durably."""
        await asyncio.to_thread(self._keep, cid)

    async def discard(self) -> None:
        """Drop the bytes, unless they were kept."""
        await asyncio.to_thread(self._discard)

    def _keep(self, cid: Cid) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._place(Path(self._file.name), cid)

    def _discard(self) -> None:
        self._file.close()
        Path(self._file.name).unlink(missing_ok=True)


def _names(folder: Path) -> list[str]:
    """What is in a folder; nothing where it is a file."""
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


def blob_name(cid: str) -> str:
    """Where the file of a blob lies in the folder; ``cid`` as text."""
    return f"{cid[-4:-2]}/{cid}"
