"""Kills a running server at an exact system call (strace), counted for each of its threads.

A point is a call of one kind in one thread: the N-th ``pwrite64`` of the main thread, say. strace
sends SIGKILL, which ends the whole process, when the thread enters the call: what the call would
have done is not done. strace counts for each thread, so the threads are told apart:

- ``main``: the event loop; strace is attached to it alone.
- ``checkpoint``: the oldest other thread, attached alone.
- ``pool``: threads that work is handed to, of which any may take it. strace is attached to the
  whole process, so point N is where the first of all threads makes its N-th call; what the main
  thread would do there is also among its own points.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

CALLS = (
    "write,writev,pwrite64,pwritev,sendto,sendmsg,fsync,fdatasync,ftruncate,"
    "rename,renameat2,unlink,unlinkat,mkdir"
)
"""What changes a file, makes it durable, or tells somebody."""

_LINE = re.compile(r"(\d+) +(\w+)\(")

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not here")


Point = tuple[str, str, int]
"""Thread, call and number."""


def threads(pid: int) -> list[int]:
    """The thread ids of a process, oldest first; ids start again from below at some limit."""
    limit = int(Path("/proc/sys/kernel/pid_max").read_text())
    found = [int(path.name) for path in Path(f"/proc/{pid}/task").iterdir()]
    return sorted(found, key=lambda thread: (thread - pid) % limit)


@contextmanager
def recorded(pid: int, log: Path) -> Iterator[dict[tuple[str, str], int]]:
    """How many calls of each kind a thread makes, the busiest of the pool; filled at the end."""
    names = dict(zip(threads(pid), ("main", "checkpoint"), strict=False))
    counted: dict[tuple[str, str], int] = {}
    with _attached("-f", "-p", str(pid), "-o", str(log), "-e", f"trace={CALLS}"):
        yield counted
    made = Counter(
        match.groups() for match in map(_LINE.match, log.read_text().splitlines()) if match
    )
    for (thread, call), number in made.items():
        place = names.get(int(thread), "pool"), call
        counted[place] = max(number, counted.get(place, 0))


@contextmanager
def deadly(pid: int, point: Point) -> Iterator[None]:
    """While this is open, the process dies when it reaches a point."""
    thread, call, number = point
    inject = f"inject={call}:signal=SIGKILL:when={number}"
    attach = {
        "main": ("-p", str(pid)),
        "checkpoint": ("-p", str(threads(pid)[1])),
        "pool": ("-f", "-p", str(pid)),
    }[thread]
    with _attached(*attach, "-o", "/dev/null", "-e", f"trace={call}", "-e", inject):
        yield


@contextmanager
def _attached(*options: str) -> Iterator[None]:
    command: Sequence[str] = ("strace", *options)
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as strace:
        assert strace.stderr is not None
        told = strace.stderr.readline()
        try:
            assert b"attached" in told, told
            yield
        finally:
            strace.terminate()
            strace.stderr.read()
