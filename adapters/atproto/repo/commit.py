"""Signed commits, version 3: the one signature over a whole repository.

Spec: https://atproto.com/specs/repository#commit-objects
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.atproto.repo.car import CarReader
from adapters.atproto.repo.drisl import LINK, NULL, head, text
from pod.errors import Invalid
from pod.keys.curves import SigningKey, verify
from pod.model.ids import Cid, Did, Tid, parse_did, parse_tid
from pod.records.cbor import decode, encode
from pod.records.data import Link

_READ_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit as read from a block; ``unsigned`` is what its signature covers."""

    did: Did
    rev: Tid
    data: Cid
    signature: bytes
    unsigned: bytes

    def is_signed_by(self, did_key: str) -> bool:
        """Whether the signature is by the key; Invalid if ``did_key`` is no key."""
        return verify(did_key, self.unsigned, self.signature)


def sign_commit(did: Did, rev: Tid, data: Cid, key: SigningKey) -> bytes:
    """The block of a signed commit that makes ``data`` the tree of a repository."""
    first = b"\x63did" + text(did) + b"\x63rev" + text(rev)
    last = b"\x64data" + LINK + data + b"\x64prev" + NULL + b"\x67version\x03"
    signature = key.sign(head(5, 5) + first + last)
    return head(5, 6) + first + b"\x63sig" + head(2, 64) + signature + last


def read_commit(block: bytes) -> Commit:
    """A commit from its block; Invalid unless it is a well-formed commit of version 3."""
    record = decode(block)
    if not isinstance(record, dict):
        raise Invalid("not a signed commit of version 3")
    signature = record.pop("sig", None)
    match record:
        case {
            "did": str(did),
            "version": 3,
            "data": Link() as data,
            "rev": str(rev),
            "prev": Link() | None,
        } if isinstance(signature, bytes) and len(signature) == 64:
            return Commit(parse_did(did), parse_tid(rev), data.cid, signature, encode(record))
        case _:
            raise Invalid("not a signed commit of version 3")


def tree_of_file(car: Path) -> Cid:
    """The root of the tree that the commit of a CAR file signs; Invalid as for `CarReader`."""
    reader, block = CarReader(), b""
    with car.open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            for cid, found in reader.feed(chunk):
                if cid == reader.root:
                    block = found
    reader.finish()
    return read_commit(block).data
