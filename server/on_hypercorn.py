"""Hypercorn with short ways out: responses and firehose frames leave in as few writes as they can.

Hypercorn offers no setting for its classes, so `install` puts ours in their places.
"""

from __future__ import annotations

import asyncio
from typing import Any

from hypercorn.asyncio import run
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.events import Closed, RawData, Updated
from hypercorn.protocol import h11
from hypercorn.protocol.events import Data
from hypercorn.protocol.ws_stream import ASGIWebsocketState, WSStream

from server.corked import Corked, LastRun, messages_of

_last = LastRun()


def install() -> None:
    """Let Hypercorn serve through the classes of this file."""
    modules: Any = run, h11
    modules[0].TCPServer = CorkedServer
    modules[1].WSStream = FastStream


class CorkedServer(TCPServer):
    """A connection over a corked transport, with one watch over its idleness for all its life."""

    def __init__(self, app: Any, loop: Any, config: Any, context: Any, *more: Any) -> None:
        state, reader, writer = more
        transport: Any = Corked(writer.transport, loop)
        corked = asyncio.StreamWriter(transport, writer.transport.get_protocol(), reader, loop)
        super().__init__(app, loop, config, context, state, reader, corked)
        self._idle_since: float | None = loop.time()

    async def protocol_send(self, event: Any) -> None:
        """Take what the protocol wants sent or told."""
        if isinstance(event, RawData):
            try:
                self.writer.write(event.data)
                await self.writer.drain()
            except (ConnectionError, RuntimeError):
                await self.protocol.handle(Closed())
        elif isinstance(event, Updated):
            self._idle_since = self.loop.time() if event.idle else None
        else:
            await super().protocol_send(event)

    async def _idle_timeout(self) -> None:
        """Close the connection when it was idle for too long, or when the server stops."""
        longest: float = self.config.keep_alive_timeout
        pause = longest
        while pause > 0:
            try:
                await asyncio.wait_for(self.context.terminated.wait(), pause)
            except TimeoutError:
                since = self._idle_since
                pause = longest if since is None else since + longest - self.loop.time()
            else:
                if self._idle_since is None:
                    return  # the request under way is the last, and closes the connection
                break
        await asyncio.shield(self._initiate_server_close())


class FastStream(WSStream):
    """A WebSocket that sends binary messages as ready frames, and agrees to no compression."""

    async def app_send(self, message: Any) -> None:
        """Take one ASGI message; all but binary ones go the usual way."""
        messages = messages_of(message)
        is_open = self.state is ASGIWebsocketState.CONNECTED and not self.closed
        if messages is None or not is_open:
            await super().app_send(message)
        else:
            await self.send(Data(stream_id=self.stream_id, data=_last.of(messages)))

    async def _accept(self, message: Any) -> None:
        self.handshake.extensions = None
        await super()._accept(message)
