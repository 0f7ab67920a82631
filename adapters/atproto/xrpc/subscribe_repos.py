"""com.atproto.sync.subscribeRepos: the firehose over a WebSocket.

Spec: https://atproto.com/specs/event-stream, lexicon com.atproto.sync.subscribeRepos
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from adapters.atproto.firehose.outbox import Outbox

NSID: Final = "com.atproto.sync.subscribeRepos"

RUNS: Final = "commonpod.run"
"""An ASGI extension of servers that take several binary messages at once, and the type of that."""

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class SubscribeRepos:
    """The WebSocket endpoint in front of an `Outbox`."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def __call__(
        self, scope: Mapping[str, Any], receive: Receive, send: Send, params: Mapping[str, Any]
    ) -> None:
        """Serve one consumer whose ``websocket.connect`` was received, until either side ends."""
        takes_runs = RUNS in scope.get("extensions", ())

        async def push(frames: Sequence[bytes]) -> None:
            if takes_runs:
                await send({"type": RUNS, "messages": frames})
            else:
                for frame in frames:
                    await send({"type": "websocket.send", "bytes": frame})

        await send({"type": "websocket.accept"})
        streaming = asyncio.ensure_future(self._outbox.stream(params.get("cursor"), push))
        leaving = asyncio.ensure_future(_until_gone(receive))
        try:
            await asyncio.wait({streaming, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            is_over = streaming.done()
            streaming.cancel()
            leaving.cancel()
            await asyncio.wait({streaming, leaving})
        # Servers tell a lost connection by an OSError from send, or say nothing.
        with suppress(OSError, asyncio.CancelledError):
            code = streaming.result()
            if is_over:
                await send({"type": "websocket.close", "code": code})


async def _until_gone(receive: Receive) -> None:
    """Wait for the consumer to go; what they say meanwhile has no meaning."""
    while (await receive())["type"] != "websocket.disconnect":
        pass
