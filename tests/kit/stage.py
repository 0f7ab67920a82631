"""A pod for one document: a member with an app, and the web as the recorded world has it."""

from __future__ import annotations

import asyncio
import copy
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from multidict import CIMultiDict, CIMultiDictProxy

import server.ground
from adapters.activitypub.remote.actor import ACTOR_TYPES
from adapters.activitypub.signature import cavage
from adapters.activitypub.signature.request import Request
from adapters.http.fetch import Fetched, HeadersFor
from tests.kit.fediverse import AS2, Peer
from tests.kit.phone import Phone, phone_of
from tests.kit.whole import SERVER, Person, Whole, open_whole

TYPE: Final = "application/activity+json"
WITHIN_S: Final = 5.0
POST_KEY: Final = "3mteeeeeeee2e"
Node = dict[str, Any]


@dataclass
class World:
    """All that the recorded servers would answer, and what was delivered to them."""

    documents: dict[str, Any] = field(default_factory=dict)
    received: list[tuple[str, Node]] = field(default_factory=list)
    key: Peer = field(default_factory=lambda: Peer("mallory", "https://mallory.test"))

    def __post_init__(self) -> None:
        self.documents[self.key.id] = self.key.actor()

    def put(self, node: Node) -> None:
        """Have a document answered under its id; an actor gets a key that we hold."""
        if _is_actor(node) and "inbox" in node:
            node = self._with_key(node)
            self.documents[str(node["publicKey"]["id"]).partition("#")[0]] = node
        self.documents[str(node["id"])] = node

    def need_actor(self, iri: str) -> None:
        """Make up an actor whom nobody recorded."""
        held = self.documents.get(iri)
        if iri and not (_is_actor(held)):
            name = iri.rstrip("/").rpartition("/")[2].lstrip("@") or "somebody"
            made = {
                "@context": AS2, "id": iri, "type": "Person", "preferredUsername": name,
                "inbox": f"{iri.rstrip('/')}/inbox", "followers": f"{iri}/followers",
            }  # fmt: skip
            self.put(made)

    def key_of(self, iri: str) -> str:
        """The id of an actor's key."""
        return str(self.documents[iri]["publicKey"]["id"])

    def _with_key(self, node: Node) -> Node:
        pem = self.key.actor()["publicKey"]["publicKeyPem"]
        told = node.get("publicKey") or {}
        told = told[0] if isinstance(told, list) else told
        key = {"id": f"{node['id']}#main-key", "owner": node["id"], **told, "publicKeyPem": pem}
        return {**node, "publicKey": key}

    async def get(
        self, url: str, headers: HeadersFor | None = None, *, max_bytes: int | None = None
    ) -> Fetched:
        """What the recorded web says at a URL."""
        del headers, max_bytes
        parts = urlsplit(url)
        if parts.path == "/.well-known/webfinger":
            asked = parse_qs(parts.query)["resource"][0]
            return _answer(url, self.documents.get(asked), "application/jrd+json")
        return _answer(url, self.documents.get(url), TYPE)

    async def post(
        self,
        url: str,
        body: bytes,
        headers: HeadersFor | None = None,
        *,
        max_bytes: int | None = None,
    ) -> Fetched:
        """Take a delivery."""
        del headers, max_bytes
        self.received.append((url, json.loads(body)))
        return _answer(url, {}, TYPE, 202)

    async def close(self) -> None:
        """Nothing is open."""


def _is_actor(node: Any) -> bool:
    told = node.get("type") if isinstance(node, dict) else None
    return bool(ACTOR_TYPES & set(told if isinstance(told, list) else [told]))


def _id(value: Any) -> str:
    value = value[0] if isinstance(value, list) else value
    return str(value.get("id") if isinstance(value, dict) else value)


def _answer(url: str, document: Any, kind: str, status: int = 200) -> Fetched:
    if document is None or isinstance(document, int):
        return Fetched(url, document or 404, CIMultiDictProxy(CIMultiDict()), b"")
    headers = CIMultiDictProxy(CIMultiDict({"Content-Type": kind}))
    return Fetched(url, status, headers, json.dumps(document).encode())


@dataclass
class Stage:
    """The pod, its member alice, her app, and the world."""

    whole: Whole
    phone: Phone
    alice: Person
    world: World

    @property
    def me(self) -> str:
        return self.alice.member.webid

    @property
    def post(self) -> str:
        """Alice's post, which may be answered, liked and boosted."""
        return f"{self.alice.member.origin}/repo/app.bsky.feed.post/{POST_KEY}"

    async def deliver(self, activity: Node, *, by: str | None = None) -> tuple[int, str]:
        """Post an activity to the shared inbox, signed by its actor or another: status, words."""
        actor = by or _id(activity.get("actor"))
        self.world.need_actor(actor)
        body = json.dumps(activity).encode()
        url = f"{self.whole.house.settings.origin}/inbox"
        signed = cavage.sign(
            Request("POST", url, [("Content-Type", TYPE)], body),
            key_id=self.world.key_of(actor),
            sign=self.world.key.sign,
            now=datetime.now(UTC),
        )
        headers = {"content-type": TYPE} | {k.lower(): v for k, v in signed.items()}
        reply = await self.whole.send("POST", "/inbox", body, headers=headers)
        return reply.status, reply.body.decode(errors="replace")[:200]

    async def find(self, what: str, kind: str) -> Node | None:
        """What the search of her app finds for an address, asking the world."""
        told = await self.phone.get("/api/v2/search", q=what, resolve="true", type=kind)
        return next(iter(told[kind]), None)

    async def follow(self, actor: str) -> str:
        """Follow an actor, who says yes; why that is not so, if it is not."""
        self.world.need_actor(actor)
        found = await self.find(actor, "accounts")
        if found is None or found["uri"] != actor:
            return "not found"
        await self.phone.post(f"/api/v1/accounts/{found['id']}/follow")
        asked = await self.delivered("Follow")
        accept = {"@context": AS2, "id": f"{actor}#yes", "type": "Accept", "actor": actor}
        status, words = await self.deliver({**accept, "object": asked})
        return "" if status == 202 else words

    async def delivered(self, kind: str) -> Node:
        """An activity that the pod sent; raises LookupError where none comes."""
        until = asyncio.get_running_loop().time() + WITHIN_S
        while asyncio.get_running_loop().time() < until:
            for _, activity in self.world.received:
                if activity["type"] == kind:
                    return activity
            await asyncio.sleep(0.01)
        raise LookupError(f"no {kind} was delivered")

    def count(self, table: str, where: str = "1", *values: Any) -> int:
        """How many rows of a table there are."""
        file = self.whole.house.settings.data_dir / "pod.sqlite"
        with sqlite3.connect(file) as connection:
            found = connection.execute(f'SELECT count(*) FROM "{table}" WHERE {where}', values)
            return int(found.fetchone()[0])

    async def holds(self, words: str) -> bool:
        """Whether any row of the database has some words."""
        return words in repr(await self.whole.rows())


@contextmanager
def _through(world: World) -> Iterator[None]:
    """Houses that open meanwhile have the world as their way out."""
    held = vars(server.ground)["Fetch"]
    vars(server.ground)["Fetch"] = lambda *_, **__: world
    try:
        yield
    finally:
        vars(server.ground)["Fetch"] = held


@dataclass(frozen=True)
class Template:
    """A pod as it is before anything is played to it."""

    folder: Path
    alice: Person
    phone: Mapping[str, Any]

    @classmethod
    async def make(cls, folder: Path) -> Template:
        async with open_whole(folder) as whole:
            alice = await whole.join("alice")
            await whole.make_keys(alice)
            phone = await phone_of(whole, alice)
            said = {"text": "Hello", "createdAt": "2024-01-01T12:00:00.000Z"}
            assert (await whole.put_record(alice, POST_KEY, said)).status == 200
            return cls(folder, alice, {"told": phone.told, "token": phone.token})

    @asynccontextmanager
    async def stage(self, documents: Mapping[str, Any]) -> AsyncIterator[Stage]:
        """A copy of the pod, in a world with these documents."""
        folder = self.folder.parent / "stage"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder)
        world = World(copy.deepcopy(dict(documents)))
        for node in list(world.documents.values()):
            if isinstance(node, dict) and "id" in node:
                world.put(node)
        with _through(world):
            async with open_whole(folder) as whole:
                phone = Phone(whole, SERVER, **self.phone)
                yield Stage(whole, phone, self.alice, world)
