"""Blocks of a repository on disk, found by CID: 16 bytes of memory a block, however large it is.

Spec: https://atproto.com/specs/repository#car-file-serialization
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Final, Self

from pod.model.ids import Cid
from pod.records.cid import CID_LENGTH

_SIZE_BITS: Final = 24
_SIZE_MASK: Final = (1 << _SIZE_BITS) - 1


class BlockFile:
    """A heap of blocks in a temporary file that vanishes when it is closed.

    ``folder`` is where the file lies (None: where the system keeps such files). `add` any number,
    `get` them by CID; a block under 16 MB each, 1 TB in all.
    """

    def __init__(self, folder: Path | None) -> None:
        self._file = TemporaryFile(dir=folder)  # noqa: SIM115  it lives as long as this object
        self._end = 0
        self._keys = array("Q")
        self._places = array("Q")
        self._is_sorted = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, blocks: Iterable[tuple[Cid, bytes]]) -> None:
        """Keep blocks whose hashes were checked."""
        for cid, block in blocks:
            self._file.write(cid + block)
            self._keys.append(_key(cid))
            self._places.append(self._end << _SIZE_BITS | len(block))
            self._end += CID_LENGTH + len(block)
        self._is_sorted = False

    def get(self, cid: Cid) -> bytes | None:
        """The block of a CID, None if it is not here."""
        if not self._is_sorted:
            self._sort()
        key = _key(cid)
        at = bisect_left(self._keys, key)
        while at < len(self._keys) and self._keys[at] == key:
            place = self._places[at]
            size = CID_LENGTH + (place & _SIZE_MASK)
            found = os.pread(self._file.fileno(), size, place >> _SIZE_BITS)
            if found.startswith(cid):
                return found[CID_LENGTH:]
            at += 1
        return None

    def _sort(self) -> None:
        self._file.flush()
        order = sorted(range(len(self._keys)), key=self._keys.__getitem__)
        self._keys = array("Q", map(self._keys.__getitem__, order))
        self._places = array("Q", map(self._places.__getitem__, order))
        self._is_sorted = True


def _key(cid: Cid) -> int:
    """Eight bytes of the hash: enough to tell blocks apart but for those made to be alike."""
    return int.from_bytes(cid[4:12], "big")
