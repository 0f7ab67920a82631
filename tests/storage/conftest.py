"""Both stores, so that one suite holds for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.stored import OpenStore, memory_store, sql_store


@pytest.fixture(params=["sql", "memory"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> OpenStore:
    """How to open the store under test."""
    if request.param == "sql":
        return lambda: sql_store(tmp_path / "pod.db")
    return memory_store
