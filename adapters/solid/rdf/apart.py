"""Work on documents where it holds nobody up: a thread for heavy ones, a process for vast ones.

A thread is not enough for megabytes: the interpreter lets nobody else run while one call into the
RDF library lasts. The process runs this file, ends with its one piece of work, and costs 0.2 s.

Spec: none; the pod's own promise that no request stalls the others.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar, cast

from adapters.solid.rdf.parse import HEAVY_BYTES
from pod.errors import Overloaded, PodError

P = ParamSpec("P")
T = TypeVar("T")

VAST_BYTES: Final = 1_000_000
"""From this size on a document is worked on in a process."""

_LONGEST_S: Final = 60.0
_LANES: Final = ThreadPoolExecutor(2, "documents")
"""As many processes as work at once."""


async def apart(size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What ``work`` gives for a document of ``size`` bytes; it is a function of a module.

    Raises what ``work`` raises, and Overloaded where the work takes a minute or dies.
    """
    if size < HEAVY_BYTES:
        return work(*args, **kwargs)
    if size < VAST_BYTES:
        return await asyncio.to_thread(work, *args, **kwargs)
    loop = asyncio.get_running_loop()
    told = await loop.run_in_executor(_LANES, _in_process, (work, args, kwargs))
    if isinstance(told, PodError):
        raise told
    return cast("T", told)


def _in_process(task: object) -> object:
    paths = os.pathsep.join(path for path in sys.path if path)
    try:
        done = subprocess.run(  # noqa: S603  our own program, told by a pipe what to do
            [sys.executable, "-m", __name__],
            input=pickle.dumps(task),
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": paths},
            timeout=_LONGEST_S,
            check=True,
        )
    except (subprocess.SubprocessError, OSError) as err:
        raise Overloaded("This document takes too long; try again later") from err
    told: object = pickle.loads(done.stdout)  # noqa: S301  from our own process
    return told


def main() -> None:
    """Do the work that stdin tells, and say on stdout what came of it."""
    work, args, kwargs = pickle.load(sys.stdin.buffer)  # noqa: S301  from our own process
    told: object
    try:
        told = work(*args, **kwargs)
    except PodError as refused:
        told = refused
    sys.stdout.buffer.write(pickle.dumps(told))


if __name__ == "__main__":
    main()
