"""What is loaded when it is first asked for: a pod that nobody looks at takes less memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from functools import cached_property

from adapters.http.fetch import Fetch
from pod.access.acl import Acl
from pod.access.policy import AclReader, RemoteGroups
from pod.model.ids import Iri
from pod.model.resource import Resource
from pod.ports import Clock
from server.hosts import App, Receive, Scope, Send


class Deferred:
    """An application that is made, in a thread, at its first request."""

    def __init__(self, make: Callable[[], App]) -> None:
        self._make = make
        self._lock = asyncio.Lock()
        self._app: App | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; those that come meanwhile wait for the first."""
        app = self._app or await self.made()
        await app(scope, receive, send)

    async def made(self) -> App:
        """The application itself."""
        async with self._lock:
            if self._app is None:
                self._app = await asyncio.to_thread(self._make)
            return self._app


class AccessDocuments:
    """The policy's `AclReader` and `RemoteGroups`: the Solid wing's, loaded when first needed."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock

    @cached_property
    def _wing(self) -> AclReader:
        from adapters.solid.face import WacDocuments

        return WacDocuments()

    def acl(self, document: Resource, base: Iri) -> Acl:
        """The rules of an access control document."""
        return self._wing.acl(document, base)

    def group(self, document: Resource, base: Iri, group: Iri) -> frozenset[Iri]:
        """The members of a group that a document describes."""
        return self._wing.group(document, base, group)

    @cached_property
    def _groups(self) -> RemoteGroups:
        from adapters.solid.face import FetchedGroups

        return FetchedGroups(self._fetch, self._clock)

    def members(self, group: Iri) -> frozenset[Iri]:
        """The members of a group elsewhere, as far as they are known."""
        return self._groups.members(group)

    async def learn(self, groups: AbstractSet[Iri]) -> None:
        """Get to know groups elsewhere."""
        await self._groups.learn(groups)
