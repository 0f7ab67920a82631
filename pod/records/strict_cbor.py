"""The strict codec of canonical DAG-CBOR, for what the fast one may not decide (see `cbor`).

Spec: https://atproto.com/specs/data-model
"""

from __future__ import annotations

from typing import Any

import dag_cbor
from dag_cbor.decoding import CBORDecodingError
from dag_cbor.encoding import CBOREncodingError
from multiformats import CID

from pod.errors import Invalid
from pod.records.cid import cid_from_bytes
from pod.records.data import MAX_DEPTH, Data, Link, check_int


def encode(data: Data) -> bytes:
    """The block of data whose kinds and depth were looked at; raises Invalid."""
    try:
        return dag_cbor.encode(_with_cids(data))
    except (CBOREncodingError, UnicodeError) as err:
        raise Invalid("the data has no DAG-CBOR form") from err


def decode(block: bytes) -> Data:
    """The data in a block from anywhere; raises Invalid unless it is the canonical block of it."""
    try:
        data = dag_cbor.decode(block)
    except (CBORDecodingError, ValueError, LookupError, OverflowError, RecursionError) as err:
        raise Invalid("the block is not canonical DAG-CBOR") from err
    return _without_cids(data, 0)


def _with_cids(data: Data) -> Any:
    match data:
        case dict():
            return {key: _with_cids(value) for key, value in data.items()}
        case list():
            return [_with_cids(value) for value in data]
        case Link():
            return CID.decode(bytes(data))
        case _:
            return data


def _without_cids(data: Any, depth: int) -> Data:
    match data:
        case dict() | list() if depth >= MAX_DEPTH:
            raise Invalid("the data is nested too deeply")
        case dict():
            return {key: _without_cids(value, depth + 1) for key, value in data.items()}
        case list():
            return [_without_cids(value, depth + 1) for value in data]
        case CID():
            return Link(cid_from_bytes(bytes(data)))
        case float():
            raise Invalid("floating point numbers are not allowed in records")
        case int() if not isinstance(data, bool):
            check_int(data)
            return data
        case _:
            plain: Data = data
            return plain
