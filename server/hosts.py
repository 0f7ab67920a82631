"""The front door: XRPC goes raw, ahead of Quart; every other path must be written in one way only.

Spec: RFC 3986 section 6.2. Servers and frameworks fold ``//``, ``%2F`` and dot segments
(measured on Hypercorn, uvicorn and Werkzeug), so a path that has a twin is refused before anybody
authorises it.
"""

from __future__ import annotations

import ctypes
import gc
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_to_bytes

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

TWINS: Final = re.compile(
    rb"//|\\|%(?:2f|5c|00|2e|7f|[01][0-9a-f])|[\x00-\x20\x7f]|/\.{1,2}(?:/|$)", re.IGNORECASE
)
PLC: Final = "/plc/"
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
"""The names of settings in malloc.h: threads share two heaps."""

REFUSED: Final = b"This path has more than one reading; write it in its plain form.\n"


def is_plain(raw_path: bytes) -> bool:
    """Whether a raw path (without query) has exactly one reading, whoever reads it."""
    if not raw_path.startswith(b"/") or TWINS.search(raw_path):
        return False
    try:
        unquote_to_bytes(raw_path).decode()
    except UnicodeDecodeError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Rooms:
    """An open house, as the door sees it.

    ``socket`` takes the WebSockets that are not XRPC's. ``end_streams`` ends what would never end
    by itself; ``close`` comes when nobody is there any more. ``plc`` is the development PLC
    directory, if any.
    """

    xrpc: App
    serves_xrpc: Callable[[str], bool]
    pages: App
    socket: App
    serves_socket: Callable[[str], bool]
    end_streams: Callable[[], None]
    close: Callable[[], Awaitable[None]]
    plc: App | None = None


class FrontDoor:
    """The ASGI application of the whole house, opened and closed with the server's lifespan."""

    def __init__(self, opening: Callable[[], Awaitable[Rooms]]) -> None:
        self._opening = opening
        self._rooms: Rooms | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event stream."""
        rooms = self._rooms
        if scope["type"] == "lifespan" or rooms is None:
            await self._live(receive, send)
        elif rooms.serves_xrpc(scope["path"]):
            await rooms.xrpc(scope, receive, send)
        elif rooms.plc and scope["type"] == "http" and scope["path"].startswith(PLC):
            await rooms.plc({**scope, "path": scope["path"][len(PLC) - 1 :]}, receive, send)
        elif scope["type"] == "websocket" and rooms.serves_socket(scope["path"]):
            await rooms.socket(scope, receive, send)
        elif scope["type"] == "http" and is_plain(scope["raw_path"].partition(b"?")[0]):
            await rooms.pages(scope, receive, send)
        else:
            await _refuse(scope, send)

    def end_streams(self) -> None:
        """End what would keep a server waiting that wants to stop."""
        if self._rooms is not None:
            self._rooms.end_streams()

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    self._rooms = await self._opening()
                except Exception as err:
                    await send({"type": "lifespan.startup.failed", "message": str(err)})
                    raise
                settle_memory()
                await send({"type": "lifespan.startup.complete"})
            else:
                if self._rooms is not None:
                    await self._rooms.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


def settle_memory() -> None:
    """Leave what start-up made out of every later collection: it lives as long as the process.

    What comes later is mostly trees of repositories, which hold no cycles: collect it seldom.
    """
    gc.collect()
    gc.freeze()
    # Blocks of a megabyte and more (one for each password that is hashed) go back to the system at
    # once: left to itself the GNU library keeps them, in a heap for each thread.
    if (tune := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        tune(_MMAP_THRESHOLD, 1 << 20)
        tune(_ARENA_MAX, 2)
    gc.set_threshold(10_000, 20, 50)


async def _refuse(scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    length = str(len(REFUSED)).encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": REFUSED})
