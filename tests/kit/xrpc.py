"""A whole pod behind its XRPC application, in memory, and a client that speaks raw ASGI to it."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any
from urllib.parse import urlencode

from adapters.atproto import face
from adapters.atproto.did.client import MemberDids
from adapters.atproto.did.directory import MemoryLog, PlcDirectory
from adapters.atproto.proxy import Proxy
from adapters.atproto.session_tokens import SessionTokens
from adapters.atproto.xrpc.router import Router
from adapters.atproto.xrpc.services import Services
from adapters.http.passwords import Passwords
from adapters.http.throttle import Throttle
from pod.access.grant import AppPassword, RefreshGrant
from pod.confirm import Confirmations, Letter
from pod.errors import Conflict, PeerUnavailable
from pod.farewell import Farewell
from pod.keys.curves import SigningKey
from pod.media import Media
from pod.model.ids import Did, Handle, MemberId, Origin
from pod.model.member import Member
from pod.moderate import Moderation
from pod.oauth.server import assembled
from pod.read import Read
from pod.second_factor import SecondFactor
from pod.settings import AppView, Hashing, Limits, ServiceDomain, Settings
from storage.accounts import StoredAccounts
from storage.confirmations import StoredConfirmations
from storage.invites import StoredInvites
from storage.reports import SqlReports
from storage.shown import ShownReader
from storage.store import SqlStore
from storage.takedowns import StoredTakedowns
from tests.kit import house
from tests.kit.apps import MemoryOAuth
from tests.kit.house import LEXICONS
from tests.kit.stored import sql_store

ORIGIN = Origin("https://pods.example")
PASSWORD = "correct horse"
ADMIN = {"authorization": "Basic " + b64encode(b"admin:swordfish").decode()}
SETTINGS = Settings(
    origin=ORIGIN,
    data_dir=Path(gettempdir()),
    service_domains=(ServiceDomain(".test", "https://{name}.test"),),
    open_sign_up=True,
    admin_password="swordfish",
    limits=Limits(blob_bytes=100_000, repo_import_bytes=2_000_000),
    hashing=Hashing(time_cost=1, memory_kib=8, workers=1),
)


class MemoryGrants:
    """Refresh grants and app passwords in dicts."""

    def __init__(self) -> None:
        self.grants: dict[str, RefreshGrant] = {}
        self.apps: dict[tuple[MemberId, str], AppPassword] = {}

    def refresh_grant(self, grant_id: str) -> RefreshGrant | None:
        return self.grants.get(grant_id)

    async def add_refresh_grant(self, grant: RefreshGrant) -> None:
        self.grants[grant.id] = grant

    async def rotate_refresh_grant(
        self, grant_id: str, successor: RefreshGrant, *, grace_until: datetime
    ) -> RefreshGrant | None:
        used = self.grants.get(grant_id)
        if used is None:
            return None
        if used.next_id is not None:
            return self.grants[used.next_id]
        ends = min(used.expires_at, grace_until)
        self.grants[grant_id] = replace(used, next_id=successor.id, expires_at=ends)
        self.grants[successor.id] = successor
        return successor

    async def revoke_refresh_grant(self, grant_id: str) -> None:
        self.grants.pop(grant_id, None)

    async def revoke_refresh_grants(self, member: MemberId) -> None:
        self.grants = {i: g for i, g in self.grants.items() if g.member != member}

    def app_passwords(self, member: MemberId) -> list[AppPassword]:
        return [app for key, app in sorted(self.apps.items()) if key[0] == member]

    async def add_app_password(self, made: AppPassword) -> None:
        if (made.member, made.name) in self.apps:
            raise Conflict("There is an app password of that name.", name="DuplicateAppPassword")
        self.apps[made.member, made.name] = made

    async def delete_app_password(self, member: MemberId, name: str) -> None:
        self.apps.pop((member, name), None)
        self.grants = {
            i: g for i, g in self.grants.items() if (g.member, g.app_password) != (member, name)
        }


class MemoryPreferences:
    """Preferences in a dict."""

    def __init__(self) -> None:
        self.bodies: dict[MemberId, bytes] = {}

    def preferences(self, member: MemberId) -> bytes | None:
        return self.bodies.get(member)

    async def put_preferences(self, member: MemberId, body: bytes) -> None:
        self.bodies[member] = body


class Directory:
    """DIDs, their documents and handles, as a network would know them."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.handles: dict[str, Did] = {}
        self.here: set[str] = set()
        """Domains that lead to the pod."""
        self.is_down = False
        self._plc: PlcDirectory
        self._members: MemberDids

    def open(self, rotation_key: SigningKey, clock: house.FrozenClock) -> None:
        """Begin with an empty did:plc directory."""
        self._plc = PlcDirectory(MemoryLog(), clock)
        self._members = MemberDids(self, rotation_key, ORIGIN)

    async def create(
        self, *, handle: Handle, origin: Origin, signing_key: str, recovery_key: str | None
    ) -> Did:
        if self.is_down:
            raise PeerUnavailable
        return await self._members.create(
            handle=handle, origin=origin, signing_key=signing_key, recovery_key=recovery_key
        )

    async def set_handle(self, member: Member, handle: Handle) -> None:
        await self._members.set_handle(member, handle)

    async def submit(self, did: Did, operation: dict[str, Any]) -> None:
        await self._plc.submit(did, operation)
        self.documents[did] = await self._plc.document(did)

    async def last_operation(self, did: Did) -> dict[str, Any]:
        return await self._plc.last_operation(did)

    async def document(self, did: Did) -> dict[str, Any]:
        return await self._plc.document(did)

    async def audit_log(self, did: Did) -> list[dict[str, Any]]:
        return await self._plc.audit_log(did)

    async def did_document(self, did: Did, *, fresh: bool = False) -> dict[str, Any] | None:
        if self.is_down:
            raise PeerUnavailable
        return self.documents.get(did)

    async def resolve_handle(self, handle: Handle) -> Did | None:
        return self.handles.get(handle)


@dataclass
class Upstream:
    """Another service that answers every request the same and remembers what it was asked."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    body: bytes = b"{}"
    asked: list[tuple[str, dict[str, str], bytes | None]] = field(default_factory=list)

    async def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, max_bytes: int | None = None
    ) -> Upstream:
        self.asked.append((url, dict(headers or {}), None))
        return self

    async def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        max_bytes: int | None = None,
    ) -> Upstream:
        self.asked.append((url, dict(headers or {}), body))
        return self


@dataclass
class Reply:
    """What the application answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The error's name; fails if this is no error."""
        assert self.status >= 400, self.body
        assert set(self.json) == {"error", "message"}
        return self.json["error"]


@dataclass
class Person:
    """Somebody with an account and a session."""

    member: Member
    access: str
    refresh: str

    @property
    def did(self) -> Did:
        return self.member.did


class Pod:
    """Everything that stands behind the XRPC application, and the application."""

    def __init__(self, store: SqlStore, *, appview: AppView | None = None) -> None:
        self.store = store
        self.settings = replace(SETTINGS, appview=appview)
        self.directory = Directory()
        self.house = house.Pod(
            store=store,
            settings=self.settings,
            dids=self.directory,
            domains=self.directory.here,
            handles=self.directory.handles,
            book=StoredAccounts(store.database),
        )
        self.letters: list[Letter] = []
        self.throttle = Throttle(enabled=False)
        self.clock, self.blobs, self.keys = (
            self.house.clock,
            self.house.blobs,
            self.house.keyring,
        )
        self.upstream = Upstream()
        self.grants = MemoryGrants()
        self.outbox = face.Outbox(store)
        self.app: Router
        self.services: Services

    async def open(self) -> Pod:
        await self.keys.open()
        self.directory.open(self.keys.rotation_key(), self.clock)
        self.store.subscribe(self.outbox.on_changes)
        core, clock = self.house, self.clock
        self.apps = MemoryOAuth()
        self.oauth = assembled(
            issuer=self.settings.origin,
            store=self.apps,
            registered=self.apps,
            schemas=self.apps,
            resolve=self.apps.resolve,
            members=self.store,
            egress=self.apps,
            secret=self.keys.oauth_secret(),
            token_keys=self.keys.token_keys,
            clock=clock,
        )
        limits, database = self.settings.limits, self.store.database
        moderation = Moderation(StoredTakedowns(database), clock)
        shown = ShownReader(self.store, moderation)
        media = Media(self.store, self.blobs, clock, limits, hides=moderation.hides_blob)
        self.services = Services(
            settings=self.settings,
            version="test",
            clock=clock,
            store=self.store,
            shown=shown,
            read=Read(shown, core.policy),
            write=core.write,
            media=media,
            transfer=core.transfer,
            accounts=core.accounts,
            keyring=self.keys,
            repos=core.projection,
            tokens=SessionTokens(self.keys.session_secret(), self.settings.did, clock),
            grants=self.grants,
            passwords=Passwords(self.settings.hashing),
            preferences=MemoryPreferences(),
            identities=self.directory,
            crawl=face.Crawl((), "pods.example", self.upstream, clock),
            consumers=face.Consumers(clock),
            proxy=Proxy(self.settings.appview, self.directory, self.upstream, self.keys, clock),
            oauth=self.oauth,
            factor=SecondFactor(self.store, self.apps, self.clock),
            book=core.book,
            confirmations=Confirmations(StoredConfirmations(database), self, clock),
            mailbox=self,
            invites=StoredInvites(database),
            moderation=moderation,
            reports=SqlReports(database),
            farewell=Farewell(self.store, core.book, core.projection, media, self.keys, clock),
            directory=self.directory,
            egress=self.upstream,
            throttle=self.throttle,
        )
        self.app = face.xrpc(self.services, LEXICONS, self.outbox)
        return self

    async def send(self, letter: Letter) -> None:
        """Take a letter: the pod's own mailbox."""
        self.letters.append(letter)

    def code(self) -> str:
        """The code in the last letter."""
        code = self.letters[-1].code
        assert code is not None
        return code

    async def ask(
        self,
        verb: str,
        path: str,
        query: Any = "",
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> Reply:
        """Send one request; ``query`` is text, or parameters to encode."""
        text = query if isinstance(query, str) else urlencode(query, doseq=True)
        sent = {"host": "pods.example"} | dict(headers or {})
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        if body is not None:
            sent.setdefault("content-length", str(len(body)))
        scope = {
            "type": "http",
            "method": verb,
            "path": path,
            "raw_path": path.encode(),
            "query_string": text.encode("utf-8", "surrogateescape"),
            "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in sent.items()],
        }
        incoming = [{"type": "http.request", "body": body or b"", "more_body": False}]
        messages: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return incoming.pop() if incoming else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            messages.append(message)

        await self.app(scope, receive, send)
        start = messages[0]
        content = b"".join(message.get("body", b"") for message in messages[1:])
        names = {k.decode(): v.decode("latin-1") for k, v in start["headers"]}
        assert len(names) == len(start["headers"]), "a header is told twice"
        return Reply(start["status"], names, content)

    async def connect(self, path: str, query: str, *, until: int) -> list[dict[str, Any]]:
        """Open a WebSocket, take the first ``until`` messages of the server, and go."""
        sent: list[dict[str, Any]] = []
        enough = asyncio.Event()
        incoming = [{"type": "websocket.connect"}]

        async def receive() -> dict[str, Any]:
            if incoming:
                return incoming.pop()
            await enough.wait()
            return {"type": "websocket.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)
            if len(sent) >= until:
                enough.set()

        scope = {"type": "websocket", "path": path, "query_string": query.encode()}
        await asyncio.wait_for(self.app(scope, receive, send), 5)
        return sent[:until]

    async def get(self, nsid: str, token: str | None = None, **params: Any) -> Reply:
        """Ask a query."""
        given = {k: v for k, v in params.items() if v is not None}
        return await self.ask("GET", f"/xrpc/{nsid}", given, token=token)

    async def post(self, nsid: str, json_body: Any = None, token: str | None = None) -> Reply:
        """Call a procedure with a JSON body, or none."""
        body = None if json_body is None else json.dumps(json_body).encode()
        headers = {} if body is None else {"content-type": "application/json"}
        return await self.ask("POST", f"/xrpc/{nsid}", body=body, headers=headers, token=token)

    async def as_admin(self, nsid: str, json_body: Any) -> Reply:
        """Call a procedure as the administrator."""
        headers = {"content-type": "application/json"} | ADMIN
        body = json.dumps(json_body).encode()
        return await self.ask("POST", f"/xrpc/{nsid}", body=body, headers=headers)

    async def as_admin_get(self, nsid: str, **params: Any) -> Reply:
        """Ask a query as the administrator."""
        given = {k: v for k, v in params.items() if v is not None}
        return await self.ask("GET", f"/xrpc/{nsid}", given, headers=ADMIN)

    def become(self, settings: Settings) -> None:
        """Serve from now on with other settings of what XRPC alone reads."""
        self.settings = settings
        self.services = replace(self.services, settings=settings)
        self.app = face.xrpc(self.services, LEXICONS, self.outbox)

    async def upload(self, body: bytes, media_type: str, token: str) -> Reply:
        """Upload a blob."""
        path = "/xrpc/com.atproto.repo.uploadBlob"
        return await self.ask(
            "POST", path, body=body, headers={"content-type": media_type}, token=token
        )

    async def join(self, name: str) -> Person:
        """Sign somebody up."""
        given = {"handle": f"{name}.test", "email": f"{name}@mail.example", "password": PASSWORD}
        reply = await self.post("com.atproto.server.createAccount", given)
        assert reply.status == 200, reply.body
        member = self.store.member_by_did(reply.json["did"])
        assert member is not None
        return Person(member, reply.json["accessJwt"], reply.json["refreshJwt"])

    async def write_post(self, person: Person, text: str, **more: Any) -> Any:
        """Create a post; the answer of createRecord."""
        record = {
            "$type": "app.bsky.feed.post",
            "text": text,
            "createdAt": "2026-01-02T03:04:05.678Z",
        } | more
        given = {"repo": person.did, "collection": "app.bsky.feed.post", "record": record}
        reply = await self.post("com.atproto.repo.createRecord", given, person.access)
        assert reply.status == 200, reply.body
        return reply.json

    def state(self) -> tuple[object, ...]:
        """What must not change when a request is refused."""
        members = self.store.members(after=MemberId(0), limit=100)
        repos = [self.store.repo(member.id) for member in members]
        return self.store.head_seq(), members, repos, dict(self.blobs.kept)


def in_pod(story: Any, *, appview: AppView | None = None, path: Path | None = None) -> None:
    """Run an async story with a fresh pod, in memory or on a database file."""

    async def run() -> None:
        with TemporaryDirectory() as folder:
            async with sql_store(path or Path(folder) / "pod.db") as store:
                pod = await Pod(store, appview=appview).open()
                try:
                    await story(pod)
                finally:
                    pod.services.passwords.close()

    asyncio.run(run())
