"""SIGKILL at every write and fsync of an operation: nothing acknowledged is lost, nothing invented.

How points are counted: `tests.kit.tracer`.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kit.crash import DYING_S, POST, Answer, CrashPod, attempt
from tests.kit.tracer import deadly, needs_strace, recorded

pytestmark = [pytest.mark.slow, needs_strace]

SETTLES_S = 0.3


def key(number: int, letter: str = "a") -> str:
    """A record key that is a TID; each attempt has its own."""
    return "3k" + f"{number:09d}".translate(str.maketrans("0189", "abcd")) + "2" + letter


def post(text: str) -> dict[str, str]:
    return {"$type": POST, "text": text, "createdAt": "2026-11-24T12:00:00.000Z"}


class Operation:
    """One write; ``number`` makes each attempt different from all before."""

    def set_up(self, pod: CrashPod, number: int) -> None:
        """What must be there before; not part of what is killed."""

    def act(self, pod: CrashPod, number: int) -> Answer:
        raise NotImplementedError

    def is_done(self, pod: CrashPod, number: int) -> bool:
        """Whether it is wholly there; fails when it is there in part."""
        raise NotImplementedError


class CreateRecord(Operation):
    def act(self, pod: CrashPod, number: int) -> Answer:
        body = {"repo": pod.did, "collection": POST, "rkey": key(number)}
        return pod.xrpc("com.atproto.repo.createRecord", body | {"record": post(f"p{number}p")})

    def is_done(self, pod: CrashPod, number: int) -> bool:
        pod.check_views(key(number))
        return pod.record(key(number)) == post(f"p{number}p") or pod.record(key(number)) is not None


class DeleteRecord(Operation):
    def set_up(self, pod: CrashPod, number: int) -> None:
        assert CreateRecord().act(pod, number).status == 200

    def act(self, pod: CrashPod, number: int) -> Answer:
        body = {"repo": pod.did, "collection": POST, "rkey": key(number)}
        return pod.xrpc("com.atproto.repo.deleteRecord", body)

    def is_done(self, pod: CrashPod, number: int) -> bool:
        pod.check_views(key(number))
        return pod.record(key(number)) is None


class ApplyWrites(Operation):
    def _write(self, kind: str, letter: str, number: int, text: str | None) -> dict[str, object]:
        write = {"$type": f"com.atproto.repo.applyWrites#{kind}", "collection": POST}
        value = {} if text is None else {"value": post(text)}
        return write | {"rkey": key(number, letter)} | value

    def set_up(self, pod: CrashPod, number: int) -> None:
        writes = [self._write("create", letter, number, f"{letter}{number}old") for letter in "bc"]
        body = {"repo": pod.did, "writes": writes}
        assert pod.xrpc("com.atproto.repo.applyWrites", body).status == 200

    def act(self, pod: CrashPod, number: int) -> Answer:
        writes = [
            self._write("create", "a", number, f"a{number}new"),
            self._write("update", "b", number, f"b{number}new"),
            self._write("delete", "c", number, None),
        ]
        return pod.xrpc("com.atproto.repo.applyWrites", {"repo": pod.did, "writes": writes})

    def is_done(self, pod: CrashPod, number: int) -> bool:
        for letter in "abc":
            pod.check_views(key(number, letter))
        found = [pod.record(key(number, letter)) for letter in "abc"]
        texts = [value and value["text"] for value in found]
        after = [f"a{number}new", f"b{number}new", None]
        assert texts in (after, [None, f"b{number}old", f"c{number}old"])
        return texts == after


@dataclass
class Outcome:
    """What a sweep of one operation met."""

    name: str
    points: dict[str, int]
    acknowledged: int
    done_unacknowledged: int
    starts: list[float]

    def __str__(self) -> str:
        worst, usual = max(self.starts), statistics.median(self.starts)
        return (
            f"{self.name}: {sum(self.points.values())} kill points {self.points}, "
            f"{self.acknowledged} acknowledged before the kill, "
            f"{self.done_unacknowledged} done but not acknowledged; "
            f"restart {usual:.2f} s, at worst {worst:.2f} s"
        )


def sweep(operation: Operation, folder: Path) -> Outcome:
    """Kill a server at every point of an operation, one life after the other on the same data."""
    pod = CrashPod(folder / "data")
    outcome = Outcome(type(operation).__name__, {}, 0, 0, pod.starts)
    pod.open()
    try:
        with pod.consumer():
            operation.set_up(pod, 0)
            with recorded(pod.pid, folder / "calls") as calls:
                assert attempt(lambda: operation.act(pod, 0))
                pod.wait_for_death(SETTLES_S)
        number = 0
        for (rank, call), expected in sorted(calls.items()):
            nth = 0
            is_killed = True
            while is_killed:
                nth += 1
                number += 1
                is_killed = kill_once(pod, operation, number, (rank, call, nth), outcome)
            assert nth > 1, f"no {call} of thread {rank}, but {expected} were recorded"
            outcome.points[f"{call}@{rank}"] = nth - 1
    finally:
        pod.kill()
    return outcome


def kill_once(
    pod: CrashPod, operation: Operation, number: int, point: tuple[int, str, int], outcome: Outcome
) -> bool:
    """Kill at one point, start again and check everything; False if the point was not reached."""
    operation.set_up(pod, number)
    with pod.consumer() as live, deadly(pod.pid, *point):
        is_acknowledged = attempt(lambda: operation.act(pod, number))
        is_killed = pod.wait_for_death(SETTLES_S if is_acknowledged else DYING_S)
    if is_killed:
        pod.start()
        pod.warm()
    pod.verify()
    for seq, frame in live.items():
        assert pod.seen[seq] == frame, f"{point}: a consumer saw seq {seq} mean something else"
    is_done = operation.is_done(pod, number)
    assert is_done or not is_acknowledged, f"{point}: an acknowledged write is lost"
    assert is_killed or is_acknowledged
    outcome.acknowledged += is_killed and is_acknowledged
    outcome.done_unacknowledged += is_done and not is_acknowledged
    return is_killed


OPERATIONS: list[Callable[[], Operation]] = [CreateRecord, ApplyWrites, DeleteRecord]


def test_a_server_killed_at_any_point_loses_nothing_and_invents_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [tmp_path / str(number) for number, _ in enumerate(OPERATIONS)]
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda o, f: sweep(o(), f), OPERATIONS, folders))
    with capsys.disabled():
        print("", *outcomes, sep="\n")
