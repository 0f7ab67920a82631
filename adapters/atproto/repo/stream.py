"""Repositories too large for memory: their tree made in one pass, with one open node per layer.

From the last key to the first a node is closed after all that lies below and behind it: read
backwards, the pieces are the tree in pre-order with the records in their places, which is the
order of a streamable export.

Spec: https://atproto.com/specs/repository#car-file-serialization
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from struct import unpack_from
from tempfile import TemporaryFile
from typing import BinaryIO, Final

from adapters.atproto.repo.car import car_block, car_header
from adapters.atproto.repo.mst import EMPTY_ROOT, EVERY_KEY, MAX_KEY_BYTES, Node, Span, depth_of
from pod.errors import Conflict, Invalid
from pod.model.ids import Cid

_TRAILER: Final = 5
_READ_BACK: Final = 1 << 20


def export_large(
    commit: Cid,
    commit_block: bytes,
    data: Cid,
    records: Iterable[tuple[str, Cid, bytes]],
    folder: Path | None,
    *,
    span: Span = EVERY_KEY,
) -> Generator[bytes]:
    """The same as `car.export_repo` out of records in falling key order, by way of a file.

    The first chunk comes when all records were read. With ``span`` only the records of these keys
    are sent, and the nodes that prove them complete. Raises Conflict if the records are not those
    of the tree ``data``.
    """
    with TemporaryFile(dir=folder) as file:
        spool = _Spool(file, span)
        if spool.write(records) != data:
            raise Conflict("the records do not match the signed repository")
        yield car_header(commit) + car_block(commit, commit_block)
        yield from spool.read_back()


def root_of(items: Iterable[tuple[str, Cid]]) -> Cid:
    """The root of the tree of items in strictly rising key order; Invalid otherwise."""
    layers = _Layers()
    for key, cid in items:
        layers.add(key.encode(), cid)
    return layers.finish()[-1].cid


def nodes_of(items: Iterable[tuple[str, Cid]]) -> Iterator[tuple[Cid, bytes]]:
    """CID and block of every node of the same tree, the root last."""
    layers = _Layers()
    for key, cid in items:
        for node in layers.add(key.encode(), cid):
            yield node.cid, node.block
    for node in layers.finish():
        yield node.cid, node.block


class _Layers:
    """The open nodes, lowest first; each is closed when a key of a higher layer arrives."""

    def __init__(self, *, falling: bool = False) -> None:
        self._falling = falling
        self._last = b""
        self._open: list[tuple[list[bytes], list[Cid], list[Node | None]]] = []

    def add(self, key: bytes, cid: Cid) -> list[Node]:
        """Take the next key; gives the nodes that are finished by it, lowest first."""
        in_order = key < self._last or not self._last if self._falling else key > self._last
        if not in_order or not 0 < len(key) <= MAX_KEY_BYTES:
            raise Invalid("repository keys are not in order, or too long")
        self._last = key
        depth = depth_of(key)
        while len(self._open) <= depth:
            self._open.append(([], [], []))
        closed, below = self._close(depth)
        keys, vals, trees = self._open[depth]
        trees.append(below)
        keys.append(key)
        vals.append(cid)
        return closed

    def finish(self) -> list[Node]:
        """The last nodes, lowest first; the root is the last one."""
        return self._close(len(self._open))[0] or [EMPTY_ROOT]

    def _close(self, height: int) -> tuple[list[Node], Node | None]:
        closed: list[Node] = []
        below: Node | None = None
        for layer in range(height):
            keys, vals, trees = self._open[layer]
            trees.append(below)
            below = None
            if keys or trees[0] is not None:
                if self._falling:
                    keys, vals, trees = keys[::-1], vals[::-1], trees[::-1]
                node = Node(layer, tuple(keys), tuple(vals), tuple(trees))
                closed.append(node)
                # A parent needs no more of a node than its CID.
                below = Node.known_as(layer, node.cid)
            self._open[layer] = ([], [], [])
        return closed, below


class _Spool:
    """Pieces of a CAR file written last first, each with its length and kind behind it."""

    def __init__(self, file: BinaryIO, span: Span) -> None:
        self._file = file
        self._low, self._high = span
        self._records = 0

    def write(self, records: Iterable[tuple[str, Cid, bytes]]) -> Cid:
        """Write all pieces; gives the root of the tree."""
        layers = _Layers(falling=True)
        # What a closed node covers ends at the last key of a layer above it.
        bounds: list[bytes] = []
        root = EMPTY_ROOT
        for text, cid, block in records:
            key = text.encode()
            for node in layers.add(key, cid):
                self._node(node, key, bounds)
            depth = depth_of(key)
            bounds += [EVERY_KEY[1]] * (depth - len(bounds))
            bounds[:depth] = [key] * depth
            if self._low <= key < self._high:
                self._put(car_block(cid, block), b"\x01")
                self._records += 1
        for root in layers.finish():
            self._node(root, b"", bounds)
        return root.cid

    def _node(self, node: Node, low: bytes, bounds: list[bytes]) -> None:
        high = bounds[node.height] if node.height < len(bounds) else EVERY_KEY[1]
        if low < self._high and high > self._low:
            self._put(car_block(node.cid, node.block), b"\x00")

    def _put(self, piece: bytes, kind: bytes) -> None:
        self._file.write(piece + len(piece).to_bytes(4, "big") + kind)

    def read_back(self) -> Iterator[bytes]:
        """All pieces, first ones first, a record that several keys hold only once."""
        self._file.flush()
        number, end = self._file.fileno(), self._file.tell()
        sent = _Sent(self._records)
        tail = b""
        while end or tail:
            size = min(_READ_BACK, end)
            end -= size
            window = os.pread(number, size, end) + tail
            at, pieces = len(window), []
            while at >= _TRAILER:
                length = int.from_bytes(window[at - _TRAILER : at - 1], "big")
                start = at - _TRAILER - length
                if start < 0:
                    break
                piece = window[start : at - _TRAILER]
                if not window[at - 1] or sent.is_new(piece):
                    pieces.append(piece)
                at = start
            tail = window[:at]
            yield b"".join(pieces)


class _Sent:
    """The hashes of records that were sent: a table of two words each, at most half full."""

    def __init__(self, count: int) -> None:
        self._mask = (1 << (2 * count + 1).bit_length()) - 1
        self._table = array("Q", bytes(16 * (self._mask + 1)))

    def is_new(self, piece: bytes) -> bool:
        """Whether a record was not sent yet; half of its hash tells records apart."""
        at = 1
        while piece[at - 1] & 0x80:
            at += 1
        high, low = unpack_from(">QQ", piece, at + 4)
        table, slot = self._table, high & self._mask
        while table[2 * slot] or table[2 * slot + 1]:
            if table[2 * slot] == high and table[2 * slot + 1] == low:
                return False
            slot = (slot + 1) & self._mask
        table[2 * slot], table[2 * slot + 1] = high, low
        return True
