"""SIGKILL at every write and fsync of an operation: nothing acknowledged is lost, nothing invented.

How a sweep goes: `tests.kit.crash_sweep`.
"""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.kit.crash import POST, CrashPod
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
from tests.kit.crash_sweep import sweep
from tests.kit.tracer import needs_strace

pytestmark = pytest.mark.slow

LOAD_S = 40.0


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
