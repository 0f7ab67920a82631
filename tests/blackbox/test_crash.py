"""SIGKILL at every write and fsync of an operation: nothing acknowledged is lost, nothing invented.

A sweep goes through the kinds of call of each thread that an operation makes, and for each kills
the server at the first call, the second, ... until the operation gets through. How points are
counted: `tests.kit.tracer`.
"""

from __future__ import annotations

import random
import signal
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.kit.crash import DYING_S, POST, CrashPod, attempt
from tests.kit.crash_operations import (
    ApplyWrites,
    Checkpoint,
    CreateAccount,
    CreateRecord,
    DeleteRecord,
    Operation,
    PutBinary,
    PutDocument,
    Stop,
    UploadBlob,
    key,
    post,
)
from tests.kit.crash_peers import Block, Follow, Like, fediverse
from tests.kit.tracer import Point, deadly, needs_strace, recorded

pytestmark = pytest.mark.slow

SETTLES_S = 0.3
"""What follows from an operation once it was answered: cursors, deliveries."""

LOAD_S = 40.0


@dataclass
class Outcome:
    """What a sweep of one operation met."""

    name: str
    starts: list[float]
    points: dict[str, int] = field(default_factory=dict)
    acknowledged: int = 0
    done_unacknowledged: int = 0
    took_s: float = 0.0

    def __str__(self) -> str:
        worst, usual = max(self.starts), statistics.median(self.starts)
        return (
            f"{self.name}: {sum(self.points.values())} kill points {self.points}; "
            f"{self.acknowledged} acknowledged before, {self.done_unacknowledged} done but not "
            f"acknowledged; start {usual:.2f} s, at worst {worst:.2f} s; {self.took_s:.0f} s in all"
        )


def sweep(operation: Operation, folder: Path) -> Outcome:
    """Kill a server at every point of an operation, one life after the other on the same data."""
    begin = time.monotonic()
    pod = CrashPod(folder / "data")
    outcome = Outcome(type(operation).__name__, pod.starts)
    pod.open()
    try:
        with pod.consumer():
            operation.set_up(pod, 0)
            with recorded(pod.pid, folder / "calls") as calls:
                assert attempt(lambda: operation.act(pod, 0))
                is_over = pod.wait_for_death(SETTLES_S)
        if is_over:
            pod.start()
            pod.warm()
        number = 0
        for (thread, call), expected in sorted(calls.items()):
            killed = 0
            for nth in operation.points(thread, call, expected):
                number += 1
                if not kill_once(pod, operation, number, (thread, call, nth), outcome):
                    break
                killed += 1
            if killed:
                outcome.points[f"{thread} {call}"] = killed
    finally:
        pod.kill()
    assert outcome.points
    outcome.took_s = time.monotonic() - begin
    return outcome


def kill_once(
    pod: CrashPod, operation: Operation, number: int, point: Point, outcome: Outcome
) -> bool:
    """Kill at one point, start again and check everything; False if the point was not reached."""
    operation.set_up(pod, number)
    with pod.consumer() as live, deadly(pod.pid, point):
        is_acknowledged = attempt(lambda: operation.act(pod, number))
        is_over = pod.wait_for_death(SETTLES_S if is_acknowledged else DYING_S)
    is_killed = pod.server.process.returncode == -signal.SIGKILL
    assert is_killed or is_acknowledged, f"{point}: neither killed nor answered"
    if is_over:
        pod.start()
        pod.warm()
    pod.verify()
    for seq, frame in live.items():
        assert pod.seen[seq] == frame, f"{point}: a consumer saw seq {seq} mean something else"
    is_done = operation.is_done(pod, number)
    assert is_done or not is_acknowledged, f"{point}: an acknowledged write is lost"
    operation.finish(pod, number, is_acknowledged=is_acknowledged)
    outcome.acknowledged += is_killed and is_acknowledged
    outcome.done_unacknowledged += is_done and not is_acknowledged
    return is_killed


@needs_strace
def test_a_server_killed_at_any_point_loses_nothing_and_invents_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with fediverse() as peers, ThreadPoolExecutor(2) as pool:
        operations: list[Operation] = [
            Follow(peers),
            ApplyWrites(),
            PutBinary(),
            PutDocument(),
            UploadBlob(),
            CreateRecord(),
            DeleteRecord(),
            Like(peers),
            Block(peers),
            CreateAccount(),
            Stop(),
            Checkpoint(),
        ]
        folders = [tmp_path / type(operation).__name__ for operation in operations]
        running = [pool.submit(sweep, o, f) for o, f in zip(operations, folders, strict=True)]
        try:
            outcomes = [sweeping.result() for sweeping in running]
        finally:
            for sweeping in running:
                sweeping.cancel()
    with capsys.disabled():
        print("", *outcomes, sep="\n")


class Client(threading.Thread):
    """Writes records of its own until the server is gone, and remembers what was acknowledged."""

    def __init__(self, pod: CrashPod, number: int, journal: dict[str, str | None]) -> None:
        super().__init__()
        self._pod = pod
        self._random = random.Random(f"{number} {time.monotonic_ns()}")
        self._keys = [key(number * 100 + place, "c") for place in range(12)]
        self.journal = journal
        self.under_way: dict[str, str | None] = {}
        self.writes = 0

    def run(self) -> None:
        with suppress(OSError, HTTPException):
            while True:
                self._write()
                self.writes += 1

    def _write(self) -> None:
        chosen = self._random.sample(self._keys, self._random.choice([1, 1, 1, 3]))
        wanted: dict[str, str | None] = {}
        writes = []
        for rkey in chosen:
            held = self.journal.get(rkey)
            text = None if held and self._random.random() < 0.3 else f"t{time.monotonic_ns()}t"
            kind = "delete" if text is None else "update" if held else "create"
            write = {"$type": f"com.atproto.repo.applyWrites#{kind}", "collection": POST}
            value = {} if text is None else {"value": post(text)}
            writes.append(write | {"rkey": rkey} | value)
            wanted[rkey] = text
        self.under_way = wanted
        body = {"repo": self._pod.did, "writes": writes}
        answer = self._pod.xrpc("com.atproto.repo.applyWrites", body)
        assert answer.status == 200, answer
        self.under_way = {}
        self.journal |= wanted

    def check(self) -> None:
        """All that was acknowledged is there, and what was under way is there whole or not."""
        found = {rkey: self._pod.record(rkey) for rkey in self._keys}
        texts = {rkey: value and value["text"] for rkey, value in found.items()}
        held = {rkey: self.journal.get(rkey) for rkey in self._keys}
        assert texts in (held, held | self.under_way)
        self.journal |= texts


def test_kills_at_any_moment_under_load_leave_what_was_acknowledged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pod, journals = CrashPod(tmp_path / "data"), [dict[str, str | None]() for _ in range(8)]
    begin, rounds, writes = time.monotonic(), 0, 0
    pod.open()
    try:
        while time.monotonic() - begin < LOAD_S and rounds < 12:
            clients = [Client(pod, number, journal) for number, journal in enumerate(journals)]
            with pod.consumer() as live:
                for client in clients:
                    client.start()
                time.sleep(random.uniform(0.1, 0.8))
                pod.kill()
                for client in clients:
                    client.join()
            pod.start()
            pod.verify()
            assert all(pod.seen[seq] == frame for seq, frame in live.items())
            for client in clients:
                client.check()
            rounds += 1
            writes += sum(client.writes for client in clients)
    finally:
        pod.kill()
    assert rounds
    with capsys.disabled():
        print(f"\n{rounds} kills in {writes} acknowledged writes of 8 clients")
