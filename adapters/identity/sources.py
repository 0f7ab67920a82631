"""Where the identity verifier gets its documents: name systems by a port, the web by the egress.

Spec: https://atproto.com/specs/handle#handle-resolution, https://www.w3.org/TR/did-core/#did-resolution
"""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson

from adapters.http.fetch import Fetch
from adapters.identity.verify import Found, Sources
from pod.errors import Forbidden, Invalid, NotFound, PeerUnavailable, TooLarge
from pod.model.ids import Did, Handle, parse_did, parse_handle

_NOTHING = (Forbidden, Invalid, NotFound, PeerUnavailable, TooLarge)


class Identities(Protocol):
    """Resolution of the two name systems of the AT Protocol."""

    async def did_document(self, did: Did, *, fresh: bool = False) -> dict[str, Any] | None:
        """The document of a DID, None if there is none; raises PeerUnavailable."""
        ...

    async def resolve_handle(self, handle: Handle) -> Did | None:
        """The DID that a handle points to."""
        ...


def web_sources(identities: Identities, fetch: Fetch, *, scheme: str = "https") -> Sources:
    """Sources over the network; what cannot be fetched is simply not there."""

    async def handle(name: str) -> Found | None:
        try:
            did = await identities.resolve_handle(parse_handle(name))
        except _NOTHING:
            return None
        if did is None:
            return None
        evidence = f"DNS _atproto.{name} or https://{name}/.well-known/atproto-did"
        return Found(did.encode(), "text/plain", evidence, f"the domain {name}")

    async def did(name: str) -> Found | None:
        try:
            document = await identities.did_document(parse_did(name), fresh=True)
        except _NOTHING:
            return None
        if document is None:
            return None
        is_web = name.startswith("did:web:")
        authority = f"the web server of {name[8:]}" if is_web else "the rotation keys of the DID"
        return Found(orjson.dumps(document), "application/did+json", name, authority)

    async def get(url: str, accept: str) -> Found | None:
        try:
            answer = await fetch.get(url, {"Accept": accept})
        except _NOTHING:
            return None
        if answer.status != 200:
            return None
        authority = f"the web server of {urlsplit(answer.url).netloc}"
        return Found(answer.body, answer.content_type, url, authority)

    return Sources(handle, did, get, scheme)
