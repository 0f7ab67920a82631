"""The Solid wing on a whole pod in memory, spoken to over ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import rdflib
from multidict import CIMultiDict, CIMultiDictProxy
from quart import Quart, Response

from adapters.activitypub.lens.words import Words
from adapters.http.credentials import Presented, token_of
from adapters.http.fetch import Fetched
from adapters.http.hosts import Hosts
from adapters.http.problem import install
from adapters.http.views import Views
from adapters.http.views import rooms as hall_rooms
from adapters.solid.face import (
    FetchedGroups,
    RecordViews,
    WacDocuments,
    Wing,
    record_links,
    rooms,
    views,
)
from pod.access.acl import Mode
from pod.access.agent import PUBLIC, Agent, Credential
from pod.errors import PeerUnavailable, TooLarge, Unauthenticated
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.resource import Resource, ResourcePath
from tests.kit.house import LEXICONS, FrozenClock, Pod, owner

rdflib.NORMALIZE_LITERALS = False


class Tokens:
    """Bearer tokens that stand for whom they name."""

    def __init__(self) -> None:
        self.agents: dict[str, Agent] = {}

    async def agent(self, presented: Presented) -> Agent:
        token = token_of(presented.headers)
        if token is None:
            return PUBLIC
        if token.value not in self.agents:
            raise Unauthenticated
        return self.agents[token.value]


class Net:
    """Documents of other servers; those that are not there cannot be reached."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {}
        self.hangs = False
        self.asked: list[tuple[str, str | None]] = []

    async def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, max_bytes: int | None = None
    ) -> Fetched:
        tag = (headers or {}).get("If-None-Match")
        self.asked.append((url, tag))
        if self.hangs:
            await asyncio.sleep(3600)
        body = self.documents.get(url)
        if body is None:
            raise PeerUnavailable
        if max_bytes is not None and len(body) > max_bytes:
            raise TooLarge
        etag = f'"{hash(body)}"'
        answer = CIMultiDict({"Content-Type": "text/turtle; charset=utf-8", "ETag": etag})
        if tag == etag:
            return Fetched(url, 304, CIMultiDictProxy(answer), b"")
        return Fetched(url, 200, CIMultiDictProxy(answer), body)


class Host:
    """A running Solid server with one member, alice, and a stranger, bob."""

    def __init__(self) -> None:
        self.net = Net()
        self.groups_clock = FrozenClock()
        groups = FetchedGroups(self.net, self.groups_clock)
        pod = self.pod = Pod(acls=WacDocuments(), groups=groups)
        self.tokens = Tokens()
        issuer = Iri(pod.settings.origin)
        hosts = Hosts(pod.store, pod.settings.origin)
        wing = Wing(
            hosts=hosts,
            authenticator=self.tokens,
            reader=pod.store,
            policy=pod.policy,
            write=pod.write,
            media=pod.media,
            records=RecordViews(pod.store, lambda author: Words(pod.store, author), issuer),
            mint=pod.drafts.mint_rkey,
            clock=pod.clock,
            lexicons=LEXICONS,
        )
        self.app = Quart(__name__)
        install(self.app)

        async def front_door() -> Response:
            return Response("front door")

        def allow(agent: Agent, member: Member, path: ResourcePath) -> None:
            pod.policy.require(agent, Mode.READ, member, path)

        self.app.register_blueprint(
            hall_rooms(
                hosts=hosts,
                reader=pod.store,
                authenticator=self.tokens,
                allow=allow,
                views=Views(views(wing), [record_links]),
                front_door=front_door,
            )
        )
        self.app.register_blueprint(rooms(wing))
        self.alice: Member

    async def open(self) -> Host:
        self.alice = await self.pod.member("alice")
        self.tokens.agents["alice"] = owner(self.alice)
        bob = Iri("https://bob.example/me")
        self.tokens.agents["bob"] = Agent(Credential.SIGNATURE, iri=bob)
        return self

    async def ask(self, method: str, path: str, body: bytes | str = b"", **options) -> Response:
        """One request; ``as_`` is who asks, headers are written with underscores."""
        who = options.pop("as_", "alice")
        headers = {name.strip("_").replace("_", "-"): value for name, value in options.items()}
        headers["Host"] = self.alice.host
        if who is not None:
            headers["Authorization"] = f"Bearer {who}"
        data = body.encode() if isinstance(body, str) else body
        client = self.app.test_client()
        return await client.open(path, method=method, headers=headers, data=data)

    def url(self, path: str) -> str:
        return self.alice.url(path)

    def stored(self, path: str) -> Resource | None:
        return self.pod.store.resource(self.alice.id, ResourcePath(path))


def told(story: Callable[[Host], Awaitable[None]]) -> None:
    """Run a story on a fresh host."""

    async def run() -> None:
        await story(await Host().open())

    asyncio.run(run())


async def graph_of(response: Response, base: str = "http://x.example/") -> rdflib.Graph:
    """A response read by rdflib."""
    kinds = {"text/turtle": "turtle", "application/ld+json": "json-ld"}
    body = await response.get_data()
    kind = kinds[response.headers["Content-Type"].split(";")[0]]
    return rdflib.Graph().parse(data=body, format=kind, publicID=base)
