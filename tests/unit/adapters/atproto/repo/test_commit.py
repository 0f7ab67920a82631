"""Signed commits: written by template, read strictly."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.atproto.repo.commit import read_commit, sign_commit
from pod.errors import Invalid
from pod.keys.curves import Curve, SigningKey
from pod.model.ids import Did, Tid
from tests.kit.other_cbor import CID, decode_dag_cbor, encode_dag_cbor
from tests.kit.repo import cid_of

DID = Did("did:plc:ewvi7nxzyoun6zhxrhs64oiz")
REV = Tid("3jzfcijpj2z2a")
KEYS = [SigningKey.from_bytes(b"\7" * 32, curve) for curve in Curve]


@pytest.mark.parametrize("key", KEYS)
def test_a_commit_is_canonical_and_signed(key: SigningKey) -> None:
    block = sign_commit(DID, REV, cid_of("data"), key)
    data: Any = decode_dag_cbor(block)
    assert encode_dag_cbor(data) == block
    signature = data.pop("sig")
    assert data == {
        "did": DID,
        "version": 3,
        "data": CID(cid_of("data")),
        "rev": REV,
        "prev": None,
    }
    assert key.public.verify(encode_dag_cbor(data), signature)


@pytest.mark.parametrize("key", KEYS)
def test_a_commit_reads_back(key: SigningKey) -> None:
    commit = read_commit(sign_commit(DID, REV, cid_of("data"), key))
    assert (commit.did, commit.rev, commit.data) == (DID, REV, cid_of("data"))
    assert commit.is_signed_by(key.did_key)
    assert not commit.is_signed_by(SigningKey.generate_k256().did_key)


def test_a_long_did_fits() -> None:
    did = Did("did:web:" + "a" * 60 + "." + "b" * 60 + ".example")
    block = sign_commit(did, REV, cid_of("data"), KEYS[0])
    assert read_commit(block).did == did


@pytest.mark.parametrize(
    "fields",
    [
        {"version": 2},
        {"did": "alice"},
        {"rev": "yesterday"},
        {"data": None},
        {"data": b"x"},
        {"prev": 1},
        {"sig": b"short"},
        {"sig": "text"},
    ],
)
def test_a_malformed_commit_is_invalid(fields: dict[str, Any]) -> None:
    data: Any = decode_dag_cbor(sign_commit(DID, REV, cid_of("data"), KEYS[0]))
    with pytest.raises(Invalid):
        read_commit(encode_dag_cbor(data | fields))


@pytest.mark.parametrize("field", ["did", "version", "data", "rev", "prev", "sig"])
def test_no_field_of_a_commit_may_lack(field: str) -> None:
    data: Any = decode_dag_cbor(sign_commit(DID, REV, cid_of("data"), KEYS[0]))
    del data[field]
    with pytest.raises(Invalid):
        read_commit(encode_dag_cbor(data))


@pytest.mark.parametrize("block", [b"", b"\x80", b"\xf6", b"\x01", b"junk"])
def test_what_is_no_map_is_no_commit(block: bytes) -> None:
    with pytest.raises(Invalid):
        read_commit(block)
