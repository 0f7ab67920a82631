"""A browser at a member's origin, in a pod of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pod.model.presence import Presence
from tests.kit.hall import Author, TableEdges, author, hall_of
from tests.kit.house import Pod
from tests.kit.pages import Page

HOST = "alice.localhost:2583"
ORIGIN = f"http://{HOST}"
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


class Visitor:
    """A browser at a member's origin."""

    def __init__(self, pod: Pod, host: str = HOST) -> None:
        self.edges = TableEdges()
        self.presence = Presence()
        hall = hall_of(pod, self.edges, presence=lambda _: self.presence)
        self._client = hall.test_client()
        self._host = host

    async def get(self, path: str, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._client.get(path, headers={"Host": self._host, **named})

    async def page(self, path: str) -> Page:
        response = await self.get(path, Accept=BROWSER)
        assert response.status_code == 200, await response.get_data(as_text=True)
        return Page(await response.get_data(as_text=True))


Scene = Callable[[Author, Visitor], Awaitable[None]]


def play(scene: Scene) -> None:
    async def run() -> None:
        pod = Pod()
        await scene(await author(pod), Visitor(pod))

    asyncio.run(run())
