"""DID documents and handles of anybody, with a cache that forgets.

Spec: https://atproto.com/specs/did, https://atproto.com/specs/handle
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeVar

import orjson

from adapters.atproto.did.client import Directory
from adapters.atproto.did.handle import HandleResolver
from adapters.http.fetch import Fetch
from pod.errors import Forbidden, Invalid, NotFound, PeerUnavailable, TooLarge
from pod.model.ids import Did, Handle
from pod.ports import Clock

K = TypeVar("K")
V = TypeVar("V")

_KNOWN_FOR: Final = timedelta(minutes=10)
_UNKNOWN_FOR: Final = timedelta(minutes=1)
_MAX_ENTRIES: Final = 10_000
_MAX_BYTES: Final = 100_000


class _Cache(Generic[K, V]):
    """Answers and the lack of them, each for its time; the oldest go when it is full."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[K, tuple[datetime, V | None]] = {}

    def get(self, key: K) -> tuple[V | None] | None:
        """The answer in a tuple, None if nothing is known."""
        until, value = self._kept.get(key, (None, None))
        return (value,) if until is not None and until > self._clock.now() else None

    def put(self, key: K, value: V | None) -> V | None:
        """Keep an answer and return it."""
        self._kept.pop(key, None)
        if len(self._kept) >= _MAX_ENTRIES:
            del self._kept[next(iter(self._kept))]
        span = _UNKNOWN_FOR if value is None else _KNOWN_FOR
        self._kept[key] = self._clock.now() + span, value
        return value


class NetworkIdentities:
    """Implements `adapters.atproto.ports.Identities` for did:plc and did:web.

    ``own`` gives the documents of the did:web members of this server.
    """

    def __init__(
        self,
        directory: Directory,
        handles: HandleResolver,
        fetch: Fetch,
        clock: Clock,
        *,
        own: Callable[[Did], dict[str, Any] | None],
    ) -> None:
        self._directory = directory
        self._handles = handles
        self._fetch = fetch
        self._own = own
        self._documents: _Cache[Did, dict[str, Any]] = _Cache(clock)
        self._dids: _Cache[Handle, Did] = _Cache(clock)

    async def did_document(self, did: Did, *, fresh: bool = False) -> dict[str, Any] | None:
        """The DID document, None if there is none; raises PeerUnavailable."""
        known = None if fresh else self._documents.get(did)
        if known is not None:
            return known[0]
        try:
            if did.startswith("did:plc:"):
                document: dict[str, Any] | None = await self._directory.document(did)
            else:
                document = self._own(did) or await self._did_web(did)
        except (NotFound, Invalid, Forbidden, TooLarge):
            document = None
        return self._documents.put(did, document)

    async def resolve_handle(self, handle: Handle) -> Did | None:
        """The DID that a handle points to; whether it points back is not asked here."""
        known = self._dids.get(handle)
        return known[0] if known else self._dids.put(handle, await self._handles.resolve(handle))

    async def _did_web(self, did: Did) -> dict[str, Any] | None:
        """The document of a did:web, which in ATProto is a bare host."""
        method, host = did[:8], did[8:]
        name, _, port = host.partition("%3A")
        if method != "did:web:" or ":" in host or (port and name != "localhost"):
            return None
        origin = f"http://{name}:{port}" if port else f"https://{name}"
        answer = await self._fetch.get(f"{origin}/.well-known/did.json", max_bytes=_MAX_BYTES)
        if answer.status in (404, 410):
            return None
        try:
            document = orjson.loads(answer.body) if answer.status == 200 else None
        except orjson.JSONDecodeError:
            document = None
        if not isinstance(document, dict):
            raise PeerUnavailable("the server of the DID gave no document")
        return document
