"""CIDs as 36 bytes: version 1, SHA-256, of a record (dag-cbor) or of plain bytes (raw).

Spec: https://atproto.com/specs/data-model#link-and-cid-formats
"""

from __future__ import annotations

from enum import IntEnum
from hashlib import sha256

import libipld

from pod.errors import Invalid
from pod.model.ids import Cid

CID_LENGTH = 36


class Codec(IntEnum):
    """How the bytes behind a CID are to be read."""

    RAW = 0x55
    DAG_CBOR = 0x71


_RAW = bytes((1, Codec.RAW, 0x12, 0x20))
_DAG_CBOR = bytes((1, Codec.DAG_CBOR, 0x12, 0x20))
_PREFIXES = (_DAG_CBOR, _RAW)


def record_cid(block: bytes) -> Cid:
    """The CID of a DAG-CBOR block."""
    return Cid(_DAG_CBOR + sha256(block).digest())


def raw_cid(body: bytes) -> Cid:
    """The CID of plain bytes: a blob or a document."""
    return Cid(_RAW + sha256(body).digest())


def cid_of_digest(digest: bytes, codec: Codec) -> Cid:
    """The CID for a SHA-256 digest (32 bytes) that was computed elsewhere, as while streaming."""
    return cid_from_bytes((_RAW if codec == Codec.RAW else _DAG_CBOR) + digest)


def is_cid(raw: bytes) -> bool:
    """Whether bytes are a CID in the one form that records may hold."""
    return len(raw) == CID_LENGTH and raw.startswith(_PREFIXES)


def cid_from_bytes(raw: bytes) -> Cid:
    """A CID from its 36 bytes; raises Invalid on any other version, codec or hash."""
    if not is_cid(raw):
        raise Invalid("not a CID of version 1 with SHA-256")
    return Cid(bytes(raw))


def cid_text(cid: bytes) -> str:
    """The text form: ``b`` and lower-case base32."""
    text: str = libipld.encode_cid(cid)
    return text


def cid_from_text(text: str) -> Cid:
    """A CID from its text form, lower-case base32 only; raises Invalid."""
    if len(text) != 59 or not text.isascii() or not text.startswith(("bafyrei", "bafkrei")):
        raise Invalid("not a valid CID")
    try:
        digest = libipld.decode_cid(text)["hash"]["digest"]
    except ValueError as err:
        raise Invalid("not a valid CID") from err
    cid = Cid((_RAW if text.startswith("bafkrei") else _DAG_CBOR) + digest)
    # The 58 digits hold two bits too many, which a decoder may ignore.
    if cid_text(cid) != text:
        raise Invalid("not a valid CID")
    return cid
