"""Blocks of a repository, found by CID: the first few in memory, the others on disk, 16 bytes each.

Spec: https://atproto.com/specs/repository#car-file-serialization
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Final, Self

from pod.model.ids import Cid
from pod.records.cid import CID_LENGTH

_GROUP_BITS: Final = 12
_REST_BITS: Final = 64 - _GROUP_BITS
_SIZE_BITS: Final = 24
_SIZE_MASK: Final = (1 << _SIZE_BITS) - 1

NEAR_BYTES: Final = 8 << 20
"""Memory for the first blocks: most repositories fit, and need no disk at all."""

_NEAR_COST: Final = 256
"""What a block in memory takes besides its bytes."""


class BlockFile:
    """A heap of blocks in a temporary file that vanishes when it is closed.

    ``folder`` is where the file lies (None: where the system keeps such files). `add` any number,
    `get` them by CID; a block under 16 MB each, 1 TB in all.
    """

    def __init__(self, folder: Path | None, *, near_bytes: int = NEAR_BYTES) -> None:
        self._file = TemporaryFile(dir=folder)  # noqa: SIM115  it lives as long as this object
        self._end = 0
        self._written = 0
        self._near: dict[Cid, bytes] = {}
        self._free = near_bytes
        # By the first bits of the hash: none of them ever takes long to sort or to search.
        self._groups: defaultdict[int, _Group] = defaultdict(_Group)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, blocks: Iterable[tuple[Cid, bytes]]) -> None:
        """Keep blocks whose hashes were checked."""
        for cid, block in blocks:
            self._free -= len(block) + _NEAR_COST
            if self._free >= 0:
                self._near[cid] = block
                continue
            self._file.write(cid + block)
            key = _key(cid)
            self._groups[key >> _REST_BITS].add(key, self._end << _SIZE_BITS | len(block))
            self._end += CID_LENGTH + len(block)

    def get(self, cid: Cid) -> bytes | None:
        """The block of a CID, None if it is not here."""
        near = self._near.get(cid)
        if near is not None:
            return near
        if self._written != self._end:
            self._file.flush()
            self._written = self._end
        key = _key(cid)
        group = self._groups.get(key >> _REST_BITS)
        for place in () if group is None else group.places(key):
            size = CID_LENGTH + (place & _SIZE_MASK)
            found = os.pread(self._file.fileno(), size, place >> _SIZE_BITS)
            if found.startswith(cid):
                return found[CID_LENGTH:]
        return None


class _Group:
    """Places of blocks by key, sorted when first searched."""

    __slots__ = ("_are_sorted", "_keys", "_places")

    def __init__(self) -> None:
        self._keys = array("Q")
        self._places = array("Q")
        self._are_sorted = True

    def add(self, key: int, place: int) -> None:
        self._keys.append(key)
        self._places.append(place)
        self._are_sorted = False

    def places(self, key: int) -> Iterator[int]:
        """All places of a key."""
        if not self._are_sorted:
            pairs = sorted(zip(self._keys, self._places, strict=True))
            self._keys = array("Q", [pair[0] for pair in pairs])
            self._places = array("Q", [pair[1] for pair in pairs])
            self._are_sorted = True
        keys, at = self._keys, bisect_left(self._keys, key)
        while at < len(keys) and keys[at] == key:
            yield self._places[at]
            at += 1


def _key(cid: Cid) -> int:
    """Eight bytes of the hash: enough to tell blocks apart but for those made to be alike."""
    return int.from_bytes(cid[4:12], "big")
