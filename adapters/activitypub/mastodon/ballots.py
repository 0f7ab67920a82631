"""Polls as Mastodon's, and votes in them.

Spec: https://docs.joinmastodon.org/entities/Poll/, https://docs.joinmastodon.org/methods/polls/
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import poll
from adapters.activitypub.lens.act import VOTES
from adapters.activitypub.mastodon.frame import Asked, Frame
from adapters.activitypub.mastodon.library import Library
from adapters.activitypub.mastodon.pictures import Entity
from adapters.activitypub.polls import Polls
from adapters.activitypub.wing import Wing
from pod.errors import NotFound, Unprocessable
from pod.model.ids import Iri
from pod.model.member import Member


@dataclass(frozen=True, slots=True)
class Ballots:
    """The endpoints about polls; a poll has the id of its post."""

    wing: Wing
    library: Library
    polls: Polls

    def add(self, frame: Frame) -> None:
        """All routes."""
        frame.add("GET", "/api/v1/polls/<id>", "read:statuses?", self.show)
        frame.add("POST", "/api/v1/polls/<id>/votes", "write:statuses", self.vote)

    async def show(self, asked: Asked) -> Entity:
        """A poll."""
        iri, node = self._question(asked)
        return poll_entity(self.wing, iri, node, asked.member, asked.path["id"])

    async def vote(self, asked: Asked) -> Entity:
        """Choose in a poll."""
        iri, node = self._question(asked)
        names = poll.choices(node)
        places = [int(each) for each in asked.texts("choices") if each.isdecimal()]
        if not places or any(place >= len(names) for place in places):
            raise Unprocessable("The poll has no such choice")
        chosen = [names[place] for place in places]
        await self.polls.vote(asked.agent, asked.me, iri, chosen)
        return poll_entity(self.wing, iri, node, asked.me, asked.path["id"])

    def _question(self, asked: Asked) -> tuple[Iri, Node]:
        iri, node = self.library.known(asked.path["id"], asked.member)
        if not poll.is_poll(node):
            raise NotFound
        return iri, node


def poll_entity(wing: Wing, iri: Iri, node: Node, reader: Member | None, number: str) -> Entity:
    """A poll as a reader sees it."""
    options = poll.options(node)
    names = poll.choices(node)
    counts = [_total(option) for option in options]
    voted = wing.reader.about(reader.id, VOTES, iri) if reader is not None else []
    chosen = []
    for path in voted:
        held = wing.reader.resource(reader.id, path) if reader is not None else None
        vote = orjson.loads(held.body).get("object", {}) if held is not None else {}
        if vote.get("name") in names:
            chosen.append(names.index(vote["name"]))
    is_own = reader is not None and read.author(node) == reader.webid
    return {
        "id": number,
        "expires_at": read.text(node, "endTime") or read.text(node, "closed"),
        "expired": not poll.is_open(node, wing.clock.now()),
        "multiple": bool(node.get("anyOf")),
        "votes_count": sum(counts),
        "voters_count": read.number(node, "votersCount"),
        "options": [
            {"title": name, "votes_count": count}
            for name, count in zip(names, counts, strict=False)
        ],
        "emojis": [],
        "voted": bool(voted) or is_own,
        "own_votes": sorted(chosen),
    }


def _total(option: Node) -> int:
    replies = read.node(option, "replies")
    return (read.number(replies, "totalItems") or 0) if replies is not None else 0
