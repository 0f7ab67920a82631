"""``commonpod migrate`` at a terminal: progress that is shown, and the question for the code."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from adapters.http.fetch import Fetch
from pod.settings import Egress
from server.migrate import Move, Wishes
from server.xrpc_host import XrpcHost

_TIMEOUT_S = 3_600.0


class _Shown:
    """Each step on a line of its own, the files as a bar."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None)

    def step(self, text: str) -> None:
        """A step begins."""
        self._progress.console.print(text)
        self._progress.update(self._task, description=text, total=None, completed=0)

    def blobs(self, done: int, total: int) -> None:
        """So many files of so many are there."""
        self._progress.update(self._task, completed=done, total=total)


async def move(
    old: str,
    new: str,
    handle: str,
    *,
    password: str,
    new_password: str,
    new_handle: str | None,
    email: str | None,
    invite: str | None,
    folder: Path,
    is_local: bool,
) -> None:
    """Move the account ``handle`` from the host ``old`` to ``new``; ``is_local`` allows http."""
    console = Console()
    fetch = Fetch(Egress(may_reach_private=is_local, fetch_timeout_s=_TIMEOUT_S))
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    try:
        with Progress(*columns, console=console, transient=True) as progress:

            async def code() -> str:
                progress.stop()
                given = await asyncio.to_thread(console.input, "Code from the old host's letter: ")
                progress.start()
                return given

            wishes = Wishes(handle, password, new_password, code, new_handle, email, invite)
            hosts = XrpcHost(fetch, old), XrpcHost(fetch, new)
            status: dict[str, Any] = await Move(*hosts, wishes, folder, _Shown(progress)).run()
    finally:
        await fetch.close()
    console.print(
        f"Moved: {status['indexedRecords']} records and {status['importedBlobs']} files are at"
        f" {new}, which serves the account now."
    )
