"""Blocks on disk: what went in comes out, and nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adapters.atproto.repo.block_file import BlockFile
from pod.model.ids import Cid
from pod.records.cid import raw_cid, record_cid


@given(st.lists(st.lists(st.binary(max_size=200), max_size=6), max_size=4), st.integers(0, 5_000))
def test_every_block_is_found_by_its_cid_and_no_other(
    batches: list[list[bytes]], near_bytes: int
) -> None:
    with BlockFile(None, near_bytes=near_bytes) as blocks:
        for batch in batches:
            blocks.add((record_cid(body), body) for body in batch)
            for body in batch:
                assert blocks.get(record_cid(body)) == body
        for batch in batches:
            for body in batch:
                assert blocks.get(record_cid(body)) == body
        assert blocks.get(record_cid(b"x" * 300)) is None


def test_blocks_whose_hashes_begin_alike_are_told_apart() -> None:
    one, other = (Cid(raw_cid(b"x")[:30] + bytes(4) + bytes((n, n))) for n in (1, 2))
    with BlockFile(None, near_bytes=0) as blocks:
        blocks.add([(one, b"one"), (other, b"other")])
        assert (blocks.get(one), blocks.get(other)) == (b"one", b"other")
        assert blocks.get(Cid(one[:34] + b"no")) is None
