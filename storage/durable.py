"""Files that are there as a whole or not at all, and stay after a crash."""

from __future__ import annotations

import os
from io import BufferedWriter
from pathlib import Path


def write_file(path: Path, body: bytes, *, mode: int = 0o600, drafts: Path | None = None) -> None:
    """Write a file durably: a draft, synced, then renamed; safe once this returns.

    The draft lies beside the file or in ``drafts``; a crash may leave it behind.
    """
    file = open_draft(drafts or path.parent, path.name, mode=mode)
    draft = Path(file.name)
    try:
        with file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def open_draft(folder: Path, name: str = "draft", *, mode: int = 0o600) -> BufferedWriter:
    """A new file with a name of its own that starts with a dot."""
    path = folder / f".{name}.{os.urandom(6).hex()}"
    return open(path, "xb", opener=lambda file, flags: os.open(file, flags, mode))


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a crash."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
