"""Media of other servers are passed on only when the pod showed them, and can do no harm."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from quart import Quart

from adapters.http import problem
from adapters.http.fetch import Fetch, Fetched
from adapters.http.hosts import Hosts
from adapters.http.media_proxy import KEPT_BYTES, MediaProxy
from pod.errors import Forbidden, PeerUnavailable
from pod.model.ids import Origin
from pod.settings import Egress
from storage.in_memory import MemoryStore
from tests.kit.egress_spy import connections

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
SERVER = Origin("http://localhost:2583")


class Files:
    """An egress that knows some files: type and body by URL."""

    def __init__(self, files: dict[str, tuple[str, bytes]]) -> None:
        self.files = files
        self.asked: list[str] = []

    async def get(self, url: str, headers: Any = None, *, max_bytes: int | None = None) -> Fetched:
        self.asked.append(url)
        await asyncio.sleep(0)
        if url not in self.files:
            raise PeerUnavailable
        kind, body = self.files[url]
        headers = CIMultiDictProxy(CIMultiDict({"Content-Type": kind, "Set-Cookie": "x=1"}))
        return Fetched(url, 200, headers, body)


def story(
    tell: Callable[[MediaProxy, Files, Any], Awaitable[None]],
    files: dict[str, tuple[str, bytes]],
    **more: Any,
) -> None:
    async def whole() -> None:
        egress = Files(files)
        hosts = Hosts(MemoryStore(), SERVER)
        proxy = MediaProxy(hosts, egress, b"secret", lambda url: "shunned" not in url, **more)
        app = Quart("pod")
        problem.install(app)
        app.register_blueprint(proxy.rooms())
        client = app.test_client()

        async def get(address: str, host: str = "localhost:2583") -> Any:
            return await client.get(address.removeprefix(SERVER), headers={"Host": host})

        await tell(proxy, egress, get)

    asyncio.run(whole())


def test_a_picture_is_passed_on_without_anything_else_and_fetched_once() -> None:
    url = "https://peer.test/a.png?size=1"

    async def tell(proxy: MediaProxy, egress: Files, get: Any) -> None:
        address = proxy.address(url)
        assert address.startswith(f"{SERVER}/media/")
        answers = await asyncio.gather(*(get(address) for _ in range(5)))
        for answer in answers:
            assert (answer.status_code, await answer.get_data()) == (200, PNG)
        assert egress.asked == [url]
        headers = answers[0].headers
        assert headers["Content-Type"] == "image/png"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert "Set-Cookie" not in headers
        assert (await get(address, "alice.localhost:2583")).status_code == 404

    story(tell, {url: ("image/png", PNG)})


def test_an_address_that_the_pod_did_not_make_leads_nowhere() -> None:
    async def tell(proxy: MediaProxy, egress: Files, get: Any) -> None:
        address = proxy.address("https://peer.test/a.png")
        other = proxy.address("https://peer.test/b.png")
        stolen = f"{address.rpartition('/')[0]}/{other.rpartition('/')[2]}"
        marked = address.replace("/media/", "/media/0")
        for bad in (stolen, marked, f"{SERVER}/media/x/y", f"{SERVER}/media/{'0' * 32}/%C3%A9"):
            assert (await get(bad)).status_code == 404
        assert (await get(proxy.address("https://shunned.test/a.png"))).status_code == 404
        assert egress.asked == []

    story(tell, {})


@pytest.mark.parametrize(
    ("kind", "body"),
    [("text/html", b"<script>"), ("image/svg+xml", b"<svg/>"), ("image/png", b"<script>"),
     ("image/jpeg", PNG), ("application/activity+json", b"{}"), ("", PNG), ("video/mp4", PNG)],
)  # fmt: skip
def test_what_is_no_media_is_not_passed_on(kind: str, body: bytes) -> None:
    async def tell(proxy: MediaProxy, egress: Files, get: Any) -> None:
        address = proxy.address("https://peer.test/a")
        assert (await get(address)).status_code == 415
        assert (await get(address)).status_code == 502
        assert len(egress.asked) == 1

    story(tell, {"https://peer.test/a": (kind, body)})


def test_the_cache_never_holds_more_than_it_may() -> None:
    urls = [f"https://peer.test/{n}.png" for n in range(10)]
    files = dict.fromkeys(urls, ("image/png", PNG))
    large = "https://peer.test/large.png"
    files[large] = ("image/png", PNG + bytes(KEPT_BYTES))

    async def tell(proxy: MediaProxy, egress: Files, get: Any) -> None:
        for url in [*urls, large, large]:
            assert (await get(proxy.address(url))).status_code == 200
        assert egress.asked.count(large) == 2
        assert proxy._held <= 3 * len(PNG)
        assert (await get(proxy.address(urls[9]))).status_code == 200
        assert egress.asked.count(urls[9]) == 1

    story(tell, files, cache_bytes=3 * len(PNG))


def test_it_fetches_nothing_from_inside() -> None:
    async def tell() -> None:
        async def lookup(host: str, port: int) -> list[str]:
            return ["10.0.0.7"]

        egress = Fetch(Egress(), lookup=lookup)
        proxy = MediaProxy(Hosts(MemoryStore(), SERVER), egress, b"s", lambda _: True)
        places = ("https://127.0.0.1/a.png", "https://inward.test/a.png", "http://peer.test/a.png",
                  "https://169.254.169.254/latest", "file:///etc/passwd")  # fmt: skip
        with connections() as seen:
            for place in places:
                mark, _, name = proxy.address(place).partition("/media/")[2].partition("/")
                with pytest.raises(Forbidden):
                    await proxy.media(mark, name)
        await egress.close()
        assert seen == []

    asyncio.run(tell())
