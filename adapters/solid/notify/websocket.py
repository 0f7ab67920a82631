"""WebSocketChannel2023: messages over a WebSocket whose URL is known to the subscriber alone.

Spec: https://solid.github.io/notifications/websocket-channel-2023
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from typing import Any, Final

from adapters.solid.channel_terms import NOTIFY, RECEIVE, ROOT, WEBSOCKET
from adapters.solid.notify.feed import End, Feed, Feeds
from adapters.solid.notify.message import JSONLD, media_of

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

PATH: Final = f"{ROOT}{WEBSOCKET}/{RECEIVE}/"
_SUBPROTOCOL: Final = f"{NOTIFY}{WEBSOCKET}"
_PATIENCE_S: Final = 30.0
"""How long a receiver may take for one message before it is sent away; nothing is lost by that."""

_CODES: Final[Mapping[End, int]] = {
    "over": 1000,
    "dropped": 1000,
    "refused": 1008,
    "replaced": 1008,
    "closing": 1001,
}


async def serve_socket(
    feeds: Feeds, scope: Mapping[str, Any], receive: Receive, send: Send
) -> None:
    """Serve one WebSocket under `PATH`, until either side ends."""
    assert (await receive())["type"] == "websocket.connect"
    channel = feeds.channels.by_secret(scope["path"].removeprefix(PATH))
    if channel is None or channel.type != WEBSOCKET:
        await send({"type": "websocket.close", "code": 1008})
        return
    offered = scope.get("subprotocols", ())
    chosen = {"subprotocol": _SUBPROTOCOL} if _SUBPROTOCOL in offered else {}
    await send({"type": "websocket.accept", **chosen})
    feed = feeds.open(channel)
    telling = asyncio.ensure_future(_tell(feeds, feed, send))
    leaving = asyncio.ensure_future(_until_gone(receive))
    try:
        await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        is_over = telling.done()
        telling.cancel()
        leaving.cancel()
        await asyncio.wait({telling, leaving})
    # Servers tell a lost connection by an OSError from send, or say nothing.
    with suppress(OSError, asyncio.CancelledError, TimeoutError):
        telling.result()
    if is_over:
        with suppress(OSError):
            await send({"type": "websocket.close", "code": _CODES[feed.end or "replaced"]})


async def _tell(feeds: Feeds, feed: Feed, send: Send) -> None:
    media_type = media_of(feed.channel.accept) or JSONLD
    async with aclosing(feeds.messages(feed)) as messages:
        async for message in messages:
            async with asyncio.timeout(_PATIENCE_S):
                text = message.written(media_type).decode()
                await send({"type": "websocket.send", "text": text})


async def _until_gone(receive: Receive) -> None:
    """Wait for the receiver to go; what they say meanwhile has no meaning."""
    while (await receive())["type"] != "websocket.disconnect":
        pass
