"""com.atproto.sync.subscribeRepos: the firehose over a WebSocket.

Binary messages, or JSON for those who ask for the subprotocol ``xrpc.v1.json``.

Spec: https://atproto.com/specs/event-stream, lexicon com.atproto.sync.subscribeRepos
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from adapters.atproto.firehose.consumers import Consumer, Consumers
from adapters.atproto.firehose.json_frames import json_message
from adapters.atproto.firehose.outbox import Outbox
from adapters.http.limited import client_of

NSID: Final = "com.atproto.sync.subscribeRepos"

JSON: Final = "xrpc.v1.json"
_SPOKEN: Final = frozenset({JSON, "xrpc.v0.cbor"})

RUNS: Final = "commonpod.run"
"""An ASGI extension of servers that take several binary messages at once, and the type of that."""

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class SubscribeRepos:
    """The WebSocket endpoint in front of an `Outbox`."""

    def __init__(self, outbox: Outbox, consumers: Consumers) -> None:
        self._outbox = outbox
        self._consumers = consumers

    async def __call__(
        self, scope: Mapping[str, Any], receive: Receive, send: Send, params: Mapping[str, Any]
    ) -> None:
        """Serve one consumer whose ``websocket.connect`` was received, until either side ends."""
        headers = dict(scope.get("headers", ()))
        agent = headers.get(b"user-agent", b"").decode("latin-1")[:200]
        with self._consumers.visit(client_of(scope), agent, params.get("cursor")) as consumer:
            await self._serve(scope, receive, send, consumer)

    async def _serve(
        self, scope: Mapping[str, Any], receive: Receive, send: Send, consumer: Consumer
    ) -> None:
        takes_runs = RUNS in scope.get("extensions", ())

        # The client names what it would like best first.
        spoken = next((name for name in scope.get("subprotocols", ()) if name in _SPOKEN), None)

        async def push(frames: Sequence[bytes]) -> None:
            self._consumers.took(consumer, len(frames))
            if spoken == JSON:
                for frame in frames:
                    await send({"type": "websocket.send", "text": json_message(frame)})
            elif takes_runs:
                await send({"type": RUNS, "messages": frames})
            else:
                for frame in frames:
                    await send({"type": "websocket.send", "bytes": frame})

        chosen = {} if spoken is None else {"subprotocol": spoken}
        await send({"type": "websocket.accept", **chosen})
        streaming = asyncio.ensure_future(self._outbox.stream(consumer.cursor, push))
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
