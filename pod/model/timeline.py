"""Timelines: what stands in them, and which part of one is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pod.model.ids import Iri


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a list that is ordered by ids: those below ``most`` and above ``since``.

    With ``least`` the page is the one next above it, else the newest one. All are exclusive.
    """

    limit: int = 20
    most: int | None = None
    since: int | None = None
    least: int | None = None

    def cut(self, ids: list[int]) -> list[int]:
        """The page of some ids, newest first."""
        low = max(self.since or 0, self.least or 0)
        found = [each for each in ids if low < each and (self.most is None or each < self.most)]
        found = sorted(found, reverse=self.least is None)[: self.limit]
        return sorted(found, reverse=True)


@dataclass(frozen=True, slots=True)
class Entry:
    """A post or boost in a home timeline."""

    id: int
    iri: Iri
    author: Iri


@dataclass(frozen=True, slots=True)
class Heard:
    """A post or boost of another server, as JSON-LD."""

    iri: Iri
    author: Iri
    at: datetime
    body: bytes


@dataclass(frozen=True, slots=True)
class Listed:
    """A post or boost with the names of the lists that it is in; a new one sorts by ``at``."""

    iri: Iri
    at: datetime
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """What a member is told of: what an actor did, and to which post (empty for none)."""

    id: int
    kind: str
    actor: Iri
    about: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Marker:
    """How far a member has read a timeline."""

    last_id: str
    version: int
    at: datetime
