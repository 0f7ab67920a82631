"""Lists of people whose posts a member reads apart from the others.

Spec: https://docs.joinmastodon.org/methods/lists/
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from adapters.activitypub import moderation
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.mastodon.frame import Asked, Frame, Page
from adapters.activitypub.mastodon.library import Library
from adapters.activitypub.mastodon.persons import Persons
from adapters.activitypub.mastodon.pictures import Entity
from adapters.activitypub.papers import Paper, Papers
from adapters.activitypub.people_lists import LONGEST_TITLE, MOST_PEOPLE, people_of
from pod.errors import Invalid, NotFound
from pod.model.member import Member

_POLICIES: Final = ("followed", "list", "none")


@dataclass(frozen=True, slots=True)
class Lists:
    """The endpoints about lists; each is a document of the member's."""

    library: Library
    persons: Persons
    papers: Papers

    def add(self, frame: Frame) -> None:
        """All routes."""
        at = "/api/v1/lists"
        frame.add("GET", at, "read:lists", self.all)
        frame.add("POST", at, "write:lists", self.create)
        frame.add("GET", f"{at}/<id>", "read:lists", self.show)
        frame.add("PUT", f"{at}/<id>", "write:lists", self.change)
        frame.add("DELETE", f"{at}/<id>", "write:lists", self.delete)
        frame.add("GET", f"{at}/<id>/accounts", "read:lists", self.accounts)
        frame.add("POST", f"{at}/<id>/accounts", "write:lists", self.join)
        frame.add("DELETE", f"{at}/<id>/accounts", "write:lists", self.leave)
        frame.add("GET", "/api/v1/accounts/<id>/lists", "read:lists", self.holding)

    def exclusive(self, member: Member) -> set[str]:
        """Whose posts a member wants to see in lists alone."""
        lists = self.papers.all(member)
        return {iri for paper in lists if paper.body.get("exclusive") for iri in people_of(paper)}

    def people(self, asked: Asked) -> frozenset[str]:
        """Who is in the list that is asked for; raises NotFound."""
        return frozenset(people_of(self._paper(asked)))

    async def all(self, asked: Asked) -> Sequence[Entity]:
        """The member's lists."""
        return [await self._shown(asked.me, paper) for paper in self.papers.all(asked.me)[::-1]]

    async def create(self, asked: Asked) -> Entity:
        """Begin a list."""
        body = _said(asked, {"accounts": []})
        return await self._shown(asked.me, await self.papers.add(asked.agent, asked.me, body))

    async def show(self, asked: Asked) -> Entity:
        """A list."""
        return await self._shown(asked.me, self._paper(asked))

    async def change(self, asked: Asked) -> Entity:
        """Give a list another name or way."""
        return await self._changed(asked, _said(asked, self._paper(asked).body))

    async def delete(self, asked: Asked) -> Entity:
        """Throw a list away."""
        await self.papers.drop(asked.agent, asked.me, self._paper(asked))
        return {}

    async def accounts(self, asked: Asked) -> Page:
        """Who is in a list; all of them for ``limit=0``."""
        people = people_of(self._paper(asked))
        if asked.text("limit") == "0":
            return Page([await self.persons.account(iri) for iri in people], None, None)
        return await self.persons.page(asked, people)

    async def join(self, asked: Asked) -> Entity:
        """Put people into a list, whom the member must follow."""
        paper = self._paper(asked)
        told = [self.library.iri_of(number) for number in asked.texts("account_ids")]
        for iri in told:
            is_me = iri == asked.me.webid
            if not is_me and not moderation.follows(self.papers.wing, asked.me, iri):
                raise NotFound
        people = list(dict.fromkeys([*people_of(paper), *told]))
        if len(people) > MOST_PEOPLE:
            raise Invalid(f"A list has at most {MOST_PEOPLE} people")
        await self._changed(asked, {**paper.body, "accounts": people})
        return {}

    async def leave(self, asked: Asked) -> Entity:
        """Take people out of a list."""
        paper = self._paper(asked)
        gone = {self.library.iri_of(number) for number in asked.texts("account_ids")}
        people = [iri for iri in people_of(paper) if iri not in gone]
        await self._changed(asked, {**paper.body, "accounts": people})
        return {}

    async def holding(self, asked: Asked) -> Sequence[Entity]:
        """Of the member's lists those that somebody is in."""
        iri, _ = await self.library.known_actor(asked.path["id"])
        lists = [paper for paper in self.papers.all(asked.me) if iri in people_of(paper)]
        return [await self._shown(asked.me, paper) for paper in lists]

    def _paper(self, asked: Asked) -> Paper:
        found = self.papers.at(asked.me, self.library.iri_of(asked.path["id"]))
        if found is None:
            raise NotFound
        return found

    async def _changed(self, asked: Asked, body: Node) -> Entity:
        paper = await self.papers.change(asked.agent, asked.me, self._paper(asked), body)
        return await self._shown(asked.me, paper)

    async def _shown(self, member: Member, paper: Paper) -> Entity:
        now = self.papers.wing.clock.now()
        return {
            "id": await self.library.id_of(member.url(paper.path), now),
            "title": str(paper.body.get("title", "")),
            "replies_policy": str(paper.body.get("replies_policy", "list")),
            "exclusive": paper.body.get("exclusive") is True,
        }


def _said(asked: Asked, before: Node) -> Node:
    title = asked.text("title") if asked.text("title") is not None else before.get("title")
    if not str(title or "").strip():
        raise Invalid("Title can't be blank")
    policy = asked.text("replies_policy") or before.get("replies_policy", "list")
    if policy not in _POLICIES:
        raise Invalid("'replies_policy' is not included in the list")
    exclusive = asked.flag("exclusive")
    return {
        **before,
        "title": str(title)[:LONGEST_TITLE],
        "replies_policy": policy,
        "exclusive": before.get("exclusive") is True if exclusive is None else exclusive,
    }
