"""Only one process works on a data folder: what it holds in memory must stay true."""

from __future__ import annotations

import fcntl
from pathlib import Path
from types import TracebackType
from typing import Final

from pod.errors import Conflict

LOCK_FILE: Final = "lock"


class SoleUse:
    """Holds a data folder for this process, made if it is not there; a crash lets go of it too."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        """Raises Conflict where another process holds the folder."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = (self._folder / LOCK_FILE).open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            self._file.close()
            raise Conflict(f"Another process works on the data in {self._folder}.") from err

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, at: TracebackType | None
    ) -> None:
        self._file.close()
