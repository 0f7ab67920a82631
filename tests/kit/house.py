"""A whole pod in memory: the real services over the in-memory store, without wings or network."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.atproto.project import MemoryProjection
from pod.access.acl import Acl
from pod.access.agent import Agent, Credential
from pod.access.policy import AclReader, Policy, RemoteGroups
from pod.account import Accounts, Application
from pod.draft import Drafts
from pod.errors import NotFound
from pod.keys.keyring import KeyRing
from pod.media import Media
from pod.model.ids import Cid, Did, Handle, Iri, MemberId, Origin
from pod.model.member import AccountFacts, Member
from pod.model.resource import Resource
from pod.ports import AccountBook, DidMethod, Store
from pod.read import Read
from pod.records.lexicon.registry import Registry
from pod.records.tid import TidClock
from pod.settings import Limits, ServiceDomain, Settings
from pod.transfer import Transfer
from pod.write import Write
from storage.in_memory import MemoryStore

LEXICONS = Registry.load()


START = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class FrozenClock:
    """Time that moves only when told."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class FakeDids:
    """A DID method that only counts."""

    made: int = 0
    handles: dict[str, Handle] = field(default_factory=dict)

    async def create(
        self, *, handle: Handle, origin: Origin, signing_key: str, recovery_key: str | None
    ) -> Did:
        self.made += 1
        return Did("did:plc:" + f"{self.made:024d}".translate(str.maketrans("0189", "abcd")))

    async def set_handle(self, member: Member, handle: Handle) -> None:
        self.handles[member.did] = handle


class MemoryBook:
    """Facts of accounts in a dict."""

    def __init__(self) -> None:
        self.kept: dict[MemberId, AccountFacts] = {}

    def facts(self, member: MemberId) -> AccountFacts:
        return self.kept.get(member, AccountFacts())

    def due(self, now: datetime) -> list[MemberId]:
        return [m for m, f in self.kept.items() if f.delete_after and f.delete_after <= now]

    async def change(
        self, member: MemberId, change: Callable[[AccountFacts], AccountFacts]
    ) -> AccountFacts:
        self.kept[member] = change(self.facts(member))
        return self.kept[member]


class MemoryBlobs:
    """Blob bytes in a dict."""

    def __init__(self) -> None:
        self.kept: dict[Cid, bytes] = {}

    async def draft(self) -> MemoryDraft:
        return MemoryDraft(self)

    async def put(self, cid: Cid, body: bytes) -> None:
        self.kept[cid] = body

    async def size(self, cid: Cid) -> int | None:
        return len(self.kept[cid]) if cid in self.kept else None

    async def stream(self, cid: Cid, *, start: int = 0, end: int | None = None):
        if cid not in self.kept:
            raise NotFound
        yield self.kept[cid][start:end]

    async def delete(self, cid: Cid) -> None:
        self.kept.pop(cid, None)

    async def cids(self):
        for cid in list(self.kept):
            yield cid


class NoGroups:
    """Nothing is known of groups elsewhere."""

    def members(self, group: Iri) -> frozenset[Iri]:
        return frozenset()

    async def learn(self, groups: AbstractSet[Iri]) -> None:
        """Ask nobody."""


class MemoryDraft:
    """A blob on its way in."""

    def __init__(self, blobs: MemoryBlobs) -> None:
        self._blobs = blobs
        self._body = bytearray()

    async def write(self, chunk: bytes) -> None:
        self._body += chunk

    async def keep(self, cid: Cid) -> None:
        self._blobs.kept[cid] = bytes(self._body)

    async def discard(self) -> None:
        self._body.clear()


class Acls:
    """Access control lists by the text of their documents; no RDF."""

    def __init__(self) -> None:
        self.lists: dict[bytes, Acl] = {}
        self.groups: dict[Iri, frozenset[Iri]] = {}

    def acl(self, document: Resource, base: Iri) -> Acl:
        return self.lists.get(document.body, Acl())

    def group(self, document: Resource, base: Iri, group: Iri) -> frozenset[Iri]:
        return self.groups.get(group, frozenset())


class Pod:
    """Every core service, wired as the server wires them."""

    def __init__(
        self,
        data_dir: Path | None = None,
        limits: Limits | None = None,
        store: Store | None = None,
        *,
        settings: Settings | None = None,
        dids: DidMethod | None = None,
        domains: Container[str] | None = None,
        acls: AclReader | None = None,
        groups: RemoteGroups | None = None,
        book: AccountBook | None = None,
        handles: Mapping[str, Did] | None = None,
        origin: str = "http://localhost:2583",
    ) -> None:
        self.clock = FrozenClock()
        self.settings = settings or Settings(
            origin=Origin(origin),
            data_dir=data_dir or Path(),
            dev=True,
            open_sign_up=True,
            limits=limits or Limits(),
            service_domains=(ServiceDomain(".test", origin.replace("://", "://{name}.")),),
        )
        self.store = store if store is not None else MemoryStore()
        self.keyring = KeyRing(self.store)
        self.tids = TidClock(self.clock)
        self.projection = MemoryProjection(self.keyring.repo_key, self.tids)
        self.acls = Acls()
        self.policy = Policy(self.store, acls or self.acls, groups or NoGroups())
        self.drafts = Drafts(LEXICONS, self.tids, self.settings.limits)
        self.write = Write(
            self.store,
            self.policy,
            self.projection,
            self.drafts,
            self.tids,
            self.clock,
            quota_bytes=self.settings.limits.quota_bytes,
        )
        self.read = Read(self.store, self.policy)
        self.blobs = MemoryBlobs()
        self.media = Media(self.store, self.blobs, self.clock, self.settings.limits)
        self.dids = dids or FakeDids()
        self.domains = set() if domains is None else domains
        self.book = book or MemoryBook()
        self.handles: Mapping[str, Did] = {} if handles is None else handles
        self.accounts = Accounts(
            self.store,
            self.book,
            self.projection,
            self.dids,
            self.clock,
            self.settings,
            self.keyring.prime,
            controls_domain=self._controls,
            resolves_to=self._resolves,
            refuses_mail_of=lambda domain: domain == "throwaway.example",
        )
        self.transfer = Transfer(
            self.store,
            self.policy,
            self.projection,
            self.tids,
            self.clock,
            quota_bytes=self.settings.limits.quota_bytes,
        )

    async def _resolves(self, handle: Handle, did: Did) -> bool:
        return self.handles.get(handle) == did

    async def _controls(self, handle: Handle) -> bool:
        return handle in self.domains

    async def member(self, name: str = "alice") -> Member:
        """A fresh member called ``name``."""
        return await self.accounts.create(Application(f"{name}.test", None))


def owner(member: Member) -> Agent:
    """The member, signed in."""
    return Agent(Credential.SESSION, member.id, member.webid)
