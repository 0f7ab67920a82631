"""Groups that are described on other servers: fetched through the guarded egress, and cached.

Spec: https://solidproject.org/TR/wac#acl-agentgroup
"""

from __future__ import annotations

import asyncio
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from adapters.solid.ports import Egress
from adapters.solid.rdf.parse import RDF_ACCEPT, aside
from adapters.solid.wac.document import members_by_group
from pod.errors import PodError
from pod.model.ids import Iri
from pod.ports import Clock

_GOOD_FOR: Final = timedelta(minutes=5)
_FAILED_FOR: Final = timedelta(seconds=60)
_WAIT_S: Final = 3.0
_MAX_BYTES: Final = 1_000_000
_MAX_DOCUMENTS: Final = 512
_AT_ONCE: Final = 8
"""How many documents one decision may wait for; what is named beyond them stays unknown."""


@dataclass(slots=True)
class _Document:
    """A group document as it was last seen; nothing is in it when it could not be had."""

    groups: dict[str, set[Iri]] = field(default_factory=dict)
    etag: str | None = None
    until: datetime | None = None


class FetchedGroups:
    """The policy's `RemoteGroups`.

    A document is good for five minutes and then asked for again by its ETag. One that cannot be had
    lets nobody in, and is not asked for again for a minute. A decision waits three seconds at
    most; the answer of a slower peer is there for the next one.
    """

    def __init__(self, fetch: Egress, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._known: dict[str, _Document] = {}
        self._asked: dict[str, asyncio.Task[None]] = {}

    def members(self, group: Iri) -> frozenset[Iri]:
        """The members of a group as far as they are known."""
        document = self._known.get(_document_of(group))
        if document is None or not self._is_fresh(document):
            return frozenset()
        return frozenset(document.groups.get(group, ()))

    async def learn(self, groups: AbstractSet[Iri]) -> None:
        """Fetch the documents that describe groups, where they are not known; never raises."""
        wanted = sorted({_document_of(group) for group in groups})[:_AT_ONCE]
        tasks = [
            self._asking(url)
            for url in wanted
            if (known := self._known.get(url)) is None or not self._is_fresh(known)
        ]
        if tasks:
            await asyncio.wait(tasks, timeout=_WAIT_S)

    def _is_fresh(self, document: _Document) -> bool:
        return document.until is not None and self._clock.now() < document.until

    def _asking(self, url: str) -> asyncio.Task[None]:
        task = self._asked.get(url)
        if task is None:
            task = self._asked[url] = asyncio.create_task(self._ask(url))
            task.add_done_callback(lambda _: self._asked.pop(url))
        return task

    async def _ask(self, url: str) -> None:
        before = self._known.get(url) or _Document()
        headers = {"Accept": RDF_ACCEPT}
        if before.etag is not None:
            headers["If-None-Match"] = before.etag
        try:
            answer = await self._fetch.get(url, headers, max_bytes=_MAX_BYTES)
        except PodError:
            return self._keep(url, _Document(), _FAILED_FOR)
        if answer.status == 304 and before.etag is not None:
            return self._keep(url, before, _GOOD_FOR)
        if answer.status != 200:
            return self._keep(url, _Document(), _FAILED_FOR)
        body, media_type = answer.body, answer.content_type.partition(";")[0].strip().lower()
        groups = await aside(len(body), lambda: members_by_group(body, media_type, url))
        return self._keep(url, _Document(groups, answer.headers.get("ETag")), _GOOD_FOR)

    def _keep(self, url: str, document: _Document, lasting: timedelta) -> None:
        document.until = self._clock.now() + lasting
        self._known.pop(url, None)
        while len(self._known) >= _MAX_DOCUMENTS:
            del self._known[next(iter(self._known))]
        self._known[url] = document


def _document_of(group: Iri) -> str:
    return group.partition("#")[0]
