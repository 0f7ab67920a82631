"""Kills a running server at an exact system call (strace), counted for each of its threads.

A point is a call of one kind in one thread: the N-th ``pwrite64`` of the main thread, say. strace
attaches to that thread alone and sends SIGKILL, which ends the whole process, when the thread
enters the call: what the call would have done is not done. Threads are named by their rank among
the process's thread ids, which is the order in which they were started.
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

_LINE = re.compile(r"(?P<thread>\d+) +(?P<call>\w+)\(")

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not here")


def threads(pid: int) -> list[int]:
    """The thread ids of a process, oldest first; ids start again from below at some limit."""
    limit = int(Path("/proc/sys/kernel/pid_max").read_text())
    found = [int(path.name) for path in Path(f"/proc/{pid}/task").iterdir()]
    return sorted(found, key=lambda thread: (thread - pid) % limit)


@contextmanager
def recorded(pid: int, log: Path) -> Iterator[Counter[tuple[int, str]]]:
    """Count the calls that a process makes, by thread rank and name; filled at the end."""
    ranks = threads(pid)
    counted: Counter[tuple[int, str]] = Counter()
    with _attached("-f", "-p", str(pid), "-o", str(log), "-e", f"trace={CALLS}"):
        yield counted
    for line in log.read_text().splitlines():
        if match := _LINE.match(line):
            thread = int(match["thread"])
            assert thread in ranks, f"a thread of later birth: {line}"
            counted[ranks.index(thread), match["call"]] += 1


@contextmanager
def deadly(pid: int, rank: int, call: str, number: int) -> Iterator[None]:
    """While this is open, the process dies when a thread enters a call for the N-th time."""
    thread = str(threads(pid)[rank])
    inject = f"inject={call}:signal=SIGKILL:when={number}"
    with _attached("-p", thread, "-o", "/dev/null", "-e", f"trace={call}", "-e", inject):
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
