"""Strategies for record data, and for CBOR that goes wrong in every way we know of."""

from __future__ import annotations

import struct

from hypothesis import strategies as st

from pod.records.data import MAX_INT, MIN_INT, Data, Link

PREFIXES = [b"\x01\x71\x12\x20", b"\x01\x55\x12\x20"]
EDGES = [0, 23, 24, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1]

cids = st.builds(
    lambda head, tail: head + tail * 4, st.sampled_from(PREFIXES), st.binary(min_size=8, max_size=8)
)
links = cids.map(Link)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
edge_ints = st.sampled_from(
    [n for edge in EDGES for n in (edge, -1 - edge) if MIN_INT <= n <= MAX_INT]
)
ints = edge_ints | st.integers(MIN_INT, MAX_INT)
byte_strings = st.binary(max_size=8) | cids
scalars = st.none() | st.booleans() | ints | texts | byte_strings | links


def nested(
    leaves: st.SearchStrategy[Data], keys: st.SearchStrategy[str]
) -> st.SearchStrategy[Data]:
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=12,
    )


data = nested(scalars, texts)
"""Any record data."""

plain_keys = texts.filter(lambda key: not key.startswith("$"))
json_safe = nested(scalars, plain_keys)
"""Record data without the reserved keys, which mean something else in JSON."""


def head(major: int, number: int, width: int) -> bytes:
    """A CBOR head; ``width`` 0 is the shortest that fits, 1 to 4 are 1, 2, 4 and 8 bytes."""
    fitting = 0 if number < 24 else 1 + sum(number >= 1 << bits for bits in (8, 16, 32))
    width = max(width, fitting)
    if width == 0:
        return bytes([major << 5 | number])
    return bytes([major << 5 | 23 + width]) + number.to_bytes(1 << (width - 1), "big")


widths = st.sampled_from([0, 0, 0, 0, 1, 2, 3, 4])
numbers = st.builds(head, st.integers(0, 1), st.sampled_from(EDGES) | st.integers(0, 30), widths)


def string(major: int, body: bytes, width: int) -> bytes:
    return head(major, len(body), width) + body


broken_text = st.sampled_from(
    [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\xe2\x82"]
)
strings = st.builds(string, st.just(3), texts.map(str.encode) | broken_text, widths)
blobs = st.builds(string, st.just(2), byte_strings, widths)
floats = st.sampled_from(
    [
        b"\xf9\x3e\x00",
        b"\xf9\x7e\x00",
        b"\xfa" + struct.pack(">f", 1.5),
        b"\xfb" + struct.pack(">d", 1.5),
        b"\xfb" + struct.pack(">d", 1.0),
        b"\xfb" + struct.pack(">d", float("nan")),
        b"\xfb" + struct.pack(">d", float("inf")),
    ]
)
simples = st.sampled_from(
    [bytes([0xE0 | n]) for n in range(32)] + [b"\xf8\x18", b"\xf8\xff", b"\xf8\x14"]
)
indefinite = st.sampled_from(
    [b"\x9f\xff", b"\x9f\x01\xff", b"\xbf\xff", b"\x5f\x41a\xff", b"\x7f\x61a\xff", b"\xff"]
)
odd_cids = st.sampled_from(
    [
        b"",
        b"\x00",
        b"\x00\x01\x71\x12\x20",
        b"\x00\x01\x71\x12\x20" + bytes(31),
        b"\x00\x01\x71\x12\x20" + bytes(33),
        b"\x01\x71\x12\x20" + bytes(32),
        b"\x00\x12\x20" + bytes(32),
        b"\x00\x01\x70\x12\x20" + bytes(32),
        b"\x00\x01\x71\x13\x40" + bytes(64),
        b"\x00\x01\x71\x12\x14" + bytes(20),
        b"\x00\x01\x71\x00\x00",
        b"\x00\x01\x55\x00\x01z",
        b"\x00\x81\x00\x71\x12\x20" + bytes(32),
        b"\x00\x01\xf1\x00\x12\x20" + bytes(32),
        b"\x00\x02\x71\x12\x20" + bytes(32),
        b"\x00\x01\x71\x1e\x20" + bytes(32),
        b"\x01\x01\x71\x12\x20" + bytes(32),
    ]
)
tagged = st.builds(
    lambda tag, width, body, body_width: head(6, tag, width) + string(2, body, body_width),
    st.sampled_from([42, 42, 42, 42, 0, 2, 24, 41]),
    widths,
    cids.map(lambda cid: b"\x00" + cid) | odd_cids,
    widths,
)
claims = st.builds(head, st.integers(2, 5), st.sampled_from(EDGES), widths)
atoms = st.one_of(
    numbers, strings, strings, blobs, tagged, tagged, floats, simples, indefinite, claims
)
keys = st.one_of(
    strings,
    st.sampled_from([b"\x61a", b"\x61b", b"\x62aa", b"\x60"]),
    st.sampled_from([b"\x61a", b"\x61b", b"\x62aa", b"\x60"]),
    numbers,
    blobs,
)


def array(items: list[bytes], width: int) -> bytes:
    return head(4, len(items), width) + b"".join(items)


def mapping(entries: list[tuple[bytes, bytes]], width: int, in_order: bool) -> bytes:
    if in_order:
        entries = sorted(dict(entries).items(), key=lambda entry: (len(entry[0]), entry[0]))
    return head(5, len(entries), width) + b"".join(key + value for key, value in entries)


hostile = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(array, st.lists(inner, max_size=3), widths),
        st.builds(
            mapping,
            st.lists(st.tuples(keys, inner), max_size=3),
            widths,
            st.sampled_from([True, True, False]),
        ),
        st.builds(lambda item, tag: head(6, tag, 0) + item, inner, st.sampled_from([42, 0, 1])),
    ),
    max_leaves=8,
)
"""Items of CBOR that are well formed by chance only."""


@st.composite
def damaged(draw: st.DrawFn, blocks: st.SearchStrategy[bytes]) -> bytes:
    """A block cut short, drawn out, or changed in one byte."""
    block = draw(blocks)
    at = draw(st.integers(0, len(block)))
    match draw(st.integers(0, 3)):
        case 0:
            return block[:at]
        case 1:
            return block + draw(st.binary(min_size=1, max_size=3))
        case 2:
            return block[:at] + draw(st.binary(min_size=1, max_size=2)) + block[at + 1 :]
        case _:
            return block + block
