"""Streams of home and notifications: a WebSocket, and server-sent events.

Spec: https://docs.joinmastodon.org/methods/streaming/
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import orjson
from quart import Blueprint, Response, request, websocket

from adapters.activitypub.mastodon.entities import Entities
from adapters.activitypub.mastodon.frame import CORS, Frame, error, token_in
from adapters.activitypub.mastodon.ports import Live, News
from pod.errors import Forbidden, Invalid, PodError, Unauthenticated
from pod.model.ids import Iri
from pod.model.member import Member

_SCOPES: Final = {"user": "read:statuses", "user:notification": "read:notifications"}
STREAMS: Final = tuple(_SCOPES)
OTHERS: Final = (
    "public",
    "public:local",
    "public:remote",
    "public:media",
    "direct",
    "hashtag",
    "list",
)
"""Streams that apps may ask for, and that never say anything here."""

BEAT_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Streaming:
    """The endpoints that stay open."""

    entities: Entities
    live: Live

    def add(self, blueprint: Blueprint, frame: Frame) -> None:
        """All routes."""

        @blueprint.get("/api/v1/streaming/health")
        async def health() -> Response:
            return Response("OK", 200, CORS, content_type="text/plain")

        @blueprint.get("/api/v1/streaming/user")
        @blueprint.get("/api/v1/streaming/user/notification")
        async def events() -> Response:
            stream = "user" if request.path.endswith("/user") else "user:notification"
            token = token_in(request.headers) or request.args.get("access_token")
            try:
                member = _who(frame, token, _SCOPES[stream])
            except PodError as err:
                response = error(err)
                response.headers.update(CORS)
                return response
            headers = {**CORS, "Cache-Control": "private, no-store", "X-Accel-Buffering": "no"}
            hears = _hears(frame, token)
            made = Response(self._events(member, stream, hears), 200, headers)
            made.content_type = "text/event-stream"
            made.timeout = None
            return made

        @blueprint.websocket("/api/v1/streaming")
        @blueprint.websocket("/api/v1/streaming/")
        async def socket() -> None:
            offered = websocket.requested_subprotocols
            told = websocket.args.get("access_token") or token_in(websocket.headers)
            token = told or (offered[0] if offered else None)
            hears = _hears(frame, token)
            member = _who(frame, token, next(iter(hears), _SCOPES["user"]))
            await websocket.accept(subprotocol=offered[0] if offered else None)
            asked = websocket.args.get("stream")
            wanted = {asked} if asked else set()
            listening = asyncio.ensure_future(self._listen(wanted))
            telling = asyncio.ensure_future(self._tell(member, wanted, hears))
            _, pending = await asyncio.wait(
                (listening, telling), return_when=asyncio.FIRST_COMPLETED
            )
            for task in pending:
                task.cancel()
            await asyncio.gather(listening, telling, return_exceptions=True)

    async def _listen(self, wanted: set[str]) -> None:
        """Take what the app subscribes to while it is connected."""
        while True:
            told = _message(await websocket.receive())
            stream = str(told.get("stream", ""))
            if told.get("type") == "unsubscribe":
                wanted.discard(stream)
            elif stream in STREAMS + OTHERS:
                wanted.add(stream)
            else:
                await websocket.send(orjson.dumps({"error": "Unknown stream type"}).decode())

    async def _tell(self, member: Member, wanted: set[str], hears: frozenset[str]) -> None:
        with self.live.listening(member.id) as news:
            while (told := await news.get()) is not None:
                for stream in STREAMS:
                    if stream not in wanted or not _belongs(told, stream, hears):
                        continue
                    payload = await self._payload(told, member)
                    if payload is not None:
                        message = {"stream": [stream], "event": told.event, "payload": payload}
                        await websocket.send(orjson.dumps(message).decode())

    async def _events(
        self, member: Member, stream: str, hears: frozenset[str]
    ) -> AsyncIterator[bytes]:
        yield b":)\n\n"
        with self.live.listening(member.id) as news:
            while True:
                try:
                    told = await asyncio.wait_for(news.get(), BEAT_S)
                except TimeoutError:
                    yield b":thump\n\n"
                    continue
                if told is None:
                    return
                is_told = _belongs(told, stream, hears)
                payload = await self._payload(told, member) if is_told else None
                if payload is not None:
                    yield f"event: {told.event}\ndata: {payload}\n\n".encode()

    async def _payload(self, news: News, member: Member) -> str | None:
        """What is told of an event: an entity as JSON in a text, or the id of what is gone."""
        library = self.entities.library
        if news.event == "delete":
            number = library.timelines.id_of(news.iri)
            return None if number is None else str(number)
        if news.notice is not None:
            shown = await self.entities.notification(news.notice, member)
        else:
            found = await self.entities.statuses([Iri(news.iri)], member)
            shown = found[0] if found else None
        return None if shown is None else orjson.dumps(shown).decode()


def _belongs(news: News, stream: str, hears: frozenset[str]) -> bool:
    """Whether an event is told on a stream to a token of these scopes."""
    if news.event == "notification":
        return _SCOPES["user:notification"] in hears
    return stream == "user" and _SCOPES["user"] in hears


def _hears(frame: Frame, token: str | None) -> frozenset[str]:
    """Which scopes of streams a token is good for."""
    found = set()
    for scope in _SCOPES.values():
        with suppress(Forbidden):
            _who(frame, token, scope)
            found.add(scope)
    return frozenset(found)


def _who(frame: Frame, token: str | None, scope: str) -> Member:
    member = frame.who(token or "", scope)
    if member is None:
        raise Unauthenticated("The access token is invalid")
    return member


def _message(text: str | bytes) -> dict[str, Any]:
    try:
        told = orjson.loads(text)
    except orjson.JSONDecodeError as err:
        raise Invalid("The message is not JSON") from err
    return told if isinstance(told, dict) else {}
