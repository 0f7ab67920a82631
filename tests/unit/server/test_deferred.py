"""An application made at its first request is made once, whoever asks meanwhile."""

from __future__ import annotations

import asyncio

from server.deferred import Deferred
from server.hosts import App, Receive, Scope, Send


def test_it_is_made_at_the_first_request_and_only_once() -> None:
    made: list[int] = []
    served: list[str] = []

    def make() -> App:
        made.append(1)

        async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
            served.append(scope["path"])

        return app

    async def story() -> None:
        deferred = Deferred(make)
        assert made == []

        async def nothing(*_: object) -> None:
            return None

        paths = ("/a", "/b", "/c")
        await asyncio.gather(*(deferred({"path": path}, nothing, nothing) for path in paths))
        await deferred({"path": "/d"}, nothing, nothing)

    asyncio.run(story())
    assert made == [1]
    assert sorted(served) == ["/a", "/b", "/c", "/d"]
