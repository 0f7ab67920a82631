"""A member's own ActivityPub client: it reads the inbox, asks by the proxy, and uploads."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.kit.whole import AS2, Person, Town
from tests.wire.mastodon.test_people import multipart, png


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    town = Town(tmp_path_factory.mktemp("clients"))
    yield town
    town.close()


def test_the_inbox_is_a_collection_for_its_owner_alone(
    town: Town, people: tuple[Person, Person]
) -> None:
    async def story() -> None:
        alice, bob = people
        url = f"{alice.member.origin}/inbox/"
        reply = await town.whole.ask("GET", url, as_=alice, accept=AS2)
        assert reply.status == 200, reply.body
        assert reply.json["type"] == "OrderedCollection"
        first = await town.whole.ask("GET", reply.json["first"], as_=alice, accept=AS2)
        assert first.json["orderedItems"] == []
        assert (await town.whole.ask("GET", url, as_=bob, accept=AS2)).status == 403
        assert (await town.whole.ask("GET", url, accept=AS2)).status == 401

    town.run(story())


def test_the_actor_says_where_its_clients_go(town: Town, people: tuple[Person, Person]) -> None:
    async def story() -> None:
        alice, bob = people
        actor = (await town.whole.ask("GET", alice.member.webid, accept=AS2)).json
        proxy, upload = actor["endpoints"]["proxyUrl"], actor["endpoints"]["uploadMedia"]
        form = "application/x-www-form-urlencoded"
        for person, status in ((None, 401), (bob, 403), (alice, 400)):
            reply = await town.whole.ask("POST", proxy, "id=", as_=person, content_type=form)
            assert reply.status == status
        note = {"type": "Image", "name": "dark", "content": "<p>See</p>"}
        body, kind = multipart({"file": png(), "object": json.dumps(note).encode()})
        assert (await town.whole.ask("POST", upload, body, content_type=kind)).status == 401
        reply = await town.whole.ask("POST", upload, body, as_=alice, content_type=kind)
        assert reply.status == 201, reply.body
        made = (await town.whole.ask("GET", reply.headers["location"], accept=AS2)).json
        assert made["content"] == "<p>See</p>"
        assert made["attachment"][0]["name"] == "dark"
        narrow = json.dumps({**note, "to": [bob.member.webid]}).encode()
        body, kind = multipart({"file": png(), "object": narrow})
        reply = await town.whole.ask("POST", upload, body, as_=alice, content_type=kind)
        assert "/notes/" in reply.headers["location"]
        assert (await town.whole.ask("GET", reply.headers["location"], accept=AS2)).status == 404

    town.run(story())
