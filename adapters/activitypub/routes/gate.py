"""Who asks for a document: signed GETs, and authorised fetch where the operator wants it.

Spec: https://swicg.github.io/activitypub-http-signature/#authorized-fetch
"""

from __future__ import annotations

from urllib.parse import urlsplit

from adapters.activitypub import moderation
from adapters.activitypub.jsonld import read
from adapters.activitypub.signature import verify as signatures
from adapters.activitypub.signature.request import Request
from adapters.activitypub.wing import Wing
from adapters.http.hosts import Hosts
from adapters.http.incoming import presented
from adapters.http.throttle import Limit
from pod.errors import Gone, NotFound, Overloaded, PeerUnavailable, Unauthenticated
from pod.model.ids import Iri
from pod.model.member import Member

ASKERS = Limit(3_000, 300)
"""Signed GETs of one server in five minutes."""


class Gate:
    """Looks at the request that is being answered. With ``secure``, nobody reads unsigned."""

    def __init__(self, wing: Wing, *, secure: bool) -> None:
        self._wing = wing
        self._hosts = Hosts(wing.reader, wing.server)
        self.secure = secure

    async def visitor(self) -> Iri | None:
        """The actor who signed the request, None where it is unsigned.

        Raises Unauthenticated for signatures that do not hold, Forbidden for servers that the pod
        does not talk to, Throttled, and Overloaded when the key cannot be had at the moment.
        """
        sent = presented(self._hosts)
        request = Request(sent.method, sent.url, list(sent.headers.items()), sent.body)
        if not request.has("signature"):
            return None
        now = self._wing.clock.now()
        claim = signatures.read(request, now)
        self._wing.federation.require(claim.key_id)
        host = urlsplit(claim.key_id).netloc.lower()
        self._wing.throttle.take(f"fetch {host}", ASKERS)
        try:
            return (await signatures.verify(claim, self._wing.actors, now)).owner
        except Gone as err:
            raise Unauthenticated("The signer's key is gone.") from err
        except PeerUnavailable as err:
            raise Overloaded("The signer's key cannot be had at the moment.") from err

    async def require(self, member: Member | None = None) -> None:
        """Let pass whom the documents are for: everybody, or in secure mode who signs.

        Raises Unauthenticated, Forbidden (also where everybody may read, for servers that are shut
        out), Throttled, Overloaded; NotFound for whom the member blocks.
        """
        visitor = await self.visitor() if self.secure else await self._named()
        if visitor is None and self.secure:
            raise Unauthenticated("This server answers signed requests only.")
        if member is None or visitor is None:
            return
        if not moderation.may_see(self._wing, member, visitor):
            raise NotFound

    async def shows_actor(self, member: Member) -> bool:
        """Whether who asks may see all of a member's actor; in secure mode not everybody may."""
        if not self.secure:
            return True
        visitor = await self.visitor()
        return visitor is not None and moderation.may_see(self._wing, member, visitor)

    async def _named(self) -> Iri | None:
        """Where anybody reads: whom the signature names, unverified; a lie only shuts the liar out.

        Raises Forbidden for servers that are shut out.
        """
        sent = presented(self._hosts)
        request = Request(sent.method, sent.url, list(sent.headers.items()), sent.body)
        if not request.has("signature"):
            return None
        try:
            key_id = signatures.read(request, self._wing.clock.now()).key_id
            self._wing.federation.require(key_id)
            if "#" not in key_id:
                return (await self._wing.actors.actor_key(key_id, fresh=False)).owner
        except (Gone, PeerUnavailable, Unauthenticated):
            return None
        return read.iri({"id": key_id.partition("#")[0]}, "id")
