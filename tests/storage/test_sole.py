"""A data folder belongs to one process at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from pod.errors import Conflict
from storage.sole import SoleUse


def test_a_folder_is_held_once_and_free_afterwards(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    with SoleUse(folder):
        assert folder.is_dir()
        with pytest.raises(Conflict), SoleUse(folder):
            pass
    with SoleUse(folder):
        pass
