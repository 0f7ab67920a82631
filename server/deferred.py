"""What is loaded when it is first asked for: a pod that nobody looks at takes less memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from server.hosts import App, Receive, Scope, Send


class Deferred:
    """An application that is made, in a thread, at its first request."""

    def __init__(self, make: Callable[[], App]) -> None:
        self._make = make
        self._lock = asyncio.Lock()
        self._app: App | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; those that come meanwhile wait for the first."""
        app = self._app or await self.made()
        await app(scope, receive, send)

    async def made(self) -> App:
        """The application itself."""
        async with self._lock:
            if self._app is None:
                self._app = await asyncio.to_thread(self._make)
            return self._app
