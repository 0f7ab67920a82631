"""Background work, supervised: a worker that fails is logged and started again, a little later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

log = structlog.get_logger()

FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0


class Workers:
    """The background tasks of one server."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def keep_running(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run ``work`` for as long as the server lives; it should only return when cancelled."""
        self._start(name, _restarted(name, work))

    def every(
        self,
        name: str,
        seconds: float,
        work: Callable[[], Awaitable[object]],
        *,
        at_once: bool = False,
    ) -> None:
        """Do ``work`` again and again, ``seconds`` after it was last done (and ``at_once``)."""

        async def loop() -> None:
            if not at_once:
                await asyncio.sleep(seconds)
            while True:
                await work()
                await asyncio.sleep(seconds)

        self.keep_running(name, loop)

    async def stop(self) -> None:
        """Cancel all and wait until they are gone."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, name: str, work: Awaitable[None]) -> None:
        async def run() -> None:
            await work

        task = asyncio.create_task(run(), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _restarted(name: str, work: Callable[[], Awaitable[None]]) -> None:
    pause, loop = FIRST_PAUSE_S, asyncio.get_running_loop()
    while True:
        begun = loop.time()
        try:
            await work()
        except Exception:  # the one place that keeps a worker alive whatever it meets
            if loop.time() - begun > LONGEST_PAUSE_S:
                pause = FIRST_PAUSE_S  # it was well for long
            log.exception("worker failed", worker=name, again_in_s=pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_S)
