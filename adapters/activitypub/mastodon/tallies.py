"""How many follow somebody of another server, and how much they posted, as their server tells.

Asked for when somebody looks at the person; until then, and where nothing is told, nothing counts.

Spec: https://www.w3.org/TR/activitystreams-vocabulary/#dfn-totalitems
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import orjson

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.wing import Wing
from pod.errors import PodError
from pod.model.ids import Iri

FRESH: Final = timedelta(hours=6)
_WAIT_S: Final = 2.0
"""How long who looks waits for numbers; they are there the next time."""

_AT_ONCE: Final = 4
_MOST_WAITING: Final = 100
_KEYS: Final = {
    "followers": "followers_count",
    "following": "following_count",
    "outbox": "statuses_count",
}


@dataclass(slots=True)
class Tallies:
    """Keeps the numbers beside the actor in the cache of what other servers said."""

    wing: Wing
    asking: dict[Iri, asyncio.Task[None]] = field(default_factory=dict)
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    def known(self, actor: Iri) -> dict[str, int]:
        """What was told of an actor so far."""
        held = self.wing.cache.get(_name(actor))
        told = orjson.loads(held[0]) if held is not None else {}
        return {name: told.get(name, 0) for name in _KEYS.values()}

    async def look(self, actor: Iri, node: Node) -> None:
        """Ask for numbers that are not of late, and wait a moment for them."""
        held = self.wing.cache.get(_name(actor))
        is_fresh = held is not None and self.wing.clock.now() - held[1] < FRESH
        if is_fresh or self.wing.is_local(actor):
            return
        task = self.asking.get(actor)
        if task is None:
            if len(self.asking) >= _MOST_WAITING:
                return
            task = self.asking[actor] = asyncio.create_task(self._ask(actor, node))
            task.add_done_callback(lambda _: self.asking.pop(actor, None))
        await asyncio.wait([task], timeout=_WAIT_S)

    async def _ask(self, actor: Iri, node: Node) -> None:
        async with self.turn:
            before = self.known(actor)
            numbers = await asyncio.gather(*(self._total(actor, node, key) for key in _KEYS))
            found = zip(_KEYS.values(), numbers, strict=True)
            told = {name: before[name] if number is None else number for name, number in found}
            await self.wing.cache.put(_name(actor), orjson.dumps(told), self.wing.clock.now())

    async def _total(self, actor: Iri, node: Node, key: str) -> int | None:
        """How many things are in a collection of an actor; None where nobody says."""
        collection = read.iri(node, key)
        if collection is None or not read.same_origin(collection, actor):
            return None
        try:
            total = read.number(await self.wing.actors.document(collection), "totalItems")
        except PodError:
            return None
        return total if total is not None and total >= 0 else None


def _name(actor: Iri) -> Iri:
    return Iri(f"tally:{actor}")
