"""CAR files, version 1: written in streamable order, read strictly while they arrive.

Spec: https://atproto.com/specs/repository#car-file-serialization
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Final

from adapters.atproto.repo.drisl import LINK
from adapters.atproto.repo.mst import EVERY_KEY, Span, Tree
from pod.errors import Conflict, Invalid
from pod.model.ids import Cid
from pod.records.cbor import decode
from pod.records.cid import CID_LENGTH, cid_from_bytes
from pod.records.data import Link

MAX_BLOCK_BYTES: Final = 2_000_000
_MAX_HEADER_BYTES: Final = 1000
_PARTS_AT_ONCE: Final = 3_000
_NOTHING: Final = (Cid(b""), b"")


def car_header(root: Cid) -> bytes:
    """The head of a CAR file with one root."""
    return b"\x3a\xa2\x65roots\x81" + LINK + root + b"\x67version\x01"


def car_block(cid: Cid, block: bytes) -> bytes:
    """One block of a CAR file."""
    return _varint(CID_LENGTH + len(block)) + cid + block


def car_bytes(root: Cid, blocks: Iterable[tuple[Cid, bytes]]) -> bytes:
    """A whole small CAR file."""
    parts = [car_header(root)]
    for cid, block in blocks:
        parts += (_varint(CID_LENGTH + len(block)), cid, block)
    return b"".join(parts)


def _varint(number: int) -> bytes:
    """An unsigned varint below 2**21, more than a block may have."""
    if number < 0x80:
        return bytes((number,))
    if number < 0x4000:
        return bytes((number & 0x7F | 0x80, number >> 7))
    return bytes((number & 0x7F | 0x80, number >> 7 & 0x7F | 0x80, number >> 14))


def export_repo(
    commit: Cid,
    commit_block: bytes,
    tree: Tree,
    records: Iterable[tuple[Cid, bytes]],
    *,
    span: Span = EVERY_KEY,
) -> Iterator[bytes]:
    """A repository as CAR chunks: the commit, then the tree in pre-order, each record in its place.

    A reader can check it all in one pass. ``records`` gives CID and block in key order, which is
    the order the tree has them in, of the keys in ``span``: no others are sent, and no more nodes
    than prove them complete. A record that several keys hold is sent once. Raises Conflict if the
    records are not the tree's.
    """
    yield car_header(commit) + car_block(commit, commit_block)
    sent: set[Cid] = set()
    parts: list[bytes] = []
    stored = iter(records)
    for node, i in tree.walk(span):
        cid, block = (node.cid, node.block) if i < 0 else next(stored, _NOTHING)
        if i >= 0:
            if cid != node.vals[i]:
                raise Conflict("the records do not match the signed repository")
            if cid in sent:
                continue
            sent.add(cid)
        parts += (_varint(CID_LENGTH + len(block)), cid, block)
        if len(parts) >= _PARTS_AT_ONCE:
            yield b"".join(parts)
            parts = []
    yield b"".join(parts)


class CarReader:
    """Reads a CAR file piece by piece, with its hashes; everything wrong with it is Invalid.

    `feed` it chunks as they arrive, `finish` at the end. Blocks over 2,000,000 bytes, other CIDs
    than ATProto's, and any number of roots but one are refused.
    """

    def __init__(self) -> None:
        self._root: Cid | None = None
        self._rest = b""

    @property
    def root(self) -> Cid:
        """The one root, once the header was read."""
        if self._root is None:
            raise Invalid("the CAR file has no header")
        return self._root

    def feed(self, chunk: bytes) -> list[tuple[Cid, bytes]]:
        """The blocks that are complete with this chunk, each checked against its CID."""
        data = self._rest + chunk
        at = 0
        blocks: list[tuple[Cid, bytes]] = []
        while (span := _next_section(data, at)) is not None:
            start, at = span
            if self._root is None:
                self._root = _read_header(data[start:at])
            else:
                blocks.append(_read_block(data[start:at]))
        self._rest = data[at:]
        if self._root is None and len(self._rest) > _MAX_HEADER_BYTES:
            raise Invalid("the header of the CAR file is too long")
        return blocks

    def finish(self) -> Cid:
        """The root; Invalid if the file ended in the middle of something."""
        if self._rest:
            raise Invalid("the CAR file is cut off")
        return self.root


def read_car(body: bytes) -> tuple[Cid, dict[Cid, bytes]]:
    """Root and blocks of a whole CAR file; Invalid as for `CarReader`."""
    reader = CarReader()
    blocks = dict(reader.feed(body))
    return reader.finish(), blocks


def _next_section(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the next section starts and ends, None if it has not arrived in full."""
    length = shift = 0
    start = at
    while True:
        if start >= len(data):
            return None
        byte = data[start]
        start += 1
        length |= (byte & 0x7F) << shift
        if length > MAX_BLOCK_BYTES + CID_LENGTH:
            raise Invalid("a block of the CAR file is too large")
        if byte < 0x80:
            break
        shift += 7
        if shift > 28:
            raise Invalid("a length in the CAR file is malformed")
    if length == 0 or (byte == 0 and shift):
        raise Invalid("a length in the CAR file is malformed")
    return (start, start + length) if start + length <= len(data) else None


def _read_header(raw: bytes) -> Cid:
    header = decode(raw)
    match header:
        case {"version": 1, "roots": [Link() as root]}:
            return root.cid
        case _:
            raise Invalid("the CAR file must have version 1 and exactly one root")


def _read_block(raw: bytes) -> tuple[Cid, bytes]:
    cid, block = cid_from_bytes(raw[:CID_LENGTH]), raw[CID_LENGTH:]
    if sha256(block).digest() != cid[4:]:
        raise Invalid("a block of the CAR file does not match its CID")
    return cid, block
