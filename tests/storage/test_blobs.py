"""Blob bytes in a folder."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod.errors import NotFound
from pod.records.cid import raw_cid
from storage.blobs import FolderBlobs


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
