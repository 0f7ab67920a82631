"""What is told over a channel, to whom, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import rdflib

from adapters.solid.notify.feed import PAGE
from tests.kit.listening import SOCKET, STREAM, Listener, socket, streaming, subscribe
from tests.kit.whole import JSON_LD, TURTLE, Person, Whole, open_whole

Story = Callable[[Whole, Person, Person], Awaitable[None]]
DOC = "/data/notes/today.ttl"
OPEN = """@prefix acl: <http://www.w3.org/ns/auth/acl#>.
<#all> a acl:Authorization; acl:agentClass <http://xmlns.com/foaf/0.1/Agent>; acl:mode acl:Read;
  acl:accessTo <{topic}>; acl:default <{topic}>.
<#own> a acl:Authorization; acl:agent <{owner}>; acl:mode acl:Read, acl:Write, acl:Control;
  acl:accessTo <{topic}>; acl:default <{topic}>."""


def play(folder: Path, story: Story) -> None:
    """Run a story in a house with alice and bob."""

    async def run() -> None:
        async with open_whole(folder) as whole:
            await story(whole, await whole.join("alice"), await whole.join("bob"))

    asyncio.run(run())


async def put(whole: Whole, person: Person, path: str, body: str = "<> a <urn:x>.") -> str:
    """Write a document; the entity tag of what is there now."""
    url = person.member.url(path)
    reply = await whole.ask("PUT", url, body, as_=person, content_type=TURTLE)
    assert reply.status in (201, 204), reply.body
    return reply.headers.get("etag", "")


async def delete(whole: Whole, person: Person, path: str) -> None:
    reply = await whole.ask("DELETE", person.member.url(path), as_=person)
    assert reply.status == 205, reply.body


async def open_to_all(whole: Whole, person: Person, container: str) -> None:
    """Let everybody read a container and all in it."""
    member = person.member
    rules = OPEN.format(topic=member.url(container), owner=member.webid)
    await put(whole, person, f"{container}.acl", rules)


async def opened(whole: Whole, alice: Person, topic: str, **more: Any) -> str:
    """The URL to receive from of a new channel of alice."""
    reply = await subscribe(whole, alice.member, topic, as_=alice, **more)
    assert reply.status == 200, reply.body
    url: str = reply.json["receiveFrom"]
    return url


def test_a_document_tells_when_it_is_created_changed_and_deleted(tmp_path: Path) -> None:
    async def story(whole: Whole, alice: Person, _: Person) -> None:
        async with socket(whole, await opened(whole, alice, DOC)) as listener:
            first = await put(whole, alice, DOC)
            second = await put(whole, alice, DOC, "<> a <urn:y>.")
            await delete(whole, alice, DOC)
            created, updated, deleted = [await listener.message() for _ in range(3)]
            assert (created["type"], updated["type"], deleted["type"]) == (
                "Create",
                "Update",
                "Delete",
            )
            assert created["object"] == alice.member.url(DOC)
            assert "target" not in created
            assert "state" not in deleted
            assert first != second

    play(tmp_path, story)


def test_a_message_has_what_the_data_model_demands(tmp_path: Path) -> None:
    """notification-sender-notification-message-data-model"""

    async def story(whole: Whole, alice: Person, _: Person) -> None:
        async with socket(whole, await opened(whole, alice, DOC)) as listener:
            tag = await put(whole, alice, DOC)
            message = await listener.message()
            assert message["@context"] == [
                "https://www.w3.org/ns/activitystreams",
                "https://www.w3.org/ns/solid/notification/v1",
            ]
            assert message["id"].startswith("urn:uuid:")
            assert message["state"] == tag
            assert datetime.fromisoformat(message["published"]).tzinfo is not None

    play(tmp_path, story)


def test_a_container_tells_what_it_gains_and_loses_also_those_in_between(tmp_path: Path) -> None:
    async def story(whole: Whole, alice: Person, _: Person) -> None:
        member = alice.member
        root, notes = "/data/", "/data/notes/"
        await put(whole, alice, "/data/first.ttl")
        async with (
            socket(whole, await opened(whole, alice, root)) as at_root,
            socket(whole, await opened(whole, alice, notes)) as at_notes,
        ):
            await put(whole, alice, DOC)
            added = await at_root.message()
            assert (added["type"], added["object"], added["target"]) == (
                "Add",
                member.url(notes),
                member.url(root),
            )
            assert await at_notes.kinds(2) == ["Create", "Add"]
            await put(whole, alice, DOC, "<> a <urn:y>.")
            await delete(whole, alice, DOC)
            assert await at_root.is_quiet()
            removed = await at_notes.message()
            assert (removed["type"], removed["object"]) == ("Remove", member.url(DOC))
            listing = await whole.ask("GET", member.url(notes), as_=alice, accept=TURTLE)
            assert removed["state"] == listing.headers["etag"]

    play(tmp_path, story)


def test_records_and_their_collections_tell(tmp_path: Path) -> None:
    async def story(whole: Whole, alice: Person, _: Person) -> None:
        member = alice.member
        post = {"text": "Hello", "createdAt": "2026-01-01T00:00:00Z"}
        path, collection = alice.path("3mtcccccccc2c"), "/repo/app.bsky.feed.post/"
        async with (
            socket(whole, await opened(whole, alice, path)) as at_post,
            socket(whole, await opened(whole, alice, collection)) as at_posts,
            socket(whole, await opened(whole, alice, "/repo/")) as at_repo,
        ):
            for key in ("3mtcccccccc2c", "3mtcccccccc3c"):
                assert (await whole.put_record(alice, key, post)).status == 200
            await whole.put_record(alice, "3mtcccccccc2c", post | {"text": "Bye"})
            for key in ("3mtcccccccc2c", "3mtcccccccc3c"):
                await whole.delete_record(alice, key)
            assert await at_post.kinds(3) == ["Create", "Update", "Delete"]
            assert await at_posts.kinds(4) == ["Add", "Add", "Remove", "Remove"]
            begun, ended = await at_repo.message(), await at_repo.message()
            assert (begun["type"], ended["type"]) == ("Add", "Remove")
            assert begun["object"] == member.url(collection)
            assert await at_repo.is_quiet()

    play(tmp_path, story)


def test_a_collection_that_came_and_went_long_ago_began_once_and_ended_once(tmp_path: Path) -> None:
    async def story(whole: Whole, alice: Person, _: Person) -> None:
        post = {"text": "Hello", "createdAt": "2026-01-01T00:00:00Z"}
        url = await opened(whole, alice, "/repo/")
        # More than one page of the log.
        for number in range(PAGE):
            await whole.put_record(alice, "3mtcccccccc2c", post | {"text": str(number)})
        await whole.put_record(alice, "3mtcccccccc3c", post)
        for key in ("3mtcccccccc2c", "3mtcccccccc3c"):
            await whole.delete_record(alice, key)
        async with socket(whole, url) as listener:
            assert await listener.kinds(2) == ["Add", "Remove"]
            assert await listener.is_quiet()

    play(tmp_path, story)


def test_the_webid_tells_when_the_profile_changes(tmp_path: Path) -> None:
    async def story(whole: Whole, alice: Person, _: Person) -> None:
        async with socket(whole, await opened(whole, alice, "/me")) as listener:
            await whole.put_record(
                alice, "self", {"displayName": "Alice"}, "app.bsky.actor.profile"
            )
            message = await listener.message()
            assert (message["type"], message["object"]) == ("Update", alice.member.webid)

    play(tmp_path, story)


def test_an_access_list_tells_its_owner_when_it_changes(tmp_path: Path) -> None:
    async def story(whole: Whole, alice: Person, _: Person) -> None:
        acl = "/data/notes/.acl"
        await put(whole, alice, DOC)
        async with (
            socket(whole, await opened(whole, alice, acl)) as listener,
            socket(whole, await opened(whole, alice, "/data/notes/")) as container,
        ):
            await open_to_all(whole, alice, "/data/notes/")
            assert await listener.kinds(1) == ["Create"]
            assert await container.is_quiet()

    play(tmp_path, story)


def test_who_may_not_read_gets_no_channel(tmp_path: Path) -> None:
    async def story(whole: Whole, alice: Person, bob: Person) -> None:
        await put(whole, alice, DOC)
        assert (await subscribe(whole, alice.member, DOC, as_=bob)).status == 403
        assert (await subscribe(whole, alice.member, DOC, as_=None)).status == 401
        await open_to_all(whole, alice, "/data/")
        assert (await subscribe(whole, alice.member, DOC, as_=bob)).status == 200
        assert (await subscribe(whole, alice.member, DOC, as_=None)).status == 200
        assert (await subscribe(whole, alice.member, f"{DOC}.acl", as_=bob)).status == 403

    play(tmp_path, story)


def test_who_loses_access_is_told_nothing_more(tmp_path: Path) -> None:
    async def story(whole: Whole, alice: Person, bob: Person) -> None:
        acl = "/data/notes/.acl"
        await put(whole, alice, DOC)
        await open_to_all(whole, alice, "/data/notes/")
        reply = await subscribe(whole, alice.member, DOC, as_=bob)
        async with socket(whole, reply.json["receiveFrom"]) as listener:
            await put(whole, alice, DOC, "<> a <urn:y>.")
            assert await listener.kinds(1) == ["Update"]
            await delete(whole, alice, acl)
            assert await listener.next() == {"type": "websocket.close", "code": 1008}
            await put(whole, alice, DOC, "<> a <urn:secret>.")
            assert await listener.is_quiet()
        shown = await whole.ask("GET", reply.json["id"], as_=bob)
        assert shown.status == 404
        assert (await whole.connect(reply.json["receiveFrom"].partition("2583")[2]))[0] == {
            "type": "websocket.close",
            "code": 1008,
        }

    play(tmp_path, story)


def test_a_socket_that_comes_back_is_told_what_it_missed(tmp_path: Path) -> None:
    async def story(whole: Whole, alice: Person, _: Person) -> None:
        url = await opened(whole, alice, DOC)
        await put(whole, alice, DOC)
        async with socket(whole, url) as listener:
            created = await listener.message()
        await put(whole, alice, DOC, "<> a <urn:y>.")
        async with socket(whole, url) as listener:
            # It may not have got what it was sent just before it left.
            again, updated = await listener.message(), await listener.message()
            assert again["id"] == created["id"]
            assert updated["type"] == "Update"

    play(tmp_path, story)


def test_channels_outlive_a_restart(tmp_path: Path) -> None:
    async def run() -> None:
        async with open_whole(tmp_path) as whole:
            alice = await whole.join("alice")
            url = await opened(whole, alice, DOC)
            await put(whole, alice, DOC)
        async with open_whole(tmp_path) as whole, socket(whole, url) as listener:
            assert await listener.kinds(1) == ["Create"]

    asyncio.run(run())


def test_the_stop_of_the_server_closes_every_socket(tmp_path: Path) -> None:
    async def story(whole: Whole, alice: Person, _: Person) -> None:
        async with socket(whole, await opened(whole, alice, DOC)) as listener:
            whole.door.end_streams()
            assert await listener.next() == {"type": "websocket.close", "code": 1001}

    play(tmp_path, story)


@pytest.mark.parametrize("is_known", [True, False])
def test_a_state_that_is_no_longer_so_is_answered_at_once(tmp_path: Path, is_known: bool) -> None:
    async def story(whole: Whole, alice: Person, _: Person) -> None:
        first = await put(whole, alice, DOC)
        second = await put(whole, alice, DOC, "<> a <urn:y>.")
        url = await opened(whole, alice, DOC, state=second if is_known else first)
        async with socket(whole, url) as listener:
            if is_known:
                assert await listener.is_quiet()
            else:
                message = await listener.message()
                assert (message["type"], message["state"]) == ("Update", second)

    play(tmp_path, story)


def test_a_rate_keeps_messages_apart_and_loses_the_last_state_of_nothing(tmp_path: Path) -> None:
    async def story(whole: Whole, alice: Person, _: Person) -> None:
        async with socket(whole, await opened(whole, alice, DOC, rate="PT0.4S")) as listener:
            begun = asyncio.get_running_loop().time()
            last = ""
            for number in range(20):
                last = await put(whole, alice, DOC, f"<> a <urn:x{number}>.")
            told = [await listener.message()]
            while told[-1].get("state") != last:
                told.append(await listener.message())
            taken = asyncio.get_running_loop().time() - begun
            assert len(told) <= 1 + taken / 0.4
            assert await listener.is_quiet()

    play(tmp_path, story)


def test_nothing_is_told_before_the_start_and_the_end_closes(tmp_path: Path) -> None:
    async def story(whole: Whole, alice: Person, _: Person) -> None:
        now = datetime.now(UTC)
        start, end = now + timedelta(seconds=0.5), now + timedelta(seconds=1.2)
        times = {"startAt": start.isoformat(), "endAt": end.isoformat()}
        async with socket(whole, await opened(whole, alice, DOC, **times)) as listener:
            await put(whole, alice, DOC)
            await asyncio.sleep((start - datetime.now(UTC)).total_seconds() + 0.05)
            await put(whole, alice, DOC, "<> a <urn:y>.")
            assert await listener.kinds(1) == ["Update"]
            assert await listener.next() == {"type": "websocket.close", "code": 1000}

    play(tmp_path, story)


def test_messages_come_in_the_media_type_that_is_accepted(tmp_path: Path) -> None:
    async def story(whole: Whole, alice: Person, _: Person) -> None:
        async with socket(whole, await opened(whole, alice, DOC, accept=TURTLE)) as listener:
            await put(whole, alice, DOC)
            graph = rdflib.Graph().parse(data=(await listener.next())["text"], format="turtle")
            about = rdflib.URIRef(alice.member.url(DOC))
            activity = graph.value(None, rdflib.URIRef(AS + "object"), about)
            assert (activity, rdflib.RDF.type, rdflib.URIRef(AS + "Create")) in graph

    play(tmp_path, story)


AS = "https://www.w3.org/ns/activitystreams#"


async def _chunk(listener: Listener) -> Any:
    return (await listener.next())["body"]


def test_a_stream_begins_with_the_state_and_goes_on_with_changes(tmp_path: Path) -> None:
    async def story(whole: Whole, alice: Person, bob: Person) -> None:
        await put(whole, alice, DOC)
        shown = await whole.ask("HEAD", alice.member.url(DOC), as_=alice)
        links = dict(part[1:].split(">; rel=")[::-1] for part in shown.headers["link"].split(", "))
        url = links['"http://www.w3.org/ns/solid/terms#updatesViaStreamingHttp2023"']
        assert (await whole.ask("GET", url)).status == 401
        assert (await whole.ask("GET", url, as_=bob)).status == 403
        async with streaming(whole, url, as_=alice) as listener:
            start = await listener.next()
            assert start["status"] == 200
            assert (b"content-type", TURTLE.encode()) in start["headers"]
            assert b"as:Update" in await _chunk(listener)
            await delete(whole, alice, DOC)
            assert b"as:Delete" in await _chunk(listener)

    play(tmp_path, story)


def test_a_streaming_channel_is_received_over_http(tmp_path: Path) -> None:
    async def story(whole: Whole, alice: Person, _: Person) -> None:
        url = await opened(whole, alice, DOC, kind=STREAM)
        await put(whole, alice, DOC)
        async with streaming(whole, url) as listener:
            start = await listener.next()
            assert (b"content-type", JSON_LD.encode()) in start["headers"]
            assert b'"Create"' in await _chunk(listener)

    play(tmp_path, story)


def test_whoever_connects_again_takes_the_place_of_the_first(tmp_path: Path) -> None:
    async def story(whole: Whole, alice: Person, _: Person) -> None:
        url = await opened(whole, alice, DOC, kind=SOCKET)
        async with socket(whole, url) as first, socket(whole, url) as second:
            assert await first.next() == {"type": "websocket.close", "code": 1008}
            await put(whole, alice, DOC)
            assert await second.kinds(1) == ["Create"]

    play(tmp_path, story)
