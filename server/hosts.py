"""The front door: XRPC goes raw, ahead of Quart; every other path must be written in one way only.

Spec: RFC 3986 section 6.2. Servers and frameworks fold ``//``, ``%2F`` and dot segments
(measured on Hypercorn, uvicorn and Werkzeug), so a path that has a twin is refused before anybody
authorises it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

TWINS: Final = re.compile(
    rb"//|\\|%(?:2f|5c|00|2e|7f|[01][0-9a-f])|[\x00-\x20\x7f]|/\.{1,2}(?:/|$)", re.IGNORECASE
)
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


class FrontDoor:
    """The ASGI application of the whole house.

    ``start`` and ``stop`` are awaited with the server's lifespan.
    """

    def __init__(
        self,
        xrpc: App,
        serves_xrpc: Callable[[str], bool],
        pages: App,
        start: Callable[[], Awaitable[None]],
        stop: Callable[[], Awaitable[None]],
    ) -> None:
        self._xrpc = xrpc
        self._serves_xrpc = serves_xrpc
        self._pages = pages
        self._start = start
        self._stop = stop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event stream."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._serves_xrpc(scope["path"]):
            await self._xrpc(scope, receive, send)
        elif is_plain(scope["raw_path"].partition(b"?")[0]):
            await self._pages(scope, receive, send)
        else:
            await _refuse(scope, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._stop()
                await send({"type": "lifespan.shutdown.complete"})
                return


async def _refuse(scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    length = str(len(REFUSED)).encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": REFUSED})
