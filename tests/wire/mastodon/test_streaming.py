"""Streams of home and notifications, as WebSocket and as events: what is told, and to whom."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.kit.listening import Listener, socket, streaming
from tests.kit.neighbour import neighbour
from tests.kit.phone import Phone, phone_of
from tests.kit.whole import SERVER, Town

STREAMING = f"{SERVER}/api/v1/streaming"


class Ear:
    """A stream that is open, whichever way: events with what they carry."""

    def __init__(self, listener: Listener, *, is_socket: bool) -> None:
        self.listener, self.is_socket, self.waiting = listener, is_socket, ""

    async def next(self) -> tuple[str, Any]:
        """The next event."""
        if self.is_socket:
            told = await self.listener.message()
            return told["event"], _payload(told["payload"])
        while "\n\n" not in self.waiting:
            self.waiting += (await self.listener.next()).get("body", b"").decode()
        block, _, self.waiting = self.waiting.partition("\n\n")
        if block.startswith(":"):
            return await self.next()
        lines = dict(line.split(": ", 1) for line in block.splitlines())
        return lines["event"], _payload(lines["data"])

    async def is_quiet(self) -> bool:
        return await self.listener.is_quiet() and not self.waiting


def _payload(text: str) -> Any:
    told = json.loads(text)
    return text if isinstance(told, int) else told


@asynccontextmanager
async def listening(phone: Phone, way: str, stream: str) -> AsyncIterator[Ear]:
    """An app that listens."""
    if way == "socket":
        url = f"ws://{STREAMING}?access_token={phone.token}&stream={stream}"
        async with socket(phone.whole, url) as listener:
            yield Ear(listener, is_socket=True)
    else:
        path = f"http://{STREAMING}/{stream.replace(':', '/')}?access_token={phone.token}"
        async with streaming(phone.whole, path) as listener:
            start = await listener.next()
            assert start["status"] == 200
            assert (b"content-type", b"text/event-stream") in [
                (name.lower(), value.split(b";")[0]) for name, value in start["headers"]
            ]
            assert (await listener.next())["body"] == b":)\n\n"
            yield Ear(listener, is_socket=False)


@pytest.mark.parametrize("way", ["socket", "events"])
def test_a_stream_tells_of_posts_edits_and_ends_to_whom_they_are_for(
    pod: Town, ann: Phone, ben: Phone, way: str
) -> None:
    async def story() -> None:
        async with listening(ann, way, "user") as mine, listening(ben, way, "user") as theirs:
            made = await ann.post("/api/v1/statuses", {"status": "live"})
            event, payload = await mine.next()
            assert (event, payload["id"], payload["content"]) == (
                "update",
                made["id"],
                "<p>live</p>",
            )
            await ann.post(f"/api/v1/statuses/{made['id']}", {"status": "changed"}, "PUT")
            event, payload = await mine.next()
            assert (event, payload["id"]) == ("status.update", made["id"])
            assert payload["content"] == "<p>changed</p>"
            assert payload["edited_at"] is not None
            await ann.post(f"/api/v1/statuses/{made['id']}", method="DELETE")
            assert await mine.next() == ("delete", made["id"])
            assert await theirs.is_quiet()

    pod.run(story())


@pytest.mark.parametrize("way", ["socket", "events"])
def test_a_stream_of_notifications_tells_nothing_else(
    pod: Town, ann: Phone, ben: Phone, way: str
) -> None:
    async def story() -> None:
        async with listening(ann, way, "user:notification") as ear:
            made = await ann.post("/api/v1/statuses", {"status": f"tell me by {way}"})
            await ben.post(f"/api/v1/statuses/{made['id']}/favourite")
            event, payload = await ear.next()
            assert (event, payload["type"]) == ("notification", "favourite")
            assert payload["status"]["id"] == made["id"]
            assert payload["account"]["username"] == "ben"
            await ann.post(f"/api/v1/statuses/{made['id']}", method="DELETE")
            assert await ear.is_quiet()

    pod.run(story())


@pytest.mark.parametrize("way", ["socket", "events"])
def test_a_stream_tells_of_what_comes_from_elsewhere(pod: Town, ann: Phone, way: str) -> None:
    async def story() -> None:
        bob = await neighbour(pod.whole, f"bob-{way}")
        me = await ann.get("/api/v1/accounts/verify_credentials")
        await bob.befriend(ann)
        async with listening(ann, way, "user") as ear:
            note = await bob.say(1, "<p>from afar</p>")
            event, payload = await ear.next()
            assert (event, payload["uri"]) == ("update", note["id"])
            changed = {**note, "content": "<p>from near</p>", "updated": "2027-01-01T00:00:00Z"}
            await bob.tell("Update", changed)
            event, payload = await ear.next()
            assert (event, payload["content"]) == ("status.update", "<p>from near</p>")
            await bob.tell("Delete", note["id"])
            assert await ear.next() == ("delete", payload["id"])
            await bob.tell("Follow", me["uri"])
            event, payload = await ear.next()
            assert (event, payload["type"]) == ("notification", "follow")

    pod.run(story())


def test_an_app_subscribes_and_leaves_streams_on_one_socket(
    pod: Town, ann: Phone, ben: Phone
) -> None:
    async def story() -> None:
        url = f"ws://{STREAMING}?access_token={ann.token}"
        async with socket(pod.whole, url) as listener:
            ear = Ear(listener, is_socket=True)
            first = await ann.post("/api/v1/statuses", {"status": "to nobody"})
            assert await ear.is_quiet()
            listener.say({"type": "subscribe", "stream": "user"})
            assert await ear.is_quiet()
            await ann.post(f"/api/v1/statuses/{first['id']}", method="DELETE")
            assert await ear.next() == ("delete", first["id"])
            listener.say({"type": "unsubscribe", "stream": "user"})
            listener.say({"type": "subscribe", "stream": "user:notification"})
            assert await ear.is_quiet()
            made = await ann.post("/api/v1/statuses", {"status": "both"})
            await ben.post(f"/api/v1/statuses/{made['id']}/favourite")
            assert (await ear.next())[0] == "notification"
            assert await ear.is_quiet()

    pod.run(story())


def test_a_stream_without_a_good_token_is_refused(pod: Town) -> None:
    async def story() -> None:
        told = await pod.whole.connect("/api/v1/streaming?access_token=acc-nothing&stream=user")
        assert told[0]["type"] in ("websocket.close", "websocket.http.response.start")
        assert told[0].get("status", 401) == 401
        for path in ("user", "user/notification"):
            reply = await pod.whole.send("GET", f"/api/v1/streaming/{path}")
            assert (reply.status, reply.json) == (401, {"error": "The access token is invalid"})

    pod.run(story())


def test_a_stream_needs_the_scope_of_what_it_tells(pod: Town) -> None:
    async def story() -> None:
        phone = await phone_of(pod.whole, await pod.whole.join("narrow"), "read:accounts")
        reply = await pod.whole.send("GET", f"/api/v1/streaming/user?access_token={phone.token}")
        assert reply.status == 403

    pod.run(story())


@pytest.mark.parametrize("way", ["socket", "events"])
def test_a_token_hears_only_what_its_scopes_allow_it_to_read(pod: Town, way: str) -> None:
    async def story() -> None:
        name = f"shy{way}"
        person = await pod.whole.join(name)
        full = await phone_of(pod.whole, person)
        shy = await phone_of(pod.whole, person, "read:statuses")
        other = await phone_of(pod.whole, await pod.whole.join(f"fan{way}"))
        me = await full.get("/api/v1/accounts/verify_credentials")
        async with listening(shy, way, "user") as ear:
            await other.post(f"/api/v1/accounts/{me['id']}/follow")
            await full.get("/api/v1/notifications")
            await full.post("/api/v1/statuses", {"status": "for all"})
            assert (await ear.next())[0] == "update"
            assert await ear.is_quiet()

    pod.run(story())
