"""Actors and objects of other servers: fetched from the origin that may speak for them, and cached.

Spec: https://www.w3.org/TR/activitypub/#actor-objects and https://w3id.org/fep/fe34
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import tags
from adapters.activitypub.ports import RemoteCache
from adapters.activitypub.remote.document import Documents
from adapters.activitypub.signature.verify import (
    REFETCH_AFTER,
    ActorKey,
    PublicKey,
    public_key,
)
from pod.errors import Forbidden, Invalid, TooLarge, Unauthenticated
from pod.keys import multibase
from pod.model.ids import Iri
from pod.model.member import Member
from pod.ports import Clock

ACTOR_TYPES: Final = frozenset({"Application", "Group", "Organization", "Person", "Service"})
FRESH: Final = timedelta(hours=24)
"""How long a cached actor is believed."""

_KEPT_KEYS: Final = 10_000
_ED25519: Final = b"\xed\x01"


@dataclass(frozen=True, slots=True)
class RemoteActor:
    """What delivery and signatures need of an actor of another server."""

    id: Iri
    inbox: Iri
    shared_inbox: Iri | None
    keys: Mapping[str, PublicKey]
    fetched_at: datetime

    @property
    def mailbox(self) -> Iri:
        """Where to deliver: the shared inbox, if there is one."""
        return self.shared_inbox or self.inbox


Confirms = Callable[[str, Iri], Awaitable[bool]]
"""Whether the host of an address says that it is an actor's."""


class Actors:
    """Finds actors, their keys and other objects, each asked for once at a time."""

    def __init__(
        self, fetcher: Documents, cache: RemoteCache, clock: Clock, confirms: Confirms
    ) -> None:
        self._fetcher = fetcher
        self._confirms = confirms
        self._cache = cache
        self._clock = clock
        self._keys: dict[str, ActorKey] = {}
        self._asking: dict[Iri, asyncio.Lock] = {}

    async def actor(self, iri: Iri, *, fresh: bool = False) -> RemoteActor:
        """The actor with an id; raises Gone, PeerUnavailable, and Invalid for what is no actor."""
        held = None if fresh else self.cached(iri)
        if held is not None:
            return held
        asked_at = self._clock.now()
        lock = self._asking.setdefault(iri, asyncio.Lock())
        try:
            async with lock:
                known = self.cached(iri)
                if known is not None and (not fresh or known.fetched_at > asked_at):
                    return known
                document = await self.document(iri)
                now = self._clock.now()
                actor = read_actor(document, now)
                document = await self._with_believed_name(document, actor.id)
                await self._cache.put(iri, orjson.dumps(document), now)
                self._forget_keys(actor.id)
                return actor
        finally:
            self._asking.pop(iri, None)

    def cached(self, iri: Iri) -> RemoteActor | None:
        """The actor, if it was fetched of late."""
        held = self._cache.get(iri)
        if held is None or self._clock.now() - held[1] > FRESH:
            return None
        return read_actor(orjson.loads(held[0]), held[1])

    def handle(self, iri: Iri) -> str:
        """``@name@host`` of an actor, after what is cached of it, else after its id."""
        held = self._cache.get(iri)
        name = read.text(orjson.loads(held[0]), "preferredUsername") if held is not None else None
        return f"@{name}@{urlsplit(iri).netloc}" if name else tags.handle(iri)

    async def actor_key(self, key_id: str, *, fresh: bool) -> ActorKey:
        """The key with an id, listed by an actor of the same origin (see `verify.KeyFinder`)."""
        known = self._keys.get(key_id)
        is_young = known is not None and self._clock.now() - known.fetched_at <= FRESH
        if known is not None and is_young and not fresh:
            return known
        try:
            owner = await self._owner(key_id)
            actor = await self.actor(owner, fresh=fresh)
            is_old = self._clock.now() - actor.fetched_at >= REFETCH_AFTER
            if key_id not in actor.keys and is_old:
                actor = await self.actor(owner, fresh=True)  # the key may be new
        except (Invalid, Forbidden, TooLarge) as err:
            raise Unauthenticated("The signer's key cannot be found.") from err
        public = actor.keys.get(key_id)
        if public is None:
            raise Unauthenticated("The signer does not list the key.")
        key = ActorKey(key_id, actor.id, public, actor.fetched_at)
        if len(self._keys) >= _KEPT_KEYS:
            self._keys.pop(next(iter(self._keys)))
        self._keys[key_id] = key
        return key

    async def _with_believed_name(self, document: Node, actor: Iri) -> Node:
        """Without an address on another host that does not lead back to the actor."""
        claimed = read.text(document, "webfinger")
        host = urlsplit(actor).netloc.lower().removesuffix(":443")
        if claimed is None or claimed.lower().rpartition("@")[2].removesuffix(":443") == host:
            return document
        if await self._confirms(claimed, actor):
            return document
        return {name: value for name, value in document.items() if not name.endswith("webfinger")}

    def _forget_keys(self, owner: Iri) -> None:
        """Look for the keys of an actor anew: one that was replaced is good no more."""
        for key_id in [each for each, key in self._keys.items() if key.owner == owner]:
            del self._keys[key_id]

    async def document(self, iri: Iri, reader: Member | None = None) -> Node:
        """The AS2 document with an id, from its own origin (see `Documents.document`)."""
        return await self._fetcher.document(iri, reader)

    async def _owner(self, key_id: str) -> Iri:
        bare = read.iri({"id": key_id.split("#", 1)[0]}, "id")
        if bare is None:
            raise Unauthenticated("The signature's key id is not a web address.")
        if "#" in key_id:
            return bare
        document = await self.document(bare)
        key = read.node(document, "publicKey") or document
        owner = read.iri(key, "owner") or read.id_of(document)
        if owner is None or not read.same_origin(owner, key_id):
            raise Unauthenticated("The key and its owner are of different origins.")
        return owner


def read_actor(document: Node, fetched_at: datetime) -> RemoteActor:
    """An actor document as a peer; raises Invalid when it cannot be one."""
    actor, inbox = read.id_of(document), read.iri(document, "inbox")
    if actor is None or inbox is None or ACTOR_TYPES.isdisjoint(read.types(document)):
        raise Invalid("The document is not an actor.")
    if not read.same_origin(actor, inbox):
        raise Invalid("The actor's inbox is not of its origin.")
    endpoints = read.node(document, "endpoints") or {}
    return RemoteActor(
        actor, inbox, read.iri(endpoints, "sharedInbox"), _keys_of(document, actor), fetched_at
    )


def _keys_of(document: Node, actor: Iri) -> dict[str, PublicKey]:
    found: dict[str, PublicKey] = {}
    for node in read.nodes(document, "publicKey"):
        pem, key_id = read.text(node, "publicKeyPem"), read.id_of(node)
        if pem is not None and key_id and read.iri(node, "owner") in (actor, None):
            try:
                found[key_id] = public_key(pem)
            except Unauthenticated:
                continue
    for node in read.nodes(document, "assertionMethod"):
        text, key_id = read.text(node, "publicKeyMultibase"), read.id_of(node)
        if text is not None and key_id and read.iri(node, "controller") in (actor, None):
            key = _multikey(text)
            if key is not None:
                found[key_id] = key
    return {key_id: key for key_id, key in found.items() if read.same_origin(key_id, actor)}


def _multikey(text: str) -> Ed25519PublicKey | None:
    try:
        raw = multibase.decode(text)
        return Ed25519PublicKey.from_public_bytes(raw[2:]) if raw[:2] == _ED25519 else None
    except (Invalid, ValueError):
        return None
