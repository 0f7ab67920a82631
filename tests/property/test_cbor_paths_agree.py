"""The fast and the strict DAG-CBOR codec give the same answer to everything, good or hostile.

``COMMONPOD_CBOR_EXAMPLES=1000000 pytest tests/property/test_cbor_paths_agree.py`` compares as many
inputs as that.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from pod.errors import Invalid
from pod.records import cbor
from pod.records.data import Data, Link
from tests.kit import records

INPUTS = int(os.environ.get("COMMONPOD_CBOR_EXAMPLES", "600"))
ROUND = 2000

blocks = st.one_of(
    records.hostile,
    records.hostile,
    records.data.map(cbor.encode),
    records.damaged(records.data.map(cbor.encode)),
)
BATCH = st.lists(blocks, min_size=1, max_size=8)
QUIET = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))


def shape(data: Data) -> object:
    """The data with its types told apart: 1 is not True, and a link is not a byte string."""
    match data:
        case dict():
            return {key: shape(value) for key, value in data.items()}
        case list():
            return [shape(value) for value in data]
        case _:
            return type(data), data


def answer(decode: object, block: bytes) -> object:
    assert callable(decode)
    try:
        return shape(decode(block))
    except Invalid:
        return Invalid


def test_both_paths_give_the_same_answer(capsys: pytest.CaptureFixture[str]) -> None:
    seen: Counter[str] = Counter()

    def compare(batch: list[bytes], data: Data) -> None:
        for block in batch:
            strict = answer(cbor.decode_strictly, block)
            assert answer(cbor.decode, block) == strict
            seen["refused" if strict is Invalid else "taken"] += 1
            if strict is not Invalid:
                assert answer(cbor.decode_trusted, block) == strict
                assert cbor.encode(cbor.decode(block)) == block
        block = cbor.encode(data)
        assert block == cbor.encode_strictly(data)
        assert shape(cbor.decode(block)) == shape(data)
        seen["written"] += 1

    turn = 0
    while seen.total() < INPUTS:
        todo = min(ROUND, 1 + (INPUTS - seen.total()) // 5)
        seed(turn)(settings(QUIET, max_examples=todo)(given(BATCH, records.data)(compare)))()
        turn += 1
    assert seen["refused"]
    assert seen["taken"]
    with capsys.disabled():
        print(f"\n{seen.total()} inputs compared: {dict(seen)}", end=" ")


@pytest.mark.parametrize(
    "block",
    [
        records.head(4, 1, 0) * 129 + b"\x80",
        records.head(4, 1, 0) * 1_000_000 + b"\x80",
        b"\xa1\x61a" * 1_000_000 + b"\xa0",
        b"\xd8\x2a" * 1_000_000,
    ],
    ids=["129 arrays", "a million arrays", "a million maps", "a million tags"],
)
def test_deep_nesting_is_refused_on_both_paths(block: bytes) -> None:
    for decode in (cbor.decode, cbor.decode_strictly):
        with pytest.raises(Invalid):
            decode(block)


def test_nesting_up_to_the_bound_is_taken_on_both_paths() -> None:
    block = b"\x81" * 127 + b"\x80"
    assert cbor.decode(block) == cbor.decode_strictly(block)
    assert cbor.encode(cbor.decode(block)) == block


@pytest.mark.parametrize(
    "block",
    [
        b"\x1b" + b"\xff" * 8,
        b"\x1b\x80" + bytes(7),
        b"\x3b\x80" + bytes(7),
        b"\xd8\x2a\x58\x26\x00" + records.PREFIXES[0] + bytes(33),
        b"\xd8\x2a\x58\x23\x00\x12\x20" + bytes(32),
        b"\xd8\x2a\x58\x25\x00\x01\x70\x12\x20" + bytes(32),
        b"\xd8\x2a\x46\x00\x01\x55\x00\x01z",
        b"\xfb\x3f\xf8" + bytes(6),
        b"\xfa\x3f\xc0\x00\x00",
        b"\x18\x01",
        b"\x78\x01a",
        b"\xd9\x00\x2a\x58\x25\x00" + records.PREFIXES[0] + bytes(32),
    ],
    ids=bytes.hex,
)
def test_what_the_fast_codec_would_take_is_refused_on_both_paths(block: bytes) -> None:
    for decode in (cbor.decode, cbor.decode_strictly):
        for whole in (block, b"\xa1\x61a" + block):
            with pytest.raises(Invalid):
                decode(whole)


@pytest.mark.parametrize("cid", [prefix + bytes(32) for prefix in records.PREFIXES])
def test_a_byte_string_that_looks_like_a_cid_stays_a_byte_string(cid: bytes) -> None:
    data: Data = {"link": Link(cid), "bytes": cid}
    block = cbor.encode(data)
    for decode in (cbor.decode, cbor.decode_trusted, cbor.decode_strictly):
        assert shape(decode(block)) == shape(data)


@pytest.mark.parametrize(
    "data",
    [
        1.5,
        float("nan"),
        {"a": 1.0},
        2**63,
        -(2**63) - 1,
        {1: 2},
        {"a": "\ud800"},
        (1,),
        Link(b"x"),
        pytest.param(object(), id="object"),
    ],
    ids=repr,
)
def test_what_has_no_place_in_a_record_is_refused_by_both_encoders(data: Data) -> None:
    for encode in (cbor.encode, cbor.encode_strictly):
        with pytest.raises(Invalid):
            encode({"value": data})
