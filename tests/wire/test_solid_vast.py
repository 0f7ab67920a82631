"""Documents of a megabyte and more are worked on in a process: the answers are the same."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from adapters.solid.lens import container
from adapters.solid.rdf.apart import VAST_BYTES
from pod.model.resource import Resource, ResourcePath
from tests.kit.solid_host import Host, told
from tests.kit.stored import document

TTL, JSONLD, N3 = "text/turtle", "application/ld+json", "text/n3"
LINE = '<#s{0}> <http://example.org/says> "{0} {1}" .\n'
VAST = "".join(LINE.format(number, "word " * 400) for number in range(VAST_BYTES // 2000))
PATCH = """@prefix solid: <http://www.w3.org/ns/solid/terms#> .
<> a solid:InsertDeletePatch ; solid:{0} {{ <#new> a <#Thing> }} ."""


def test_a_vast_document_is_kept_translated_and_patched() -> None:
    async def story(host: Host) -> None:
        assert len(VAST) >= VAST_BYTES
        assert (await host.ask("PUT", "/data/big", VAST, Content_Type=TTL)).status_code == 201
        shown = await host.ask("GET", "/data/big", Accept=JSONLD)
        assert shown.status_code == 200
        assert b"#s499" in await shown.get_data()
        body = PATCH.format("inserts")
        assert (await host.ask("PATCH", "/data/big", body, Content_Type=N3)).status_code == 204
        stored = host.stored("/data/big")
        assert stored is not None
        assert b"#new" in stored.body
        assert b"#s0" in stored.body

    told(story)


@pytest.mark.parametrize(
    ("method", "body", "media", "status", "word"),
    [
        ("PUT", VAST + "<#x", TTL, 400, b"line 501"),
        ("PATCH", PATCH.format("deletes"), N3, 409, b"#new"),
    ],
)
def test_a_refusal_of_a_vast_document_names_its_reason_and_changes_nothing(
    method: str, body: str, media: str, status: int, word: bytes
) -> None:
    async def story(host: Host) -> None:
        await host.ask("PUT", "/data/big", VAST, Content_Type=TTL)
        before = host.stored("/data/big")
        refused = await host.ask(method, "/data/big", body, Content_Type=media)
        assert refused.status_code == status
        assert word in await refused.get_data()
        assert host.stored("/data/big") == before

    told(story)


async def crowded(host: Host) -> None:
    """Fill a container with many children."""
    paths = (ResourcePath(f"/data/many/{number:05d}") for number in range(4000))
    many = [document(host.alice.id, path) for path in paths]
    await host.pod.store.write(lambda tx: tx.put_resources(many, replaced_bytes=0))


async def worked_on(host: Host, method: str) -> None:
    """Let the container be worked on."""
    media = {"Content_Type": N3} if method == "PATCH" else {}
    body = PATCH.format("inserts") if method == "PATCH" else ""
    answer = await host.ask(method, "/data/many/", body, **media)
    assert answer.status_code == {"GET": 200, "PATCH": 201, "DELETE": 409}[method]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_others_have_their_turn_while_a_container_of_many_children_is_read(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(host: Host) -> None:
        await crowded(host)
        turns, seen, read = 0, [], host.pod.store.resources

        async def count() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        def slowly(*args: Any, **kwargs: Any) -> list[Resource]:
            """A page takes longer than a slice may."""
            seen.append(turns)
            time.sleep(0.006)
            return read(*args, **kwargs)

        monkeypatch.setattr(host.pod.store, "resources", slowly)
        counting = asyncio.create_task(count())
        await worked_on(host, method)
        counting.cancel()
        assert len(seen) > 8
        # What is asked before and after the listing may share a turn with its first and last page.
        assert len(set(seen)) >= len(seen) - 3

    told(story)


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_a_listing_of_many_children_is_written_where_it_holds_nobody_up(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written_by = set()

    def turtle(listing: container.Listing) -> bytes:
        written_by.add(threading.current_thread())
        return write(listing)

    async def story(host: Host) -> None:
        await crowded(host)
        await worked_on(host, method)

    write = container.turtle
    monkeypatch.setattr(container, "turtle", turtle)
    told(story)
    assert threading.main_thread() not in written_by
