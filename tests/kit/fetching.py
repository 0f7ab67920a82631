"""An egress that answers from a table instead of the network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

from multidict import CIMultiDict, CIMultiDictProxy

from adapters.http.fetch import Fetch, Fetched
from pod.errors import PeerUnavailable

Answerer = Callable[[str, str, bytes], Awaitable[tuple[int, str, bytes]]]


class TableFetch:
    """Answers by a function of method, URL and body; whatever it raises is raised."""

    def __init__(self, answer: Answerer) -> None:
        self._answer = answer
        self.asked: list[str] = []

    async def get(self, url: str, headers: object = None, *, max_bytes: object = None) -> Fetched:
        return await self._send("GET", url, b"")

    async def post(self, url: str, body: bytes, headers: object = None) -> Fetched:
        return await self._send("POST", url, body)

    async def _send(self, method: str, url: str, body: bytes) -> Fetched:
        self.asked.append(url)
        status, kind, content = await self._answer(method, url, body)
        headers = CIMultiDictProxy(CIMultiDict({"Content-Type": kind}))
        return Fetched(url, status, headers, content)


def fetch_from(pages: dict[str, bytes]) -> tuple[Fetch, TableFetch]:
    """An egress that knows some pages; others are 404, hosts without pages do not answer."""

    async def answer(_: str, url: str, body: bytes) -> tuple[int, str, bytes]:
        if url in pages:
            return 200, "text/plain", pages[url]
        host = url.split("/")[2]
        if not any(page.split("/")[2] == host for page in pages):
            raise PeerUnavailable
        return 404, "text/plain", b""

    table = TableFetch(answer)
    return cast("Fetch", table), table
