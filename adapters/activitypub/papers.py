"""What members keep for themselves: JSON documents outside the public zone, told to nobody.

Spec: https://docs.joinmastodon.org/methods/bookmarks/ (and lists, filters, notes on accounts)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson

from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens.act import SOCIAL
from adapters.activitypub.moderation import said
from adapters.activitypub.wing import Wing
from pod.access.agent import Agent
from pod.errors import Unprocessable
from pod.model.ids import MemberId
from pod.model.member import Member
from pod.model.resource import ABSENT, ResourcePath
from pod.write import Delete, PutDocument

MOST: Final = 400
"""How many documents of a kind are looked at, the newest first."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A document, and where it lies."""

    path: ResourcePath
    body: Node
    subject: str | None


@dataclass(frozen=True, slots=True)
class Papers:
    """The documents of one kind, as a folder of each member's."""

    wing: Wing
    kind: str

    @property
    def folder(self) -> str:
        """Where they lie."""
        return f"{SOCIAL}{self.kind}/"

    def all(self, member: Member) -> list[Paper]:
        """A member's documents, the newest first."""
        rows = self.wing.reader.resources(
            member.id, self.folder, after=None, limit=MOST, reverse=True
        )
        return [Paper(row.path, said(self.wing, member, row.path), row.subject) for row in rows]

    def any(self, member: Member) -> bool:
        """Whether a member has one."""
        return bool(self.wing.reader.resources(member.id, self.folder, after=None, limit=1))

    def about(self, member: Member, subject: str) -> Paper | None:
        """A member's document about something."""
        return next(iter(self.every(member, subject)), None)

    def every(self, member: Member, subject: str) -> list[Paper]:
        """All of a member's documents about something, the oldest first."""
        paths = self.wing.reader.about(member.id, self.folder, subject)
        return [Paper(path, said(self.wing, member, path), subject) for path in paths]

    def holders(self, subject: str) -> list[MemberId]:
        """The members who have a document about something."""
        found = self.wing.reader.all_about(self.folder, subject, limit=10_000)
        return [member for member, _ in found]

    def at(self, member: Member, iri: str) -> Paper | None:
        """A member's document by its address."""
        path = member.path(iri)
        if path is None or not path.startswith(self.folder):
            return None
        held = self.wing.reader.resource(member.id, path)
        return Paper(path, said(self.wing, member, path), held.subject) if held else None

    async def add(
        self, agent: Agent, member: Member, body: Node, subject: str | None = None
    ) -> Paper:
        """Keep a new document; raises Unprocessable where there are too many."""
        if subject is None and len(self.all(member)) == MOST:
            raise Unprocessable("There are too many already")
        paper = Paper(ResourcePath(self.folder + self.wing.tids.next()), body, subject)
        put = PutDocument(paper.path, "application/json", orjson.dumps(body), ABSENT, subject)
        await self.wing.write.apply(agent, member.id, [put])
        return paper

    async def change(self, agent: Agent, member: Member, paper: Paper, body: Node) -> Paper:
        """Keep another state of a document."""
        put = PutDocument(paper.path, "application/json", orjson.dumps(body), subject=paper.subject)
        await self.wing.write.apply(agent, member.id, [put])
        return Paper(paper.path, body, paper.subject)

    async def drop(self, agent: Agent, member: Member, *papers: Paper) -> None:
        """Throw documents away."""
        if not papers:
            return
        ops = [Delete(paper.path, missing_ok=True) for paper in papers]
        await self.wing.write.apply(agent, member.id, ops)
