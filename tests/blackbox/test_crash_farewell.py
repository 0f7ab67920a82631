"""SIGKILL while an account is deleted: it goes wholly, peers are told, others stay untouched."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.crash_farewell import DeleteAccount
from tests.kit.crash_peers import fediverse
from tests.kit.crash_sweep import sweep
from tests.kit.tracer import needs_strace

pytestmark = pytest.mark.slow


@needs_strace
def test_a_deletion_that_is_killed_at_any_point_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with fediverse() as peers:
        outcome = sweep(DeleteAccount(peers), tmp_path / "DeleteAccount")
    with capsys.disabled():
        print("", outcome, sep="\n")
