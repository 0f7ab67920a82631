"""The process behind a query: no way out, one answer for each message, nothing left behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from adapters.solid.query.lane import Held, Lane, Load
from pod.errors import Overloaded

JSON = "application/sparql-results+json"
QUADS = b'<a:s> <a:p> "one" <a:g> .\n'
HELD = "SELECT ?o { ?s ?p ?o }"


def query(text: str, **more: Any) -> dict[str, Any]:
    """A query as the endpoint sends it."""
    asked = {"query": text, "base": "http://a.example/", "union": True, "default": None}
    limits = {"named": [], "graph": None, "limit": 10_000, "seconds": 5.0}
    return asked | limits | {"solutions": JSON, "boolean": JSON} | more


def load(quads: bytes = QUADS, *, drop: tuple[str, ...] = (), fresh: bool = True) -> Any:
    async def loaded(_: Held[int] | None) -> Load[int]:
        return Load(1, fresh, drop, quads, 1)

    return loaded


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """A server that nobody should ask, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def do_POST(self) -> None:
            self.do_GET()

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/x", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_not_even_a_service_that_was_not_seen_leaves_the_process(
    elsewhere: tuple[str, list[str]],
) -> None:
    url, asked = elsewhere

    async def story() -> None:
        lane: Lane[int] = Lane()
        loud = query(f"SELECT * {{ SERVICE <{url}> {{ ?s ?p ?o }} }}")
        assert await lane.ask("k", load(), loud, keep=True) == ("", b"elsewhere")
        silent = query(f"SELECT * {{ SERVICE SILENT <{url}> {{ ?s ?p ?o }} }}")
        media, _ = await lane.ask("k", load(), silent, keep=True)
        assert media == JSON

    asyncio.run(story())
    assert asked == []


def test_a_dataset_changes_graph_by_graph_and_is_forgotten_when_told() -> None:
    async def story() -> None:
        lane: Lane[int] = Lane()
        _, body = await lane.ask("k", load(), query(HELD), keep=True)
        assert b"one" in body
        two = b'<a:s> <a:p> "two" <a:h> .\n'
        _, body = await lane.ask("k", load(two, fresh=False), query(HELD), keep=True)
        assert b"one" in body
        assert b"two" in body
        _, body = await lane.ask("k", load(b"", drop=("a:g",), fresh=False), query(HELD), keep=True)
        assert b"one" not in body
        assert b"two" in body
        _, body = await lane.ask("other", load(), query(HELD), keep=False)
        assert b"two" not in body
        _, body = await lane.ask("other", load(b"", fresh=False), query(HELD), keep=False)
        assert b"one" not in body

    asyncio.run(story())


def test_the_datasets_asked_longest_ago_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.solid.query.lane.MAX_DATASETS", 2)

    async def story() -> None:
        lane: Lane[int] = Lane()
        held: list[str] = []

        def told(key: str) -> Any:
            async def loaded(found: Held[int] | None) -> Load[int]:
                if found is not None:
                    held.append(key)
                return Load(1, found is None, (), QUADS if found is None else b"", 1)

            return loaded

        for key in ("a", "b", "a", "c", "a", "b"):
            _, body = await lane.ask(key, told(key), query(HELD), keep=True)
            assert b"one" in body
        assert held == ["a", "a"]

    asyncio.run(story())


def test_a_process_that_died_is_replaced_and_holds_nothing() -> None:
    async def story() -> None:
        lane: Lane[int] = Lane()
        await lane.ask("k", load(), query(HELD), keep=True)
        assert lane._process is not None
        lane._process.kill()
        lane._process.wait()
        found: list[object] = []

        async def again(held: Held[int] | None) -> Load[int]:
            found.append(held)
            return Load(1, True, (), QUADS, 1)

        _, body = await lane.ask("k", again, query(HELD), keep=True)
        assert b"one" in body
        assert found == [None]

    asyncio.run(story())


def test_time_and_memory_are_told_apart() -> None:
    async def story() -> None:
        lane: Lane[int] = Lane()
        quads = b"".join(b"<a:s%d> <a:p> <a:o%d> <a:g> .\n" % (i, i) for i in range(2000))
        cross = " ".join(f"?a{i} ?b{i} ?c{i} ." for i in range(6))
        endless = query(f"SELECT (COUNT(*) AS ?n) {{ {cross} }}", seconds=0.2)
        with pytest.raises(Overloaded, match=r"longer than 0\.2 seconds"):
            await lane.ask("k", load(quads), endless, keep=True)
        greedy = query(f"SELECT DISTINCT * {{ {cross} }} ORDER BY ?a0", seconds=60.0)
        with pytest.raises(Overloaded, match="too much memory"):
            await lane.ask("k", load(quads), greedy, keep=True)

    asyncio.run(story())
