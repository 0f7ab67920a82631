"""What stands around a post of another server, fetched when a member opens its thread.

All is bounded: how many posts, how many at once, how long, and how often the same is asked.

Spec: https://docs.joinmastodon.org/spec/activitypub/#Collection (replies)
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.mastodon.library import Library
from adapters.activitypub.mastodon.lister import Lister
from adapters.activitypub.wing import Wing
from pod.errors import PodError
from pod.model.ids import Iri
from pod.model.member import Member

_DEPTH: Final = 40
_MOST_ABOVE: Final = 10
_MOST_BELOW: Final = 20
_PAGES: Final = 2
_AT_ONCE: Final = 4
_WITHIN_S: Final = 4.0
_AGAIN_AFTER: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Branches:
    """Climbs up to what a post answers, and looks for what answers it."""

    wing: Wing
    library: Library
    lister: Lister

    async def above(self, iri: Iri, node: Node, reader: Member | None) -> list[Iri]:
        """What a post answers, the beginning of the thread first; looks below meanwhile."""
        found: list[Iri] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(_WITHIN_S):
                if reader is None or self.wing.is_local(iri):
                    await self._climb(node, reader, found)
                else:
                    await asyncio.gather(self._climb(node, reader, found), self._look_below(iri))
        return found

    async def _climb(self, node: Node, reader: Member | None, above: list[Iri]) -> None:
        parent, fetched = read.iri(node, "inReplyTo"), 0
        while parent is not None and len(above) < _DEPTH and parent not in above:
            found = self.library.post(parent, reader)
            may_ask = reader is not None and fetched < _MOST_ABOVE
            if found is None and may_ask and not self.wing.is_local(parent):
                fetched += 1
                await self._fetch(parent)
                found = self.library.post(parent, reader)
            if found is None:
                break
            above.insert(0, parent)
            parent = read.iri(found, "inReplyTo")

    async def _look_below(self, iri: Iri) -> None:
        """Fetch answers that a post now names and that are not known, once in a while."""
        name, now = Iri(f"answers:{iri}"), self.wing.clock.now()
        held = self.wing.cache.get(name)
        if held is not None and now - held[1] < _AGAIN_AFTER:
            return
        await self.wing.cache.put(name, b"{}", now)
        unknown = [
            each
            for each in await self._named(iri)
            if not self.wing.is_local(each) and self.library.timelines.heard(each) is None
        ]
        turn = asyncio.Semaphore(_AT_ONCE)

        async def one(each: Iri) -> None:
            async with turn:
                await self._fetch(each)

        await asyncio.gather(*map(one, unknown[:_MOST_BELOW]))

    async def _named(self, iri: Iri) -> list[Iri]:
        """The ids in the first pages of a post's collection of answers."""
        found: list[Iri] = []
        with suppress(PodError):
            at = await self._part(iri, await self.wing.actors.document(iri), "replies")
            for _ in range(_PAGES + 1):
                if at is None:
                    break
                found += [*read.iris(at, "items"), *read.iris(at, "orderedItems")]
                at = await self._part(iri, at, "first" if "first" in at else "next")
        return list(dict.fromkeys(found))

    async def _part(self, iri: Iri, node: Node, key: str) -> Node | None:
        """A collection or page that stands in a node, or is named on the post's own server."""
        inner, name = read.node(node, key), read.iri(node, key)
        if inner is not None and len(inner) > 1:
            return inner
        if name is None or not read.same_origin(name, iri):
            return None
        return await self.wing.actors.document(name)

    async def _fetch(self, iri: Iri) -> None:
        with suppress(PodError):
            await self.lister.fetch(iri)
