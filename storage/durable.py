"""Files that are there as a whole or not at all, and stay after a crash."""

from __future__ import annotations

import os
from pathlib import Path


def write_file(path: Path, body: bytes, *, mode: int = 0o600, drafts: Path | None = None) -> None:
    """Write a file durably: a draft, synced, then renamed; safe once this returns.

    The draft lies beside the file or in ``drafts``; a crash may leave it behind.
    """
    draft = (drafts or path.parent) / f".{path.name}.{os.urandom(6).hex()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a crash."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
