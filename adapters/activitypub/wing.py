"""What the rooms of this wing share: the core's services, the wing's ports, and who is local.

Spec: https://www.w3.org/TR/activitypub/
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from adapters.activitypub.blurhash import Blurhashes
from adapters.activitypub.federation import Federation
from adapters.activitypub.jsonld import read
from adapters.activitypub.lens import emoji, profile
from adapters.activitypub.lens.names import Names, member_at, object_id, read_object_path
from adapters.activitypub.lens.profile import ActorKeys, Presented
from adapters.activitypub.lens.published import Published, View
from adapters.activitypub.ports import (
    ActivityLog,
    DeliveryQueue,
    DomainRules,
    Edges,
    Egress,
    Emojis,
    Farewells,
    Followers,
    Herald,
    Keys,
    RemoteCache,
    Reports,
    Seen,
)
from adapters.activitypub.remote.actor import Actors
from adapters.activitypub.remote.hosts import Hosts
from adapters.activitypub.signature.signer import Signer
from adapters.http.throttle import Throttle
from pod.errors import Forbidden, Gone, Invalid, PeerUnavailable, TooLarge
from pod.model.ids import Iri, MemberId, Origin
from pod.model.member import Member
from pod.model.note import Note
from pod.model.profile import Profile
from pod.model.resource import Resource, ResourcePath
from pod.ports import Clock, Reader
from pod.read import NOTES_PREFIX, PROFILE_PATH, noun_of
from pod.records.tid import TidClock
from pod.write import Write


@dataclass(frozen=True, slots=True)
class Wing:
    """The services of the pod as ActivityPub uses them; ``server`` is the server's own origin.

    ``rests_until`` says when to ask again whether a member's domain is well enough to send for.
    ``outgoing`` is set whenever something was queued, and wakes the sender. ``voting`` is held
    while a vote is counted.
    """

    server: Origin
    reader: Reader
    write: Write
    keys: Keys
    clock: Clock
    tids: TidClock
    egress: Egress
    actors: Actors
    followers: Followers
    edges: Edges
    seen: Seen
    cache: RemoteCache
    queue: DeliveryQueue
    rules: DomainRules
    federation: Federation
    reports: Reports
    farewells: Farewells
    log: ActivityLog
    blurhashes: Blurhashes
    hosts: Hosts
    throttle: Throttle
    emojis: Emojis
    rests_until: Callable[[Member], datetime | None] = lambda _: None
    heralds: list[Herald] = field(default_factory=list)
    outgoing: asyncio.Event = field(default_factory=asyncio.Event)
    voting: asyncio.Lock = field(default_factory=asyncio.Lock)
    signer: Signer = field(default_factory=Signer)

    async def herald(self, tell: Callable[[Herald], Awaitable[None]]) -> None:
        """Let those hear of something who keep timelines; a post that cannot be had is not told."""
        for herald in self.heralds:
            try:
                await tell(herald)
            except (Forbidden, Gone, Invalid, PeerUnavailable, TooLarge):
                continue

    def knows(self, actor: Iri) -> bool:
        """Whether anything of an actor of another server is kept."""
        if self.cache.get(actor) is not None or self.followers.has(actor):
            return True
        is_heard = any(herald.knows(actor) for herald in self.heralds)
        return is_heard or bool(self.edges.of_actor(actor, limit=1))

    def let_follow(self, actor: Iri) -> list[MemberId]:
        """The members whom an actor of another server lets follow, and who still do."""
        held = self.edges.accepts_of(actor)
        return [member for member, edge in held if self.reader.resource(member, edge.path)]

    @property
    def shared_inbox(self) -> Iri:
        """The one inbox of all members."""
        return Iri(f"{self.server}/inbox")

    def published(self, member: Member, resource: Resource) -> Published:
        """A public record as the lenses take it."""
        return Published(member, resource, self._names(member))

    async def look_at(self, member: Member, path: ResourcePath) -> None:
        """Compute the blurhashes of the pictures of a post, before it is shown."""
        resource = self.reader.resource(member.id, path) if path.startswith(NOTES_PREFIX) else None
        noun = noun_of(resource) if resource is not None else None
        if isinstance(noun, Note):
            await self.blurhashes.compute([image.blob for image in noun.images])

    def presented(self, member: Member) -> Presented:
        """A member as the profile lens takes them."""
        resource = self.reader.resource(member.id, PROFILE_PATH)
        return Presented(member, resource, self._names(member), self.server)

    def emoji_tags(self, *texts: str) -> list[View]:
        """The tags of the server's custom emoji that stand in some texts."""
        return emoji.tags(self.emojis.all(), self.server, *texts)

    def _names(self, member: Member) -> Names:
        return Names(self.reader, member, self.blurhashes.of, self.emoji_tags)

    async def actor_view(self, member: Member) -> View:
        """A member's actor, without context."""
        presented = self.presented(member)
        noun = noun_of(presented.resource) if presented.resource is not None else None
        shown = noun if isinstance(noun, Profile) else Profile()
        return profile.get(shown, presented, await self.actor_keys(member))

    async def actor_keys(self, member: Member) -> ActorKeys:
        """The public keys that a member's actor lists."""
        rsa = await self.keys.actor_key(member.id)
        proof = await self.keys.proof_key(member.id)
        return ActorKeys(rsa.public_pem, proof.multikey)

    def local_actor(self, iri: str) -> Member | None:
        """The active member whose actor id this is."""
        member = member_at(self.reader, iri)
        return member if member and member.is_active and member.webid == iri else None

    def local_object(self, iri: str) -> tuple[Member, Resource] | None:
        """The public record of an active member whose object id this is."""
        member = member_at(self.reader, iri)
        path = member.path(iri) if member is not None and member.is_active else None
        if member is None or path is None or not path.startswith("/repo/"):
            return None
        bare, _ = read_object_path(path)
        resource = self.reader.resource(member.id, bare)
        if resource is None or object_id(member, bare, resource.generation) != iri:
            return None
        return member, resource

    def is_local(self, iri: str) -> bool:
        """Whether an IRI is of this pod."""
        return read.same_origin(iri, self.server) or member_at(self.reader, iri) is not None
