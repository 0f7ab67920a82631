"""The whole house behind its front door: raw ASGI, a Host header per member, no sockets."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlencode, urlsplit

from pod.model.ids import Origin
from pod.model.member import Member
from pod.model.resource import Resource, ResourcePath
from pod.settings import Hashing, ServiceDomain, Settings
from server.hosts import FrontDoor, Rooms
from server.wire import House, open_house
from storage.delivery_queue import SqlDeliveryQueue
from storage.timelines import SqlTimelines

T = TypeVar("T")

SERVER = "localhost:2583"
PASSWORD = "correct horse"
AS2 = "application/activity+json"
TURTLE = "text/turtle"
JSON_LD = "application/ld+json"
POST = "app.bsky.feed.post"
DERIVED = (
    "cursor", "usage", "delivery", "peer_host", "introduced", "listing", "account_word", "short_id",
    "remote_actor",
)  # fmt: skip
"""Caches, and tables that say how far readers of the log and the sender are: no acts of anybody."""
ERRANDS = "outgoing WHERE activity NOT LIKE '%#crossing'"
"""What is queued for others; what the pod only reminds itself of goes when it is done."""


@dataclass(frozen=True)
class Reply:
    """What the house answered; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Person:
    """A member with a session."""

    member: Member
    access: str

    def path(self, key: str, collection: str = POST) -> str:
        """Path of a record."""
        return f"/repo/{collection}/{key}"


class Whole:
    """An open house, and everybody's client to it."""

    def __init__(self, house: House, door: FrontDoor) -> None:
        self.house = house
        self.door = door
        self.store = house.store

    async def send(
        self,
        method: str,
        target: str | bytes,
        body: bytes | str = b"",
        *,
        host: str = SERVER,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        pieces: int = 1,
        goes_after: int | None = None,
    ) -> Reply:
        """One request; ``target`` is the path and query as they stand in the request line.

        The body comes in ``pieces``; a client that ``goes_after`` so many of them is seen to go,
        and has no reply (status 0).
        """
        raw = target if isinstance(target, bytes) else target.encode()
        path, _, query = raw.partition(b"?")
        data = body.encode() if isinstance(body, str) else body
        sent = {"host": host, **(headers or {})}
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        if data:
            sent.setdefault("content-length", str(len(data)))
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path.decode("latin-1")),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in sent.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2583),
            "extensions": {},
        }
        step = max(1, -(-len(data) // pieces))
        parts = [data[at : at + step] for at in range(0, len(data), step)] or [b""]
        coming = [
            {"type": "http.request", "body": part, "more_body": number < len(parts)}
            for number, part in enumerate(parts, 1)
        ]
        told: list[Any] = []

        if goes_after is not None:
            coming[goes_after:] = [{"type": "http.disconnect"}]

        async def receive() -> Any:
            return coming.pop(0) if coming else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            told.append(message)

        await self.door(scope, receive, send)
        if goes_after is not None:
            return Reply(0, {}, b"")
        start = told[0]
        names = {k.decode().lower(): v.decode("latin-1") for k, v in start["headers"]}
        return Reply(start["status"], names, b"".join(m.get("body", b"") for m in told[1:]))

    async def connect(self, target: str, *, host: str = SERVER) -> list[Any]:
        """Open a WebSocket, wait for an answer and go: what the house sent."""
        path, _, query = target.partition("?")
        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "scheme": "ws",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(b"host", host.encode())],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2583),
            "subprotocols": [],
            "extensions": {"websocket.http.response": {}},
        }
        coming = [{"type": "websocket.connect"}]
        told: list[Any] = []
        answered = asyncio.Event()

        async def receive() -> Any:
            if coming:
                return coming.pop()
            await answered.wait()
            return {"type": "websocket.disconnect", "code": 1001}

        async def send(message: Any) -> None:
            told.append(message)
            answered.set()

        await asyncio.wait_for(self.door(scope, receive, send), 5)
        return told

    async def ask(
        self,
        method: str,
        url: str,
        body: bytes | str = b"",
        *,
        as_: Person | None = None,
        **headers: str,
    ) -> Reply:
        """One request to an absolute URL; ``if_match="x"`` names a header."""
        parts = urlsplit(url)
        named = {name.strip("_").replace("_", "-"): value for name, value in headers.items()}
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        token = as_.access if as_ is not None else None
        return await self.send(method, target, body, host=parts.netloc, token=token, headers=named)

    async def query(self, nsid: str, *, as_: Person | None = None, **params: Any) -> Reply:
        """Ask an XRPC query of the server's own origin."""
        token = as_.access if as_ is not None else None
        return await self.send("GET", f"/xrpc/{nsid}?{urlencode(params, doseq=True)}", token=token)

    async def call(self, nsid: str, given: Any, *, as_: Person | None = None) -> Reply:
        """Call an XRPC procedure with a JSON body."""
        return await self.send(
            "POST",
            f"/xrpc/{nsid}",
            json.dumps(given),
            token=as_.access if as_ is not None else None,
            headers={"content-type": "application/json"},
        )

    async def join(self, name: str) -> Person:
        """Sign somebody up."""
        given = {"handle": f"{name}.test", "email": f"{name}@mail.example", "password": PASSWORD}
        reply = await self.call("com.atproto.server.createAccount", given)
        assert reply.status == 200, reply.body
        member = self.store.member_by_did(reply.json["did"])
        assert member is not None
        return Person(member, reply.json["accessJwt"])

    async def make_keys(self, person: Person) -> None:
        """Have the keys made that are made when somebody first asks for them."""
        for url in (f"{self.house.settings.origin}/actor", person.member.webid):
            assert (await self.ask("GET", url, accept=AS2)).status == 200

    async def put_record(
        self, person: Person, key: str, record: dict[str, Any], collection: str = POST, **more: Any
    ) -> Reply:
        """putRecord; ``swapRecord=cid`` is an expectation."""
        given = {"repo": person.member.did, "collection": collection, "rkey": key}
        record = {"$type": collection, **record}
        given |= {"record": record, **more}
        return await self.call("com.atproto.repo.putRecord", given, as_=person)

    async def delete_record(self, person: Person, key: str, collection: str = POST) -> Reply:
        """deleteRecord."""
        given = {"repo": person.member.did, "collection": collection, "rkey": key}
        return await self.call("com.atproto.repo.deleteRecord", given, as_=person)

    async def upload(self, person: Person, body: bytes, media_type: str = "image/png") -> Any:
        """uploadBlob: the blob as records hold it."""
        reply = await self.send(
            "POST",
            "/xrpc/com.atproto.repo.uploadBlob",
            body,
            token=person.access,
            headers={"content-type": media_type},
        )
        assert reply.status == 200, reply.body
        return reply.json["blob"]

    def _turned(self) -> int:
        database = self.store.database
        return min(SqlDeliveryQueue(database).cursor(), SqlTimelines(database).cursor())

    def stored(self, person: Person, path: str) -> Resource | None:
        """What is at a path of somebody's."""
        return self.store.resource(person.member.id, ResourcePath(path))

    async def rows(self) -> dict[str, list[Any]]:
        """Every row of every table but `DERIVED`: equal before and after where nothing changed.

        Waits until both readers of the log are at its end, so that what they do would show.
        """
        while self._turned() < self.store.head_seq():
            await asyncio.sleep(0.001)
        file = self.house.settings.data_dir / "pod.sqlite"
        with closing(sqlite3.connect(file)) as connection:
            named = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            tables = [name for (name,) in connection.execute(named) if name not in DERIVED]
            wanted = {table: f'"{table}"' for table in tables} | {"outgoing": ERRANDS}
            return {
                table: connection.execute(f"SELECT * FROM {rows}").fetchall()
                for table, rows in wanted.items()
            }


def quick_settings(folder: Path) -> Settings:
    """A development pod whose passwords cost nothing."""
    return Settings(
        origin=Origin(f"http://{SERVER}"),
        data_dir=folder,
        dev=True,
        open_sign_up=True,
        rate_limits=False,
        plc_url="",
        service_domains=(ServiceDomain(".test", f"http://{{name}}.{SERVER}"),),
        hashing=Hashing(time_cost=1, memory_kib=8, workers=1),
    )


@asynccontextmanager
async def open_whole(folder: Path, **changes: Any) -> AsyncIterator[Whole]:
    """A house over a data folder, open for as long as it is needed; some settings changed."""
    house = await open_house(replace(quick_settings(folder), **changes))

    async def opened() -> Rooms:
        return house.rooms

    door = FrontDoor(opened)
    ready, over = asyncio.Event(), asyncio.Event()
    steps = iter(("startup", "shutdown"))

    async def receive() -> Any:
        step = next(steps)
        if step == "shutdown":
            await over.wait()
        return {"type": f"lifespan.{step}"}

    async def send(_: Any) -> None:
        ready.set()

    life = asyncio.ensure_future(door({"type": "lifespan"}, receive, send))
    await ready.wait()
    try:
        yield Whole(house, door)
    finally:
        over.set()
        await life


class Town:
    """A whole house on a loop of its own, for tests of many examples; close it at the end."""

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        self._opening = open_whole(folder)
        self.whole = self.run(self._opening.__aenter__())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the loop of the house."""
        return self._runner.run(work)

    def close(self) -> None:
        """Close the house and its loop."""
        self.run(self._opening.__aexit__(None, None, None))
        self._runner.close()
