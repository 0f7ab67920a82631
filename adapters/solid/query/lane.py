"""One query at a time in a process of its own, which is started when needed and ended by its clock.

Spec: https://www.w3.org/TR/sparql11-protocol/#query-success
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from pod.errors import Overloaded

S = TypeVar("S")

MAX_WAITING: Final = 8
MAX_WAIT_S: Final = 15.0
MAX_DATASETS: Final = 8
MAX_HELD: Final = 600_000
_WORKER: Final = Path(__file__).with_name("worker.py")


@dataclass(frozen=True, slots=True)
class Load(Generic[S]):
    """What a dataset needs before it can be asked: ``state`` is what it shows then.

    ``is_fresh`` begins it anew; otherwise ``drop`` are graphs that go, ``quads`` what comes.
    ``count`` is how many quads it holds afterwards, about.
    """

    state: S
    is_fresh: bool
    drop: tuple[str, ...]
    quads: bytes
    count: int


@dataclass(frozen=True, slots=True)
class Held(Generic[S]):
    """A dataset that the process holds."""

    state: S
    count: int


class Lane(Generic[S]):
    """Queries one after the other; datasets stay loaded while they are asked for."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._held: dict[str, Held[S]] = {}
        self._task: asyncio.Task[tuple[str, bytes]] | None = None

    async def ask(
        self,
        key: str,
        load: Callable[[Held[S] | None], Awaitable[Load[S]]],
        query: dict[str, Any],
        *,
        keep: bool,
    ) -> tuple[str, bytes]:
        """Media type and body that a query gets, or an empty type and what went wrong.

        ``load`` brings the dataset ``key`` up to date; it is forgotten afterwards unless ``keep``.
        Raises Overloaded when too many wait, or when the query took too long or too much memory.
        """
        if self._waiting >= MAX_WAITING:
            raise Overloaded("Too many queries wait; try again later")
        self._waiting += 1
        try:
            await asyncio.wait_for(self._turn.acquire(), MAX_WAIT_S)
        except TimeoutError as err:
            raise Overloaded("Other queries took too long; try again later") from err
        finally:
            self._waiting -= 1
        # Whoever stops waiting for the answer must not leave the next one to read it.
        self._task = asyncio.ensure_future(self._asked(key, load, query, keep))
        self._task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(self._task)

    async def _asked(
        self,
        key: str,
        load: Callable[[Held[S] | None], Awaitable[Load[S]]],
        query: dict[str, Any],
        keep: bool,
    ) -> tuple[str, bytes]:
        try:
            change, process = await self._loaded(key, load)
            forget = [key] if change.is_fresh else []
            forget += self._too_old(key, change.count)
            ask = {**query, "key": key, "keep": keep, "forget": forget, "drop": change.drop}
            self._held.pop(key, None)
            answer = await asyncio.to_thread(_exchange, process, ask, change.quads)
            if keep:
                self._held[key] = Held(change.state, change.count)
            return answer
        finally:
            self._turn.release()

    async def _loaded(
        self, key: str, load: Callable[[Held[S] | None], Awaitable[Load[S]]]
    ) -> tuple[Load[S], subprocess.Popen[bytes]]:
        """What to tell a running process; one that idled out meanwhile holds nothing any more."""
        while True:
            process = self._process
            if process is None or process.poll() is not None:
                self._held.clear()
                process = self._process = await asyncio.to_thread(_start)
            change = await load(self._held.get(key))
            if process.poll() is None:
                return change, process

    def _too_old(self, key: str, coming: int) -> list[str]:
        """The datasets that make room for one, those that were asked longest ago first."""
        others = [other for other in self._held if other != key]
        total = coming + sum(self._held[other].count for other in others)
        gone = []
        while others and (len(others) >= MAX_DATASETS or total > MAX_HELD):
            gone.append(others.pop(0))
            total -= self._held.pop(gone[-1]).count
        return gone


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  our own program, nothing of the query in its arguments
        [sys.executable, "-P", str(_WORKER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
    )


def _exchange(
    process: subprocess.Popen[bytes], ask: dict[str, Any], quads: bytes
) -> tuple[str, bytes]:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        head = json.dumps({**ask, "size": len(quads)}).encode()
        process.stdin.write(head + b"\n" + quads)
        process.stdin.flush()
        line = process.stdout.readline()
        if line:
            told = json.loads(line)
            return told["media"], process.stdout.read(told["size"])
    except OSError:
        process.kill()
    if process.wait() == -signal.SIGALRM:
        raise Overloaded(f"The query took longer than {ask['seconds']} seconds; ask for less")
    raise Overloaded("The query took too much memory; ask for less")
