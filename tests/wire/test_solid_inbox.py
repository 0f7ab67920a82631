"""The inbox over HTTP: its owner reads and empties it, nobody else learns anything."""

from __future__ import annotations

import rdflib

from pod.access.agent import SYSTEM
from pod.model.resource import ResourcePath
from pod.write import PutDocument
from tests.kit.solid_host import Host, graph_of, told

LDP = rdflib.Namespace("http://www.w3.org/ns/ldp#")
NAME = "3mtcccccccc2c"
BODY = b'{"@context":"https://www.w3.org/ns/activitystreams","type":"Note"}'


async def arrive(host: Host) -> None:
    path = ResourcePath(f"/inbox/{NAME}")
    note = PutDocument(path, "application/activity+json", BODY)
    await host.pod.write.apply(SYSTEM, host.alice.id, [note])


def test_the_owner_reads_what_arrived_as_a_container_and_byte_for_byte() -> None:
    async def story(host: Host) -> None:
        empty = await host.ask("GET", "/inbox/")
        assert empty.status_code == 200
        await arrive(host)
        listing = await graph_of(await host.ask("GET", "/inbox/"))
        assert (None, LDP.contains, rdflib.URIRef(host.url(f"/inbox/{NAME}"))) in listing
        item = await host.ask("GET", f"/inbox/{NAME}")
        assert item.status_code == 200
        assert item.headers["Content-Type"] == "application/activity+json"
        assert await item.get_data() == BODY

    told(story)


def test_the_owner_throws_a_notification_away() -> None:
    async def story(host: Host) -> None:
        await arrive(host)
        assert (await host.ask("DELETE", f"/inbox/{NAME}")).status_code == 205
        assert (await host.ask("GET", f"/inbox/{NAME}")).status_code == 404
        assert (await host.ask("DELETE", "/inbox/3mtcccccccc3c")).status_code == 404

    told(story)


def test_others_learn_nothing_of_it() -> None:
    async def story(host: Host) -> None:
        await arrive(host)
        for path in ("/inbox/", f"/inbox/{NAME}", "/inbox/nothing"):
            assert (await host.ask("GET", path, as_=None)).status_code == 401
            assert (await host.ask("GET", path, as_="bob")).status_code == 403
            assert (await host.ask("DELETE", path, as_="bob")).status_code in (403, 405)

    told(story)
