"""A repository of 100,000 records comes in and goes out again in bounded memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.big_repo import run

MOST_MB = 256


@pytest.mark.slow
def test_memory_stays_bounded_while_a_large_repository_comes_and_goes(tmp_path: Path) -> None:
    figures = run(tmp_path, 100_000, "hypercorn")
    assert figures["came back"] == 1
    assert figures["import MB"] < MOST_MB
    assert figures["export MB"] < MOST_MB
