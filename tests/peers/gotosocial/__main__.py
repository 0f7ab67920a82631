"""Runs the pod beside a real GoToSocial and prints what held, a line for each thing.

    python -m tests.peers.gotosocial PROGRAM SOURCES

PROGRAM is GoToSocial, built from SOURCES (its own `scripts/build.sh`, or any release with its
`web/` folder). Needs Caddy and the right to mount (root); everything listens on 127.0.0.1, lives
in a temporary folder and ends with the run.
"""

from __future__ import annotations

import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.kit.town import Town, needs
from tests.peers.gotosocial import conversation, parting, people
from tests.peers.gotosocial.stage import NAMES, Stage, raise_curtain

SCENES: list[Callable[[Stage], str]] = [*people.SCENES, *conversation.SCENES, *parting.SCENES]


def main() -> int:
    """Play every scene; the number of those that failed."""
    program, sources = (Path(given).resolve() for given in sys.argv[1:3])
    needs("caddy")
    failed = 0
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        place = Town(Path(folder), list(NAMES), running)
        stage = raise_curtain(place, program, sources)
        for scene in SCENES:
            begin = time.monotonic()
            try:
                told = scene(stage)
            except Exception:  # a scene that fails must not hide the others
                failed += 1
                print(f"FAILED  {scene.__doc__}\n{traceback.format_exc(limit=-3)}", flush=True)
            else:
                took = time.monotonic() - begin
                print(f"ok {took:5.2f} s  {scene.__doc__}{told and ': ' + told}", flush=True)
        if failed and len(sys.argv) > 3:
            Path(sys.argv[3]).write_text((place.folder / "gotosocial.log").read_text())
    print(f"{len(SCENES) - failed} of {len(SCENES)} hold")
    return min(failed, 1)


sys.exit(main())
