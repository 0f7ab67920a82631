"""SIGKILL at every write and fsync of an operation, one life after the other on the same data.

A sweep goes through the kinds of call of each thread that an operation makes, and for each kills
the server at the first call, the second, ... until the operation gets through. How points are
counted: `tests.kit.tracer`.
"""

from __future__ import annotations

import signal
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.kit.crash import DYING_S, CrashPod, attempt
from tests.kit.crash_operations import Operation
from tests.kit.tracer import Point, deadly, recorded

DETACHES_S = 0.05


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
                is_over = pod.wait_for_death(operation.settles_s)
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
        pod.wait_for_death(operation.settles_s if is_acknowledged else DYING_S)
    is_over = pod.wait_for_death(DETACHES_S)
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
    try:
        operation.finish(pod, number, is_acknowledged=is_acknowledged)
    except AssertionError as err:
        err.add_note(f"after a kill at {point}")
        err.add_note(pod.server.log.read_text()[-3_000:])
        raise
    outcome.acknowledged += is_killed and is_acknowledged
    outcome.done_unacknowledged += is_done and not is_acknowledged
    return is_killed
