"""The firehose's fan-out: backfill from the log, cutover, then streaming straight after commits.

Spec: https://atproto.com/specs/event-stream, lexicon com.atproto.sync.subscribeRepos
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

from adapters.atproto.firehose.frames import error_frame, info_frame
from pod.model.change import Change
from pod.ports import Reader

Push = Callable[[Sequence[bytes]], Awaitable[None]]
"""Sends frames, in order, and returns when the connection can take the next."""

GOING_AWAY: Final = 1001
POLICY_VIOLATION: Final = 1008
_PAGE: Final = 100
_PATIENCE_S: Final = 5.0
_LAST_WORD_S: Final = 0.5
_RUN_BYTES: Final = 256 * 1024
"""Frames that wait leave together, up to this size."""

GATHERING_S: Final = 0.004
"""Frames that follow others sooner than this wait for each other, as a write costs most of all."""


class _Subscriber:
    """The frames that wait for one consumer; the frames themselves are shared by all."""

    def __init__(self, patience: asyncio.Timeout) -> None:
        self.waiting: deque[tuple[int, bytes]] = deque()
        self._sleep: asyncio.Future[None] | None = None
        self.close_code: int | None = None
        self._patience = patience
        self._loop = asyncio.get_running_loop()

    def wake(self) -> None:
        """There is something to send, or the end."""
        if self._sleep is not None and not self._sleep.done():
            self._sleep.set_result(None)

    async def news(self) -> None:
        """Wait until woken. A bare future: an Event asks the system for its loop every time."""
        if not self.waiting and self.close_code is None:
            self._sleep = self._loop.create_future()
            await self._sleep

    def finish(self, close_code: int) -> None:
        """End the stream soon, even if the consumer takes nothing any more."""
        self.close_code = close_code
        self.waiting.clear()
        self.wake()
        self._patience.reschedule(self._loop.time() + _PATIENCE_S)


class Outbox:
    """All live consumers. Hand `on_changes` to the store's ``subscribe``.

    A consumer for whom more than ``buffer`` frames wait is told ConsumerTooSlow and dropped.
    """

    def __init__(
        self, store: Reader, *, buffer: int = 500, gathering_s: float = GATHERING_S
    ) -> None:
        self._store = store
        self._buffer = buffer
        self._gathering_s = gathering_s
        self._gathered: list[tuple[int, bytes]] = []
        self._passed_at = 0.0
        self._live: set[_Subscriber] = set()
        self._is_closed = False

    @property
    def consumers(self) -> int:
        """How many consumers are at the live end."""
        return len(self._live)

    def on_changes(self, changes: Sequence[Change]) -> None:
        """Pass the frames of changes that are now durable to every live consumer."""
        frames = [(change.seq, change.frame) for change in changes if change.frame is not None]
        if not frames or not self._live:
            return
        self._gathered += frames
        if len(self._gathered) == len(frames):
            loop = asyncio.get_running_loop()
            pause = self._passed_at + self._gathering_s - loop.time()
            if pause > 0:
                loop.call_later(pause, self._pass_on)
            else:
                self._pass_on()

    def _pass_on(self) -> None:
        """Tell every live consumer of the frames that gathered."""
        frames, self._gathered = self._gathered, []
        self._passed_at = asyncio.get_running_loop().time()
        for subscriber in self._live:
            if subscriber.close_code is not None:
                continue
            subscriber.waiting.extend(frames)
            if len(subscriber.waiting) > self._buffer:
                subscriber.finish(POLICY_VIOLATION)
            subscriber.wake()

    def close(self) -> None:
        """End all streams, also those that are yet to come: the server stops."""
        self._is_closed = True
        for subscriber in self._live:
            subscriber.finish(GOING_AWAY)

    async def stream(self, cursor: int | None, push: Push) -> int:
        """Send frames after ``cursor`` (None: from now on) until it must end.

        Returns the code to close the connection with. Cancel it when the consumer goes.
        """
        if cursor is None:
            last = self._store.head_seq()
        elif cursor > self._store.head_seq():
            await push([error_frame("FutureCursor", "Cursor in the future.")])
            return POLICY_VIOLATION
        else:
            last = cursor
            if self._is_outdated(cursor):
                await push([info_frame("OutdatedCursor", "Requested cursor exceeded limit.")])
        try:
            async with asyncio.timeout(None) as patience:
                return await self._follow(last, push, _Subscriber(patience))
        except TimeoutError:
            # They find it behind all that is under way, should they ever read on.
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORD_S):
                    await push([_too_slow()])
            return POLICY_VIOLATION

    async def _follow(self, last: int, push: Push, subscriber: _Subscriber) -> int:
        try:
            while True:
                page = self._store.frames(after=last, limit=_PAGE)
                if self._is_closed:
                    return GOING_AWAY
                if len(page) < _PAGE:
                    # Cutover: nothing runs between this read and the registration but ourselves.
                    self._live.add(subscriber)
                backlog = deque(page)
                while backlog:
                    last = await _push_run(push, backlog, last)
                if subscriber in self._live:
                    return await self._stay(last, push, subscriber)
        finally:
            self._live.discard(subscriber)

    async def _stay(self, last: int, push: Push, subscriber: _Subscriber) -> int:
        waiting = subscriber.waiting
        while True:
            while waiting:
                last = await _push_run(push, waiting, last)
            if subscriber.close_code is not None:
                break
            await subscriber.news()
        if subscriber.close_code == POLICY_VIOLATION:
            await push([_too_slow()])
        return subscriber.close_code

    def _is_outdated(self, cursor: int) -> bool:
        """Whether events after the cursor are no longer kept."""
        oldest = self._store.oldest_frame()
        end = self._store.head_seq() + 1 if oldest is None else oldest[0]
        while cursor + 1 < end:
            page = self._store.changes(after=cursor, limit=_PAGE)
            for change in page:
                if change.seq >= end:
                    return False
                if change.kind != "document":
                    return True
            if not page:
                return False
            cursor = page[-1].seq
        return False


def _too_slow() -> bytes:
    return error_frame("ConsumerTooSlow", "Stream consumer too slow.")


async def _push_run(push: Push, waiting: deque[tuple[int, bytes]], last: int) -> int:
    """Take some of the frames that wait and send those after ``last``; returns the new last."""
    run: list[bytes] = []
    size = 0
    while waiting and size < _RUN_BYTES:
        seq, frame = waiting.popleft()
        # A commit may be both read in the last page and told to the listeners later.
        if seq > last:
            run.append(frame)
            size += len(frame)
            last = seq
    if run:
        await push(run)
    return last
