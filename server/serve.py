"""Serving: Hypercorn by default, uvicorn (the ``fast`` extra) for a busy host.

Both run the same ASGI application on uvloop and stop cleanly on SIGINT and SIGTERM.
"""

from __future__ import annotations

import asyncio
import importlib
import resource
import signal
import socket
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Literal

import uvloop

from pod.errors import Conflict, Invalid
from pod.settings import Settings
from server.bodies import reading_first
from server.corked import taking_runs
from server.hosts import FrontDoor
from storage.sole import SoleUse

_OPEN_FILES = 65_536

ServerName = Literal["hypercorn", "uvicorn"]


def serve(door: FrontDoor, settings: Settings, server: ServerName) -> None:
    """Serve until told to stop.

    Raises Conflict where another process has the data folder or the port.
    """
    _allow_many_files()
    runner = _uvicorn if server == "uvicorn" else _hypercorn
    with SoleUse(settings.data_dir), asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(runner(door, _bound(settings)))


def _allow_many_files() -> None:
    """Raise the soft limit of open files, often 1,024: every connection is one, in and out."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _bound(settings: Settings) -> socket.socket:
    """A socket at the address of the settings; the server listens on it when it is ready."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        bound.bind((settings.host, settings.port))
    except OSError as err:
        bound.close()
        reason = f"{settings.host}:{settings.port} is not to be had: {err.strerror}."
        raise Conflict(reason) from err
    return bound


async def _hypercorn(door: FrontDoor, bound: socket.socket) -> None:
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config

    from server import on_hypercorn

    on_hypercorn.install()
    config = Config()
    config.bind = [f"fd://{bound.detach()}"]
    config.graceful_timeout = 3.0
    config.keep_alive_timeout = 75.0
    config.h11_max_incomplete_size = 65_536
    config.include_server_header = False
    config.loglevel = "WARNING"
    config.websocket_max_message_size = 65_536
    stopped = asyncio.Event()
    _when_told_to_stop(stopped.set)

    async def until_stopped() -> None:
        await stopped.wait()
        door.end_streams()

    application: Any = taking_runs(reading_first(door))
    await hypercorn_serve(application, config, shutdown_trigger=until_stopped, mode="asgi")


async def _uvicorn(door: FrontDoor, bound: socket.socket) -> None:
    try:
        uvicorn: Any = importlib.import_module("uvicorn")
    except ModuleNotFoundError as err:
        raise Invalid("uvicorn is not installed: pip install 'commonpod[fast]'") from err
    config = uvicorn.Config(
        taking_runs(reading_first(door)),
        log_level="warning",
        access_log=False,
        lifespan="on",
        loop="none",
        http="server.on_uvicorn:CorkedHttp",
        ws="server.on_uvicorn:FastSocket",
        ws_per_message_deflate=False,
        server_header=False,
        proxy_headers=False,  # adapters.http.limited reads them, and knows whom to believe
        timeout_keep_alive=75,
        timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=65_536,
    )
    server: Any = uvicorn.Server(config)
    # Its own handling raises the signal once more at the end, which then ends in an error.
    server.capture_signals = nullcontext

    def stop() -> None:
        door.end_streams()
        server.should_exit = True

    _when_told_to_stop(stop)
    await server.serve([bound])


def _when_told_to_stop(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
