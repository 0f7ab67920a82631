"""CAR files: what is written reads back, and nothing else is read."""

from __future__ import annotations

import libipld
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.atproto.repo.car import (
    MAX_BLOCK_BYTES,
    CarReader,
    car_block,
    car_bytes,
    car_header,
    export_repo,
    read_car,
)
from adapters.atproto.repo.foreign import load_tree
from adapters.atproto.repo.mst import Tree
from pod.errors import Conflict, Invalid
from pod.model.ids import Cid
from pod.records.cid import raw_cid, record_cid

blocks_of_bytes = st.lists(st.binary(max_size=300), max_size=8)
ROOT = b"\xa0"
CAR = car_bytes(record_cid(ROOT), [(record_cid(ROOT), ROOT), (raw_cid(b"blob"), b"blob")])


@given(blocks_of_bytes, st.integers(1, 50))
def test_a_car_file_reads_back_however_it_is_cut(bodies: list[bytes], step: int) -> None:
    blocks = [(record_cid(body), body) for body in [ROOT, *bodies]]
    body = car_bytes(record_cid(ROOT), blocks)
    reader = CarReader()
    read = []
    for at in range(0, len(body), step):
        read += reader.feed(body[at : at + step])
    assert reader.finish() == reader.root == record_cid(ROOT)
    assert read == blocks


@given(blocks_of_bytes)
def test_an_independent_reader_reads_our_files(bodies: list[bytes]) -> None:
    records = {record_cid(block): block for block in (libipld.encode_dag_cbor(b) for b in bodies)}
    header, blocks = libipld.decode_car(car_bytes(record_cid(ROOT), records.items()))
    assert header["roots"] == [record_cid(ROOT)]
    assert [bytes(cid) for cid in blocks] == list(records)


@pytest.mark.parametrize("size", [0, 90, 91, 16_346, 16_347, MAX_BLOCK_BYTES])
def test_blocks_of_every_size_up_to_2_megabytes_are_read(size: int) -> None:
    block = bytes(size)
    _, blocks = read_car(car_bytes(record_cid(block), [(record_cid(block), block)]))
    assert blocks == {record_cid(block): block}


def test_a_larger_block_is_invalid_before_it_has_arrived() -> None:
    block = bytes(MAX_BLOCK_BYTES + 1)
    with pytest.raises(Invalid, match="large"):
        CarReader().feed(car_header(record_cid(ROOT)) + car_block(record_cid(block), block)[:50])


@given(st.integers(0, len(CAR) - 1), st.integers(1, 255))
def test_no_byte_of_a_car_file_can_change(at: int, flip: int) -> None:
    changed = bytearray(CAR)
    changed[at] ^= flip
    try:
        root, blocks = read_car(bytes(changed))
    except Invalid:
        return
    assert (root, blocks) != (record_cid(ROOT), read_car(CAR)[1]) or root != record_cid(ROOT)
    assert all(cid in (record_cid(block), raw_cid(block)) for cid, block in blocks.items())


@given(st.binary(max_size=200))
def test_junk_is_invalid_and_nothing_worse(junk: bytes) -> None:
    with pytest.raises(Invalid):
        read_car(junk)


def _header(fields: object) -> bytes:
    raw = libipld.encode_dag_cbor(fields)
    return bytes((len(raw),)) + raw


@pytest.mark.parametrize(
    "body",
    [
        b"",
        CAR[:-1],
        CAR + b"\0",
        CAR + b"\x01",
        CAR + b"\x81\x80\x00",
        b"\xff\xff\xff\xff\xff\xff",
        _header({"version": 1, "roots": []}),
        _header({"version": 1, "roots": [bytes(record_cid(ROOT)), bytes(record_cid(b"x"))]}),
        _header({"version": 2, "roots": [bytes(record_cid(ROOT))]}),
        _header({"version": 1, "roots": ["text"]}),
        _header({"version": 1}),
        b"\xff\x7f" + b"\xa2" * 16_383,
    ],
)
def test_a_malformed_file_is_invalid(body: bytes) -> None:
    with pytest.raises(Invalid):
        read_car(body)


def test_a_repo_is_exported_in_an_order_that_can_be_checked_on_the_way() -> None:
    records = {f"c/{n:04d}": b"\x19" + (n % 700).to_bytes(2, "big") for n in range(1500)}
    known = {record_cid(block): block for block in records.values()}
    tree = Tree.build((key, record_cid(block)) for key, block in records.items())
    stored = [(record_cid(block), block) for block in records.values()]
    chunks = list(export_repo(record_cid(ROOT), ROOT, tree, stored))
    body = b"".join(chunks)
    root, blocks = read_car(body)
    order = list(blocks)
    assert order[0] == root == record_cid(ROOT)
    assert len(CarReader().feed(body)) == len(blocks) == 1 + len(known) + len(list(tree.nodes()))
    assert max(map(len, chunks)) < len(body) * 0.9
    assert load_tree(order[1], blocks.get).cid == tree.cid
    place = {cid: i for i, cid in enumerate(order)}
    for node in tree.nodes():
        below = [t.cid for t in node.trees if t is not None] + list(node.vals)
        assert all(place[cid] > place[node.cid] for cid in below if cid not in known)
    first_seen = [cid for cid in order if cid in known]
    assert first_seen == list(dict.fromkeys(cid for _, cid in tree.items()))


@pytest.mark.parametrize("stored", [[], [(record_cid(b"y"), b"y")]])
def test_an_export_of_other_records_than_the_trees_fails(stored: list[tuple[Cid, bytes]]) -> None:
    tree = Tree().put("c/1", record_cid(b"x"))
    with pytest.raises(Conflict):
        list(export_repo(record_cid(ROOT), ROOT, tree, stored))
