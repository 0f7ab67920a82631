"""Blob bytes in a folder."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod.errors import Invalid, NotFound, QuotaExceeded, TooLarge
from pod.media import Media
from pod.model.ids import Cid
from pod.records.cid import raw_cid
from pod.settings import Limits
from storage.blobs import FolderBlobs
from tests.kit.house import FrozenClock
from tests.kit.stored import add_member, sql_store


async def read(blobs: FolderBlobs, body: bytes, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([c async for c in blobs.stream(raw_cid(body), start=start, end=end)])


@given(
    st.binary(min_size=1, max_size=300).map(lambda b: b * 2000),
    st.integers(0, 700_000),
    st.none() | st.integers(0, 700_000),
)
def test_any_range_of_a_blob_reads_as_a_slice_of_it(
    body: bytes, start: int, end: int | None
) -> None:
    async def story() -> None:
        with tempfile.TemporaryDirectory() as folder:
            blobs = FolderBlobs(Path(folder) / "blobs")
            await blobs.put(raw_cid(body), body)
            assert await blobs.size(raw_cid(body)) == len(body)
            assert await read(blobs, body, start, end) == body[start:end]
            assert await read(blobs, body) == body

    asyncio.run(story())


def test_the_same_bytes_are_kept_once(tmp_path: Path) -> None:
    async def story() -> None:
        blobs = FolderBlobs(tmp_path)
        await asyncio.gather(*(blobs.put(raw_cid(b"same"), b"same") for _ in range(8)))
        await blobs.put(raw_cid(b"other"), b"other")
        assert sorted([c async for c in blobs.cids()]) == sorted(
            [raw_cid(b"same"), raw_cid(b"other")]
        )
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert len(files) == 2
        assert all(path.stat().st_mode & 0o077 == 0 for path in files)

    asyncio.run(story())


def test_a_deleted_blob_is_gone_and_deleting_again_is_no_error(tmp_path: Path) -> None:
    async def story() -> None:
        blobs = FolderBlobs(tmp_path)
        cid = raw_cid(b"body")
        await blobs.put(cid, b"body")
        for _ in range(2):
            await blobs.delete(cid)
            assert await blobs.size(cid) is None
            with pytest.raises(NotFound):
                await read(blobs, b"body")
        await blobs.put(cid, b"body")
        assert await read(FolderBlobs(tmp_path), b"body") == b"body"

    asyncio.run(story())


def test_a_draft_that_a_crash_left_is_no_blob_and_goes_at_the_next_start(tmp_path: Path) -> None:
    async def story() -> None:
        blobs = FolderBlobs(tmp_path)
        await blobs.put(raw_cid(b"body"), b"body")
        (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
        draft = tmp_path / f".{file.name}.00ff00ff00ff"
        draft.write_bytes(b"bo")
        assert [c async for c in blobs.cids()] == [raw_cid(b"body")]
        blobs = FolderBlobs(tmp_path)
        assert not draft.exists()
        assert await read(blobs, b"body") == b"body"

    asyncio.run(story())


async def in_chunks(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("size", [0, 10, 1 << 20, (1 << 20) + 1, 3_000_001])
@pytest.mark.parametrize("chunk", [7_000, 1 << 20, 4 << 20])
def test_an_upload_is_the_same_blob_however_it_arrives(
    tmp_path: Path, size: int, chunk: int
) -> None:
    body = b"\x89PNG\r\n\x1a\n" + b"x" * size

    async def story() -> None:
        async with sql_store(tmp_path / "pod.db") as store:
            alice = await store.write(add_member)
            blobs = FolderBlobs(tmp_path / "blobs")
            media = Media(store, blobs, FrozenClock(), Limits())
            row = await media.upload(alice.id, in_chunks(body, chunk), "text/plain")
            assert (row.cid, row.size, row.media_type) == (raw_cid(body), len(body), "image/png")
            assert await read(blobs, body) == body
            assert len(files_in(tmp_path / "blobs")) == 1
            assert store.blob(alice.id, row.cid) == row
            again = await media.upload(alice.id, in_chunks(body, chunk), "text/plain")
            assert again.cid == row.cid
            assert len(files_in(tmp_path / "blobs")) == 1

    asyncio.run(story())


@pytest.mark.parametrize(
    ("limits", "error"),
    [(Limits(blob_bytes=2_000_000), TooLarge), (Limits(quota_bytes=2_000_000), QuotaExceeded)],
)
def test_an_upload_that_is_refused_leaves_nothing_behind(
    tmp_path: Path, limits: Limits, error: type[Exception]
) -> None:
    async def story() -> None:
        async with sql_store(tmp_path / "pod.db") as store:
            alice = await store.write(add_member)
            media = Media(store, FolderBlobs(tmp_path / "blobs"), FrozenClock(), limits)
            with pytest.raises(error):
                await media.upload(alice.id, in_chunks(b"x" * 3_000_000, 65_536), None)
            assert files_in(tmp_path / "blobs") == []
            assert store.bytes_used(alice.id) == 0

    asyncio.run(story())


def test_an_upload_that_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield b"x" * 2_000_000
        raise Invalid("gone")

    async def story() -> None:
        async with sql_store(tmp_path / "pod.db") as store:
            alice = await store.write(add_member)
            media = Media(store, FolderBlobs(tmp_path / "blobs"), FrozenClock(), Limits())
            with pytest.raises(Invalid):
                await media.upload(alice.id, breaking(), None)
            assert files_in(tmp_path / "blobs") == []

    asyncio.run(story())


def test_a_blob_that_goes_while_it_is_asked_for_is_not_found(tmp_path: Path) -> None:
    class Going(FolderBlobs):
        async def size(self, cid: Cid) -> int | None:
            found = await super().size(cid)
            await self.delete(cid)
            return found

    async def story() -> None:
        blobs = Going(tmp_path / "blobs")
        await blobs.put(raw_cid(b"one"), b"one")
        with pytest.raises(NotFound):
            await read(blobs, b"one")

    asyncio.run(story())
