"""Moves the write-ahead log into the database file, in a thread, so that no commit waits for it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Final

_ROWS: Final = 2_000
"""Rows written between two checkpoints: some 8 MB of log in usual work."""

_GROWTH: Final = 16 << 20
"""Bytes by which the log's file may grow between two checkpoints: catches large bodies."""


class Checkpointer:
    """The checkpoint thread of one database file.

    A log restarts from its beginning only when all of it has been moved. Under steady writing one
    pass never gets there, so the last, short pass takes ``lock``, which the writer holds while it
    commits.
    """

    def __init__(self, path: Path, lock: threading.Lock) -> None:
        self._path = path
        self._log = path.with_name(path.name + "-wal")
        self._lock = lock
        self._rows = 0
        self._size = 0
        self._is_due = threading.Event()
        self._is_closing = False
        self._thread = threading.Thread(target=self._work, name="checkpoint", daemon=True)
        self._thread.start()

    def note(self, rows_written: int) -> None:
        """Take notice of a commit; ``rows_written`` counts from the opening of the database."""
        if rows_written - self._rows >= _ROWS or self._log_size() - self._size >= _GROWTH:
            self._rows = rows_written
            self._is_due.set()

    def close(self) -> None:
        """Move the whole log, empty it, and end the thread."""
        self._is_closing = True
        self._is_due.set()
        self._thread.join()

    def _log_size(self) -> int:
        try:
            return self._log.stat().st_size
        except FileNotFoundError:
            return 0

    def _work(self) -> None:
        with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
            while True:
                self._is_due.wait()
                self._is_due.clear()
                if self._is_closing:
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                    return
                for _ in range(2):
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                with self._lock:
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                self._size = self._log_size()
