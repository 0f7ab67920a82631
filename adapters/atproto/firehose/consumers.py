"""Who reads the firehose, and who did lately: what an operator wants to know of relays.

Spec: https://atproto.com/specs/event-stream
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pod.ports import Clock

_KEPT: Final = 50


@dataclass(slots=True)
class Consumer:
    """One connection. ``cursor`` is what it asked for, ``frames`` what it was sent since."""

    address: str
    agent: str
    cursor: int | None
    since: datetime
    until: datetime | None = None
    frames: int = 0
    last_at: datetime | None = None


class Consumers:
    """The consumers that are here, and the last ones that left."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._here: dict[int, Consumer] = {}
        self._gone: deque[Consumer] = deque(maxlen=_KEPT)

    @contextmanager
    def visit(self, address: str, agent: str, cursor: int | None) -> Iterator[Consumer]:
        """Keep the book of one connection."""
        consumer = Consumer(address, agent, cursor, self._clock.now())
        self._here[id(consumer)] = consumer
        try:
            yield consumer
        finally:
            del self._here[id(consumer)]
            consumer.until = self._clock.now()
            self._gone.append(consumer)

    def took(self, consumer: Consumer, frames: int) -> None:
        """Note that a consumer was sent frames."""
        consumer.frames += frames
        consumer.last_at = self._clock.now()

    def report(self) -> list[dict[str, Any]]:
        """Those who are here, then those who left, the last one first."""
        return [
            {
                "address": each.address,
                "agent": each.agent,
                "cursor": each.cursor,
                "since": each.since,
                "until": each.until,
                "frames": each.frames,
                "lastAt": each.last_at,
            }
            for each in [*self._here.values(), *reversed(self._gone)]
        ]
