"""A pod with its ActivityPub wing, and peers on a network that exists only in the test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from multidict import CIMultiDict, CIMultiDictProxy
from quart import Quart, Response

from adapters.activitypub.face import ActivityPub
from adapters.activitypub.signature import cavage, rfc9421
from adapters.activitypub.signature.request import Request
from adapters.http import blobs, problem
from adapters.http.credentials import Presented, token_of
from adapters.http.fetch import Fetch, Fetched
from adapters.http.hosts import Hosts
from adapters.http.views import Views, rooms
from pod.access.acl import Mode
from pod.access.agent import PUBLIC, Agent, Credential
from pod.errors import PeerUnavailable
from pod.keys.keyring import ACTOR_RSA
from pod.keys.rsa import RsaKey
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.resource import Resource, ResourcePath
from pod.write import PutRecord, Receipt
from storage.delivery_queue import SqlActivityLog, SqlDeliveryQueue
from storage.domain_rules import StoredDomainRules
from storage.edges import SqlEdges, SqlSeen
from storage.emoji import EmojiFolder
from storage.farewells import StoredFarewells
from storage.followers import SqlFollowers
from storage.imports import SqlImports
from storage.peer_hosts import SqlPeerHosts
from storage.remote_cache import SqlRemoteCache
from storage.reports import SqlReports
from tests.kit.house import Pod, owner
from tests.kit.stored import sql_store

AS2 = "https://www.w3.org/ns/activitystreams"
EVERYBODY = AS2 + "#Public"
TYPE = "application/activity+json"
MEMBER_KEY = RsaKey.generate().private_pem.encode()
KEYS = [generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]


@dataclass
class Peer:
    """A fediverse server with one actor. ``answers`` decides what its inbox says."""

    name: str = "bob"
    origin: str = "http://peer.test"
    key: RSAPrivateKey = field(default_factory=lambda: KEYS[0])
    documents: dict[str, Any] = field(default_factory=dict)
    received: list[Request] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    answers: Callable[[Request], int] = lambda _: 202
    retry_after: str | None = None
    is_down: bool = False
    hangs: bool = False
    content_type: str = TYPE
    shared_inbox: bool = True

    def __post_init__(self) -> None:
        self.documents.setdefault(self.id, self.actor())

    @property
    def id(self) -> Iri:
        return Iri(f"{self.origin}/users/{self.name}")

    @property
    def key_id(self) -> str:
        return f"{self.id}#main-key"

    def actor(self) -> dict[str, Any]:
        pem = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        endpoints = {"endpoints": {"sharedInbox": f"{self.origin}/inbox"}}
        return {
            "@context": [AS2, "https://w3id.org/security/v1"],
            "id": self.id,
            "type": "Person",
            "preferredUsername": self.name,
            "inbox": f"{self.id}/inbox",
            **(endpoints if self.shared_inbox else {}),
            "publicKey": {"id": self.key_id, "owner": self.id, "publicKeyPem": pem.decode()},
        }

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message, PKCS1v15(), SHA256())

    def activity(self, kind: str, about: Any, number: int = 1, **more: Any) -> dict[str, Any]:
        return {
            "@context": AS2,
            "id": f"{self.origin}/activities/{kind.lower()}-{number}",
            "type": kind,
            "actor": self.id,
            "object": about,
            **more,
        }

    def note(self, number: int = 1, content: str = "<p>Hello</p>", **more: Any) -> dict[str, Any]:
        return {
            "id": f"{self.origin}/notes/{number}",
            "type": "Note",
            "attributedTo": self.id,
            "content": content,
            "published": "2026-11-24T11:00:00Z",
            "to": [EVERYBODY],
            **more,
        }

    @property
    def activities(self) -> list[dict[str, Any]]:
        return [orjson.loads(request.body) for request in self.received]


class Network:
    """The way out, to peers by host; ``beyond`` them lies nothing, or the real egress."""

    def __init__(self) -> None:
        self.peers: dict[str, Peer] = {}
        self.beyond: Fetch | None = None

    def add(self, peer: Peer) -> Peer:
        self.peers[peer.origin] = peer
        return peer

    async def get(self, url: str, headers: Any = None, *, max_bytes: int | None = None) -> Fetched:
        if self.beyond is not None and not self._knows(url):
            return await self.beyond.get(url, headers, max_bytes=max_bytes)
        peer = self._peer(url)
        peer.fetched.append(url)
        assert "Signature" in headers(url) or "/.well-known/" in url
        document = peer.documents.get(url)
        if document is None:
            return _fetched(url, 404, b"", {})
        if isinstance(document, int):
            return _fetched(url, document, b"", {})
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return _fetched(url, 200, body, {"Content-Type": peer.content_type})

    async def post(
        self, url: str, body: bytes, headers: Any = None, *, max_bytes: int | None = None
    ) -> Fetched:
        if self.beyond is not None and not self._knows(url):
            return await self.beyond.post(url, body, headers, max_bytes=max_bytes)
        peer = self._peer(url)
        await (asyncio.Event().wait() if peer.hangs else asyncio.sleep(0))
        request = Request("POST", url, list(headers.items()), body)
        peer.received.append(request)
        more = {"Retry-After": peer.retry_after} if peer.retry_after else {}
        return _fetched(url, peer.answers(request), b"", more)

    def _knows(self, url: str) -> bool:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}" in self.peers

    def _peer(self, url: str) -> Peer:
        parts = urlsplit(url)
        peer = self.peers.get(f"{parts.scheme}://{parts.netloc}")
        if peer is None or peer.is_down:
            raise PeerUnavailable
        return peer


def _fetched(url: str, status: int, body: bytes, headers: Mapping[str, str]) -> Fetched:
    return Fetched(url, status, CIMultiDictProxy(CIMultiDict(headers)), body)


@dataclass
class OtherNetwork:
    """DID documents and records of other repositories."""

    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    is_down: bool = False

    async def did_document(self, did: str) -> dict[str, Any] | None:
        if self.is_down:
            raise PeerUnavailable
        return self.documents.get(did)

    async def record(self, uri: str) -> dict[str, Any] | None:
        return self.records.get(uri)


class Doorkeeper:
    """An authenticator who takes a bearer token for the id of a member."""

    async def agent(self, presented: Presented) -> Agent:
        token = token_of(presented.headers)
        return Agent(Credential.SESSION, int(token.value)) if token else PUBLIC


class FediPod(Pod):
    """The pod with its wing, on real storage, behind a test client."""

    def __init__(
        self,
        store: Any,
        *,
        allow_list: bool = False,
        secure: bool = False,
        folder: Path = Path("nowhere"),
        origin: str = "http://localhost:2583",
    ) -> None:
        super().__init__(store=store, origin=origin)
        self.emojis = EmojiFolder(folder / "emoji")
        self.network = Network()
        self.elsewhere = OtherNetwork()
        database = store.database
        self.followers, self.edges = SqlFollowers(database), SqlEdges(database)
        self.queue, self.seen = SqlDeliveryQueue(database), SqlSeen(database)
        self.cache = SqlRemoteCache(database)
        self.reports = SqlReports(database)
        self.wing = ActivityPub(
            server=self.settings.origin,
            store=store,
            write=self.write,
            keys=self.keyring,
            clock=self.clock,
            tids=self.tids,
            egress=self.network,
            cache=self.cache,
            followers=self.followers,
            edges=self.edges,
            seen=self.seen,
            queue=self.queue,
            log=SqlActivityLog(database),
            blobs=self.blobs,
            elsewhere=self.elsewhere,
            peer_hosts=SqlPeerHosts(database),
            secure=secure,
            rules=StoredDomainRules(database),
            reports=self.reports,
            imports=SqlImports(database),
            farewells=StoredFarewells(database),
            allow_list=allow_list,
            emojis=self.emojis,
        )
        hosts = Hosts(store, self.settings.origin)
        self.app = Quart("pod")
        problem.install(self.app)
        self.app.register_blueprint(self.wing.routes(hosts, Doorkeeper(), files=self.media))
        self.app.register_blueprint(blobs.rooms(hosts, self.media))

        async def front_door() -> Response:
            return Response("")

        self.app.register_blueprint(
            rooms(
                hosts=hosts,
                reader=store,
                authenticator=Doorkeeper(),
                allow=lambda agent, member, path: self.policy.require(
                    agent, Mode.READ, member, path
                ),
                views=Views([self.wing.view]),
                front_door=front_door,
                absent=self.wing.absent,
            )
        )
        self.client = self.app.test_client()

    async def member(self, name: str = "alice") -> Member:
        """A fresh member, with a key that was made before: making one takes long."""
        member = await super().member(name)
        await self.store.write(lambda tx: tx.put_secret(member.id, ACTOR_RSA, MEMBER_KEY))
        return member

    async def get(self, url: str, accept: str = TYPE) -> tuple[int, Any]:
        """Get a URL of the pod: status and JSON."""
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        response = await self.client.get(target, headers={"Host": parts.netloc, "Accept": accept})
        body = await response.get_data()
        return response.status_code, orjson.loads(body) if body else None

    async def signed_get(self, peer: Peer, url: str, *, scheme: Any = cavage) -> tuple[int, Any]:
        """The same, signed by a peer."""
        signed = scheme.sign(
            Request("GET", url, []), key_id=peer.key_id, sign=peer.sign, now=self.clock.now()
        )
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        headers = {"Accept": TYPE, "Host": parts.netloc, **signed}
        response = await self.client.get(target, headers=headers)
        body = await response.get_data()
        return response.status_code, orjson.loads(body) if body else None

    async def post(
        self,
        peer: Peer,
        activity: Any,
        *,
        inbox: str | None = None,
        scheme: Any = cavage,
        change: Callable[[dict[str, str]], dict[str, str]] = lambda headers: headers,
        body: bytes | None = None,
        key_id: str | None = None,
    ) -> int:
        """Have a peer post an activity, rightly signed unless ``change`` spoils the headers."""
        inbox = inbox or f"{self.settings.origin}/inbox"
        signed_body = json.dumps(activity).encode()
        request = Request("POST", inbox, [("Content-Type", TYPE)], signed_body)
        headers = scheme.sign(
            request, key_id=key_id or peer.key_id, sign=peer.sign, now=self.clock.now()
        )
        parts = urlsplit(inbox)
        headers = change({"Content-Type": TYPE, "Host": parts.netloc, **headers})
        response = await self.client.post(
            parts.path, data=signed_body if body is None else body, headers=headers
        )
        return response.status_code

    async def say(self, member: Member, activity: Any, *, token: str | None = None) -> Any:
        """A member's own client posts to their outbox: status and Location."""
        response = await self.client.post(
            "/outbox",
            data=json.dumps(activity),
            headers={
                "Host": urlsplit(member.origin).netloc,
                "Content-Type": TYPE,
                "Authorization": f"Bearer {member.id if token is None else token}",
            },
        )
        return response.status_code, response.headers.get("Location")

    async def note(self, member: Member, text: str = "Hello", **more: Any) -> Resource:
        """A post of a member."""
        receipt = await self.record(
            member,
            "app.bsky.feed.post",
            {"text": text, "createdAt": "2026-11-24T12:00:00.000Z"} | more,
        )
        return self.at(member, receipt)

    async def record(
        self, member: Member, collection: str, record: dict[str, Any], **more: Any
    ) -> Receipt:
        """A record of a member."""
        rkey = more.pop("rkey", None)
        op = PutRecord(collection, rkey, record, **more)
        return await self.write.apply(owner(member), member.id, [op])

    def at(self, member: Member, receipt: Receipt) -> Resource:
        """The one resource of a receipt."""
        found = self.store.resource(member.id, ResourcePath(receipt.results[0].path))
        assert found is not None
        return found


@asynccontextmanager
async def fedi_pod(
    folder: Path,
    *,
    allow_list: bool = False,
    secure: bool = False,
    origin: str = "http://localhost:2583",
) -> AsyncIterator[FediPod]:
    """The pod with its wing, for as long as a test needs it."""
    async with sql_store(folder / "pod.db") as store:
        pod = FediPod(store, allow_list=allow_list, secure=secure, folder=folder, origin=origin)
        await pod.keyring.open()
        await store.write(lambda tx: tx.put_secret(None, ACTOR_RSA, MEMBER_KEY))
        yield pod


__all__ = ["AS2", "EVERYBODY", "KEYS", "FediPod", "Network", "Peer", "fedi_pod", "rfc9421"]
