"""SIGKILL while people of both networks are told: they hear of it and its end, once or twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.kit.crash_crossing import CrossAnswer, CrossFollow, CrossUnfollow, MoveIn
from tests.kit.crash_peers import fediverse
from tests.kit.crash_sweep import sweep
from tests.kit.tracer import needs_strace

pytestmark = pytest.mark.slow


@needs_strace
def test_what_crosses_the_networks_survives_a_kill_at_any_point(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with fediverse() as peers, ThreadPoolExecutor(2) as pool:
        operations = [
            CrossAnswer(peers),
            CrossFollow(peers),
            CrossUnfollow(peers),
            MoveIn(peers),
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
