"""What the client API needs of others: an index of timelines, a place for media, news for streams.

Spec: https://docs.joinmastodon.org/api/guidelines/#pagination
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from pod.model.ids import Iri, MemberId
from pod.model.timeline import Entry, Heard, Listed, Marker, Notice, Span
from pod.ports import BlobRow

MediaAddress = Callable[[str], str]
"""Where the pod shows a file of another server."""

_WAITING: Final = 256
"""How many events a slow listener may be behind."""


class Timelines(Protocol):
    """Short ids, posts that were heard, home timelines, notices, markers, and how far it is."""

    def id_of(self, iri: str) -> int | None: ...
    def iri_of(self, number: int) -> Iri | None: ...
    async def name(self, iri: str, at: datetime) -> int:
        """The number of something; a new one sorts by ``at``."""
        ...

    def heard(self, iri: str) -> Heard | None: ...
    def heard_of(self, author: str, *, limit: int) -> list[Heard]: ...
    async def hear(self, post: Heard) -> None: ...
    async def keep_past(self, post: Heard) -> None:
        """Keep what a post of another server was before it changed at ``post.at``."""
        ...

    def pasts(self, iri: str, *, limit: int) -> list[Heard]:
        """What a post of another server was before, the oldest state first."""
        ...

    async def forget(self, before: datetime, *, most: int) -> None:
        """Drop posts heard before a time, and the oldest where there are more than ``most``."""
        ...

    def page(self, member: MemberId, span: Span) -> list[Entry]: ...
    def notices(self, member: MemberId, span: Span) -> list[Notice]: ...
    def notice(self, member: MemberId, number: int) -> Notice | None: ...
    def holders(self, iri: str) -> list[MemberId]:
        """In whose home timelines a post stands."""
        ...

    async def enter(self, members: Sequence[MemberId], iri: str, author: str, at: datetime) -> int:
        """Put a post into home timelines, once; its number."""
        ...

    async def remove(self, iri: str) -> None:
        """Take a post out of everything."""
        ...

    async def part(self, member: MemberId, author: str) -> None:
        """Take what an author posted out of a home timeline."""
        ...

    async def note(
        self,
        member: MemberId,
        kind: str,
        actor: str,
        about: str,
        at: datetime,
        *,
        again: bool = False,
    ) -> Notice | None:
        """Tell a member of something, once; None where they were told before.

        What is told ``again`` takes the place of the last time.
        """
        ...

    async def await_end(self, member: MemberId, iri: str, at: datetime) -> None:
        """Remember that a member is to be told when a poll ends."""
        ...

    def over(self, now: datetime, *, limit: int) -> list[tuple[MemberId, Iri]]:
        """Polls that have ended, with who is to be told."""
        ...

    async def settle(self, member: MemberId, iri: str) -> None: ...

    async def dismiss(self, member: MemberId, number: int | None) -> None:
        """Forget a notice, or all."""
        ...

    def marker(self, member: MemberId, name: str) -> Marker | None: ...
    async def mark(self, member: MemberId, name: str, last: str, at: datetime) -> Marker: ...
    def cursor(self) -> int: ...
    async def move(self, seq: int) -> None: ...


class Listings(Protocol):
    """Lists that are the same for everybody: public posts by name of a list, people by words."""

    async def enlist(self, *posts: Listed) -> None:
        """Put each post into its lists, and into no others."""
        ...

    def listed(self, name: str, span: Span) -> list[tuple[int, Iri]]:
        """A page of a list, newest first: numbers and ids of posts."""
        ...

    def names(self, prefix: str, *, limit: int) -> list[str]:
        """The names of lists that begin so."""
        ...

    def words(self, iri: str) -> set[str]: ...
    async def describe(self, iri: str, words: Collection[str]) -> None:
        """Let somebody be found by these words, and by no others."""
        ...

    def found(self, word: str, *, limit: int) -> list[Iri]:
        """Whom a word, or its beginning, means."""
        ...

    def cursor(self) -> int: ...
    async def move(self, seq: int) -> None: ...


class Media(Protocol):
    """Where uploads go (`pod.media.Media` fits)."""

    async def keep(self, member: MemberId, body: bytes, declared_type: str | None) -> BlobRow: ...


@dataclass(frozen=True, slots=True)
class News:
    """Something happened: a post (``update``, ``status.update``, ``delete``) or a notice."""

    event: str
    iri: str
    notice: Notice | None = None


Listener = asyncio.Queue[News | None]


@dataclass(slots=True)
class Live:
    """The streams that are open, by member; events are told to nobody who does not listen."""

    listeners: dict[MemberId, set[Listener]] = field(default_factory=dict)

    def tell(self, members: Sequence[MemberId], news: News) -> None:
        """Tell members' streams; one that is too far behind is ended."""
        for member in members:
            for queue in list(self.listeners.get(member, ())):
                if queue.full():
                    self.listeners[member].discard(queue)
                    queue.get_nowait()
                    queue.put_nowait(None)
                else:
                    queue.put_nowait(news)

    @contextmanager
    def listening(self, member: MemberId) -> Iterator[Listener]:
        """The news of a member, for as long as somebody listens; None ends them."""
        queue: Listener = asyncio.Queue(_WAITING)
        self.listeners.setdefault(member, set()).add(queue)
        try:
            yield queue
        finally:
            self.listeners[member].discard(queue)
            if not self.listeners[member]:
                del self.listeners[member]

    def close(self) -> None:
        """End all streams."""
        for queues in self.listeners.values():
            for queue in queues:
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(None)
