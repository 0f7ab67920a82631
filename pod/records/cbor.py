"""Canonical DAG-CBOR (DRISL): a guarded fast codec, and a strict one for all that is in doubt.

The fast codec (libipld) takes lengths and integers that are not minimal, takes single-precision
floats, and holds links as plain bytes, so that a byte string which looks like a CID becomes a link
when written. Hence the guard: what it read must come out as the same bytes again, every number is
looked at, and whatever could be a link or a byte string goes the strict way.

Spec: https://atproto.com/specs/data-model
"""

from __future__ import annotations

from typing import Any

import libipld

from pod.errors import Invalid
from pod.records.cid import is_cid
from pod.records.data import MAX_DEPTH, Data, Link, check_int

_LINK_TAG = b"\xd8\x2a"


def encode(data: Data) -> bytes:
    """The one canonical block of some data.

    Raises Invalid on what has no place in it: floats, integers beyond 64 bits, keys that are not
    text, text that is not Unicode, nesting deeper than 128.
    """
    if not _is_plain([data], 0):
        return encode_strictly(data)
    try:
        block: bytes = libipld.encode_dag_cbor(data)
    except ValueError as err:
        raise Invalid("the data has no DAG-CBOR form") from err
    return block


def decode(block: bytes) -> Data:
    """The data in a block from anywhere; raises Invalid unless it is the canonical block of it."""
    try:
        # The fast codec stops by itself at the interpreter's recursion limit.
        data = libipld.decode_dag_cbor(block)
        if libipld.encode_dag_cbor(data) != block:
            return decode_strictly(block)
    except (ValueError, RecursionError) as err:
        raise Invalid("the block is not DAG-CBOR") from err
    box: list[Data] = [data]
    _mark_links(box, 0)
    return box[0]


def decode_trusted(block: bytes) -> Data:
    """The data in a block that `encode` made or `decode` took: less to look at, same answer."""
    # The bytes of tag 42 occur in no text, so without them every byte string is just that.
    if _LINK_TAG in block:
        return decode(block)
    data: Data = libipld.decode_dag_cbor(block)
    return data


def _is_plain(container: Any, depth: int) -> bool:
    """Whether the fast codec writes it rightly; raises Invalid on what may not be written."""
    if depth > MAX_DEPTH:
        raise Invalid("the data is nested too deeply")
    plain = True
    for item in container.values() if type(container) is dict else container:
        kind: Any = type(item)
        if kind is str or kind is bool or item is None:
            continue
        if kind is dict or kind is list:
            plain = _is_plain(item, depth + 1) and plain
        elif kind is bytes:
            plain = plain and not _looks_like_a_link(item)
        elif kind is int:
            check_int(item)
        elif kind is not Link or not is_cid(item):
            raise Invalid("the data has no DAG-CBOR form")
    return plain


def _mark_links(container: Any, depth: int) -> None:
    """Turn CIDs into links, in place, and look at every number.

    For data that the fast codec writes as the very bytes it came from: what looks like a link to
    it was a link there.
    """
    if depth > MAX_DEPTH:
        raise Invalid("the data is nested too deeply")
    for key, item in container.items() if type(container) is dict else enumerate(container):
        kind: Any = type(item)
        if kind is str or kind is bool or item is None:
            continue
        if kind is dict or kind is list:
            _mark_links(item, depth + 1)
        elif kind is int:
            check_int(item)
        elif kind is not bytes:
            raise Invalid("floating point numbers are not allowed in records")
        elif is_cid(item):
            container[key] = Link(item)
        elif _looks_like_a_link(item):
            raise Invalid("a link must be a CID of version 1 with SHA-256")


def _looks_like_a_link(raw: bytes) -> bool:
    """Whether the fast codec would write a byte string as a link."""
    return bool(libipld.encode_dag_cbor(raw).startswith(_LINK_TAG))


def encode_strictly(data: Data) -> bytes:
    """`encode` without the fast codec, some hundred times slower: also the oracle of the tests."""
    _is_plain([data], 0)
    from pod.records import strict_cbor  # 4 MB that ordinary records never need

    return strict_cbor.encode(data)


def decode_strictly(block: bytes) -> Data:
    """`decode` without the fast codec, some hundred times slower: also the oracle of the tests."""
    from pod.records import strict_cbor

    return strict_cbor.decode(block)
