"""What the ActivityPub wing needs of others: relations with peers, a queue, a cache, an egress.

Spec: https://www.w3.org/TR/activitypub/#delivery
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from adapters.activitypub.jsonld.read import Node
from adapters.http.fetch import Fetched, HeadersFor
from pod.keys.ed25519 import Ed25519Key
from pod.keys.rsa import RsaKey
from pod.model.change import Change
from pod.model.emoji import Emoji
from pod.model.ids import AtUri, Cid, Did, Iri, MemberId, Tid
from pod.model.member import Member
from pod.model.moderation import DomainRule, ImportRow, ImportState, ListKind, Report
from pod.model.peer import Delivery, Edge, EdgeKind, Follower, HostState, Outgoing
from pod.model.resource import ResourcePath


class Emojis(Protocol):
    """The custom emoji that the server offers."""

    def all(self) -> Mapping[str, Emoji]:
        """By their names, which are without colons."""
        ...

    def body(self, emoji: Emoji) -> bytes:
        """The picture; raises NotFound when it was just removed."""
        ...


class Followers(Protocol):
    """The followers of each member."""

    def get(self, member: MemberId, actor: Iri) -> Follower | None: ...
    def count(self, member: MemberId) -> int:
        """How many are accepted."""
        ...

    def page(self, member: MemberId, *, after: str, limit: int) -> list[Follower]:
        """Accepted followers in the order of their ids."""
        ...

    def waiting(self, member: MemberId, *, limit: int) -> list[Follower]:
        """Those who ask to follow."""
        ...

    def inboxes(self, member: MemberId) -> list[Iri]:
        """Each inbox once that reaches accepted followers, the shared one where there is one."""
        ...

    def has(self, actor: Iri) -> bool:
        """Whether an actor follows any member, or asks to."""
        ...

    async def put(
        self, member: MemberId, follower: Follower, now: datetime, *, telling: Sequence[Outgoing]
    ) -> None:
        """Add or replace a follower and queue what is told of it, in one transaction."""
        ...

    async def remove(
        self, member: MemberId, actor: Iri, now: datetime, *, telling: Sequence[Outgoing] = ()
    ) -> None:
        """Forget a follower and queue what is told of it, in one transaction."""
        ...

    async def remove_follow(self, actor: Iri, follow_id: Iri) -> None:
        """Take back one follow of an actor."""
        ...

    async def move_actor(self, actor: Iri, inbox: Iri, shared_inbox: Iri | None) -> None:
        """Note that an actor has other inboxes now, with every member."""
        ...

    async def remove_actor(self, actor: Iri) -> None:
        """Forget an actor who is gone, with every member."""
        ...


class Edges(Protocol):
    """Likes, announces, replies and accepts that came from elsewhere."""

    def count(self, member: MemberId, path: ResourcePath, kind: EdgeKind) -> int:
        """How many public ones there are."""
        ...

    def page(
        self, member: MemberId, path: ResourcePath, kind: EdgeKind, *, limit: int, offset: int = 0
    ) -> list[Edge]:
        """The newest public ones, but for the first ``offset``."""
        ...

    def tally(
        self, member: MemberId, path: ResourcePath, kind: EdgeKind
    ) -> tuple[dict[str, int], list[Iri]]:
        """How many edges have each object, and all whose they are; private ones too."""
        ...

    def find(
        self, member: MemberId, path: ResourcePath, kind: EdgeKind, object_id: str
    ) -> Edge | None:
        """The edge with an object, whoever made it."""
        ...

    def voted(self) -> list[tuple[MemberId, ResourcePath]]:
        """The resources that have votes."""
        ...

    def held(self, member: MemberId, path: ResourcePath, kind: EdgeKind, actor: Iri) -> Edge | None:
        """The edge of one actor."""
        ...

    def about(self, actor: Iri, object_id: Iri) -> list[tuple[MemberId, Edge]]:
        """The replies and mentions that one post of an actor made."""
        ...

    def accepts_of(self, actor: Iri) -> list[tuple[MemberId, Edge]]:
        """The members whom an actor lets follow."""
        ...

    def of_actor(self, actor: Iri, *, limit: int) -> list[tuple[MemberId, Edge]]:
        """What an actor did, with every member."""
        ...

    async def put(self, member: MemberId, edge: Edge, *, telling: Sequence[Outgoing] = ()) -> None:
        """Add an edge, once for (path, kind, actor, object), and queue what is told of it.

        Both in one transaction.
        """
        ...

    async def retract(
        self, member: MemberId, edge: Edge, now: datetime, *, telling: Sequence[Outgoing]
    ) -> None:
        """Forget an edge and queue what is told of that, in one transaction."""
        ...

    async def remove_kind(self, member: MemberId, path: ResourcePath, kind: EdgeKind) -> None:
        """Forget all edges of a kind."""
        ...

    async def remove_activity(self, actor: Iri, activity: Iri) -> None:
        """Take back what an activity of an actor did."""
        ...

    async def remove(
        self, member: MemberId, path: ResourcePath, kind: EdgeKind, actor: Iri
    ) -> None:
        """Take back what an actor did to a resource, in whichever activity."""
        ...

    async def remove_object(self, actor: Iri, object_id: Iri) -> None:
        """Forget a post of an actor."""
        ...


class DomainRules(Protocol):
    """The administrator's rules for other servers; reads cost next to nothing."""

    def get(self, domain: str) -> DomainRule | None:
        """The rule for exactly this domain."""
        ...

    def all(self) -> list[DomainRule]: ...
    async def put(self, rule: DomainRule) -> None: ...
    async def remove(self, domain: str) -> None: ...


class Reports(Protocol):
    """Complaints for the administrator."""

    def newest(self, *, limit: int, only_open: bool) -> list[Report]: ...
    async def add(self, report: Report, *, telling: Sequence[Outgoing] = ()) -> None:
        """Keep a report, once for its id, and queue what is told of it, in one transaction."""
        ...

    async def resolve(self, report: Iri, at: datetime) -> bool:
        """Note that a report was dealt with; False where there is no such report."""
        ...


class Imports(Protocol):
    """Lists that members bring along, line by line."""

    async def begin(self, member: MemberId, kind: ListKind, rows: Sequence[ImportRow]) -> None:
        """Take a new list in place of the last one of its kind."""
        ...

    def next(self) -> ImportRow | None:
        """A line that waits."""
        ...

    async def settle(self, row: ImportRow) -> None:
        """Note what became of a line."""
        ...

    def rows(self, member: MemberId, kind: ListKind) -> list[ImportRow]:
        """All lines of a list."""
        ...

    def states(self, member: MemberId, *, failed: int) -> list[ImportState]:
        """How far each list has come, with at most ``failed`` failures of each."""
        ...


class Farewells(Protocol):
    """What outlives an account until its peers were told."""

    async def finish(self) -> None:
        """Forget followers once all deliveries are queued, the key once all are sent."""
        ...


class Seen(Protocol):
    """Ids of activities that were processed, and other marks, for as long as replays could come."""

    def has(self, activity: str) -> bool: ...
    async def add(self, at: datetime, *ids: str) -> None: ...
    async def drop(self, activity: str) -> None: ...
    async def forget(self, before: datetime) -> None: ...


class RemoteCache(Protocol):
    """Actors of other servers as they were last fetched; may be emptied at any time."""

    def get(self, iri: Iri) -> tuple[bytes, datetime] | None: ...
    async def put(self, iri: Iri, body: bytes, at: datetime) -> None: ...
    async def forget(self, before: datetime) -> None: ...
    def page(self, *, after: str, limit: int) -> list[tuple[Iri, bytes]]:
        """Fetched documents in the order of their ids, those after ``after``; nothing computed."""
        ...


class DeliveryQueue(Protocol):
    """The durable queue, and the cursor of the reactor that fills it."""

    def cursor(self, reactor: str = ...) -> int:
        """The last change that was turned into deliveries, by whichever reactor."""
        ...

    async def enqueue(
        self,
        outgoing: Sequence[Outgoing],
        now: datetime,
        *,
        cursor: int | None = None,
        reactor: str = ...,
    ) -> None:
        """Add deliveries and move the cursor in one transaction; the same one is added once."""
        ...

    def due(self, now: datetime, *, limit: int, without: Collection[str]) -> list[Delivery]:
        """Deliveries whose time has come, by priority, then oldest first.

        None to the hosts in ``without``.
        """
        ...

    def next_due(self, now: datetime) -> datetime | None:
        """When the next delivery comes due after ``now``."""
        ...

    async def done(self, delivery: Delivery, *, within_s: float = ...) -> None:
        """Forget a delivery, at the latest in ``within_s``: it arrived, or was given up."""
        ...

    async def again(self, delivery: Delivery, at: datetime) -> None:
        """Try again later, behind what is new; one more attempt counts."""
        ...

    async def postpone(self, delivery: Delivery, at: datetime) -> None:
        """Let a delivery wait that was not tried."""
        ...

    async def rest(self, host: str, until: datetime) -> None:
        """Nothing to a host comes due before a time."""
        ...

    async def wake(self, host: str, now: datetime) -> None:
        """All that waits for a host is due at once."""
        ...

    async def expire(self, before: datetime) -> None:
        """Give up all that was queued before a time."""
        ...

    def size(self) -> int:
        """How many deliveries wait."""
        ...


class PeerHosts(Protocol):
    """What must be remembered of hosts, and which members each has met."""

    def all(self) -> list[HostState]: ...
    async def put(self, state: HostState) -> None:
        """Keep a state; one that says nothing is dropped."""
        ...

    def has_met(self, host: str, member: MemberId) -> bool:
        """Whether a host took something of a member before."""
        ...

    async def meet(self, host: str, member: MemberId, *, within_s: float = ...) -> None:
        """Note that it did, at the latest in ``within_s``."""
        ...


class ActivityLog(Protocol):
    """A member's changes, newest first."""

    def page(self, member: MemberId, *, before: int | None, limit: int) -> list[Change]:
        """Changes with ``seq < before``, newest first."""
        ...

    def count(self, member: MemberId, prefix: str) -> int:
        """How many resources stand under a path."""
        ...

    def at(self, member: MemberId, rev: Tid) -> Change | None:
        """The change with a revision."""
        ...


class Herald(Protocol):
    """Hears what comes in, for the timelines and notices of members."""

    async def post(self, post: Node, actor: Iri) -> None:
        """A post of an actor came, or its new state."""
        ...

    async def keep(self, post: Node, actor: Iri) -> None:
        """A post of an actor matters to a member, though nobody follows its author."""
        ...

    async def mention(self, member: Member, post: Node, actor: Iri) -> None:
        """A post that names a member, or answers them, came."""
        ...

    async def boost(self, node: Node, actor: Iri, target: Iri) -> None:
        """A boost of an actor came."""
        ...

    async def gone(self, iri: Iri, actor: Iri) -> None:
        """A post or boost of an actor is gone, or the actor, with all that they posted."""
        ...

    def knows(self, actor: Iri) -> bool:
        """Whether anything that an actor posted is kept."""
        ...

    def author_of(self, iri: Iri) -> Iri | None:
        """Who wrote a post of another server that is kept for members."""
        ...

    async def note(self, member: MemberId, kind: str, actor: Iri, about: str) -> None:
        """Tell a member what an actor did."""
        ...


class Egress(Protocol):
    """The guarded way out (`adapters.http.fetch.Fetch` fits)."""

    async def get(
        self, url: str, headers: HeadersFor | None = None, *, max_bytes: int | None = None
    ) -> Fetched: ...
    async def post(
        self,
        url: str,
        body: bytes,
        headers: HeadersFor | None = None,
        *,
        max_bytes: int | None = None,
    ) -> Fetched: ...


class Blobs(Protocol):
    """The bytes of blobs (`pod.ports.BlobStore` fits)."""

    def stream(self, cid: Cid, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Bytes from ``start`` up to ``end`` (exclusive); raises NotFound."""
        ...


class Elsewhere(Protocol):
    """What the other network says of people and records that are not of this pod."""

    async def did_document(self, did: Did) -> dict[str, Any] | None:
        """The DID document; raises PeerUnavailable."""
        ...

    async def record(self, uri: AtUri) -> dict[str, Any] | None:
        """A public record, asked of the server that its DID names; raises as fetching does."""
        ...


class Keys(Protocol):
    """The keys of actors (`pod.keys.keyring.KeyRing` fits)."""

    async def actor_key(self, member: MemberId | None) -> RsaKey: ...
    async def proof_key(self, member: MemberId) -> Ed25519Key: ...
    async def previous_actor_key(self, member: MemberId) -> RsaKey | None: ...
    async def rotate_actor_keys(self, member: MemberId | None) -> None: ...
