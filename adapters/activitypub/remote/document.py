"""Documents of other servers: signed GETs, believed only from the origin that their ids name.

Spec: https://w3id.org/fep/fe34 and https://www.w3.org/TR/activitypub/#retrieving-objects
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from adapters.activitypub.jsonld import read, strict
from adapters.activitypub.jsonld.context import AS2, MEDIA_TYPE, PROFILED_TYPE
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.ports import Egress, Keys
from adapters.activitypub.remote.hosts import Hosts
from adapters.activitypub.signature import cavage, rfc9421
from adapters.activitypub.signature.request import Request
from adapters.http.fetch import Fetched
from adapters.http.negotiate import parse_media_type
from pod.errors import Gone, Invalid, PeerUnavailable
from pod.model.ids import Iri, Origin
from pod.model.member import Member
from pod.ports import Clock

SPARED_FOR: Final = timedelta(seconds=30)
"""How long a host that did not answer is not asked again."""

_REFUSED: Final = frozenset({400, 401, 403})
_KEPT: Final = 10_000


class Documents:
    """Asks in the name of the server's own actor, whose key anybody may fetch unsigned.

    Only what is told to one member alone is asked for in the name of that member, the ``reader``.
    """

    def __init__(
        self, egress: Egress, keys: Keys, clock: Clock, server: Origin, hosts: Hosts
    ) -> None:
        self._egress = egress
        self._keys = keys
        self._clock = clock
        self._actor = f"{server}/actor"
        self._hosts = hosts
        self._silent: dict[str, datetime] = {}

    async def document(self, iri: Iri, reader: Member | None = None) -> Node:
        """The AS2 document with an id.

        One that calls itself otherwise is asked for once more under that name. Raises Gone (404 and
        410), PeerUnavailable, Invalid, Forbidden and TooLarge.
        """
        document, url = await self._get(iri, reader)
        claimed = read.id_of(document)
        if claimed is None or not read.same_origin(claimed, url):
            raise Invalid("The document's id is not of the origin that serves it.")
        if claimed not in (iri, iri.split("#", 1)[0]):
            document, url = await self._get(claimed, reader)
            if read.id_of(document) != claimed or not read.same_origin(claimed, url):
                raise Invalid("The document has another id than it was asked for.")
        return document

    async def _get(self, iri: Iri, reader: Member | None) -> tuple[Node, str]:
        url = iri.split("#", 1)[0]
        host = urlsplit(url).netloc.lower()
        fetched = await self._signed_get(url, reader, modern=self._hosts.state(host).modern)
        if fetched.status in _REFUSED:
            modern = not self._hosts.state(host).modern
            again = await self._signed_get(url, reader, modern=modern)
            if again.status not in _REFUSED:
                await self._hosts.prefer(host, modern=modern)
                fetched = again
        if fetched.status in (404, 410):
            raise Gone("There is no such document.")
        if fetched.status != 200:
            raise PeerUnavailable(f"Another server answered with {fetched.status}.")
        if not _is_as2(fetched.content_type):
            raise Invalid("The document is not AS2.")
        return read.parse(fetched.body), fetched.url

    async def _signed_get(self, url: str, reader: Member | None, *, modern: bool) -> Fetched:
        """One signed GET, unless the host was silent a moment ago."""
        host, now = urlsplit(url).netloc.lower(), self._clock.now()
        if now - self._silent.get(host, now - SPARED_FOR) < SPARED_FOR:
            raise PeerUnavailable
        signer = await self._keys.actor_key(reader.id if reader is not None else None)
        named = f"{reader.webid if reader is not None else self._actor}#main-key"
        scheme = rfc9421 if modern else cavage

        def headers(hop: str) -> Mapping[str, str]:
            bare = Request("GET", hop, [])
            signed = scheme.sign(bare, key_id=named, sign=signer.sign, now=now)
            return {"Accept": f"{MEDIA_TYPE}, {PROFILED_TYPE}", **signed}

        try:
            fetched = await self._egress.get(url, headers, max_bytes=strict.MAX_BYTES)
        except PeerUnavailable:
            self._silent.pop(host, None)
            self._silent[host] = now
            if len(self._silent) > _KEPT:
                self._silent.pop(next(iter(self._silent)))
            raise
        self._silent.pop(host, None)
        return fetched


def _is_as2(content_type: str) -> bool:
    media = parse_media_type(content_type)
    if media is None:
        return False
    if media.essence == MEDIA_TYPE:
        return True
    profile = dict(media.parameters).get("profile", "")
    return media.essence == "application/ld+json" and AS2 in profile.split()
