"""Representations that were made once and may be asked for again, bounded by the bytes they take.

Spec: RFC 9110 section 3.2 (representations)
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Final

_MAX_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Shown:
    """A body, and what a listing says beside it: when it changed, and where it goes on."""

    body: bytes
    modified: datetime | None = None
    next: str | None = None


class ShownBodies:
    """The last used ones, for all threads; a key must name the state that a body was made of."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Shown] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        self._making: dict[Hashable, asyncio.Task[Shown]] = {}

    async def made(self, key: Hashable, make: Callable[[], Awaitable[Shown]]) -> Shown:
        """The representation of a key; where it is not here, made once for all who ask meanwhile.

        Raises what ``make`` raises, to all who wait for it. Whoever stops waiting spoils it for
        nobody, not even for who comes next.
        """
        found = self.get(key)
        if found is not None:
            return found
        making = self._making.get(key)
        if making is None:
            making = self._making[key] = asyncio.create_task(self._make(key, make))
        return await asyncio.shield(making)

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[Shown]]) -> Shown:
        try:
            return self.keep(key, await make())
        finally:
            del self._making[key]

    def get(self, key: Hashable) -> Shown | None:
        """The representation of a key, if it is still here."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def keep(self, key: Hashable, shown: Shown) -> Shown:
        """Keep a representation, unless it alone takes half of the room; returns it."""
        with self._lock:
            if key not in self._kept and len(shown.body) <= _MAX_BYTES // 2:
                self._kept[key] = shown
                self._bytes += len(shown.body)
            while self._bytes > _MAX_BYTES:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= len(oldest.body)
        return shown
