"""Polls: votes that come in, votes that members cast, and results that are told from time to time.

Votes are private: of them only how many there were is kept beside the post, and they are forgotten
once the poll is closed.

Spec: https://docs.joinmastodon.org/spec/activitypub/#Question
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import orjson

from adapters.activitypub.circle import found
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import MEDIA_TYPE
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import circle, index, poll
from adapters.activitypub.lens.act import VOTES
from adapters.activitypub.lens.published import View, annotated
from adapters.activitypub.wing import Wing
from pod.access.agent import SYSTEM, Agent
from pod.errors import Conflict, Forbidden, Invalid, NotFound, StaleVersion, Unprocessable
from pod.model.ids import Iri, MemberId
from pod.model.member import Member
from pod.model.resource import ABSENT, Resource, ResourcePath
from pod.write import Annotate, Op, PutDocument

TOLD_EVERY: Final = timedelta(minutes=3)
"""How long a poll that goes on is not told of again."""


class Polls:
    """The polls of members, and what members choose in those of others."""

    def __init__(self, wing: Wing) -> None:
        self._wing = wing
        self._told: dict[tuple[MemberId, ResourcePath], datetime] = {}

    async def vote(
        self, agent: Agent, member: Member, question: Iri, names: Sequence[str]
    ) -> list[ResourcePath]:
        """Choose in a poll of somebody else; the paths of the votes.

        Raises Forbidden for one's own poll; NotFound for one that is not for the member;
        Unprocessable for what is no poll, no choice or too many; Conflict for a poll that is over
        or where the member voted; and as `Social.like`.
        """
        wing = self._wing
        node = await self._question(member, question)
        author = read.author(node)
        if author is None or not read.same_origin(author, question):
            raise Invalid("The poll does not say who asks.")
        if author == member.webid:
            raise Forbidden("Nobody votes in their own poll.")
        if not names or len(set(names)) != len(names) or not set(names) <= set(poll.choices(node)):
            raise Unprocessable("The poll has no such choice.")
        if len(names) > 1 and not node.get("anyOf"):
            raise Unprocessable("Only one answer can be chosen.")
        if not poll.is_open(node, wing.clock.now()):
            raise Conflict("The poll is over.")
        if wing.reader.about(member.id, VOTES, question):
            raise Conflict("The member has voted in this poll.")
        puts = [self._vote(member, question, author, name) for name in names]
        await wing.write.apply(agent, member.id, puts)
        return [put.path for put in puts]

    async def count(self) -> None:
        """Write the results of polls with new votes beside them; followers and voters hear of it.

        A poll that goes on is told of every few minutes, one that is over at once.
        """
        now = self._wing.clock.now()
        for holder, path in self._wing.edges.voted():
            resource = self._wing.reader.resource(holder, path)
            member = self._wing.reader.member(holder)
            if resource is None or member is None or _is_no_post(member, resource):
                await self._wing.edges.remove_kind(holder, path, "vote")
            else:
                await self._count(member, resource, now)

    async def _count(self, member: Member, resource: Resource, now: datetime) -> None:
        edges, place = self._wing.edges, (member.id, resource.path)
        narrow = circle.get(member, resource)
        beside = narrow or self._wing.published(member, resource).annotation
        if "closed" in beside:
            self._told.pop(place, None)
            await edges.remove_kind(*place, "vote")
            return
        votes, voters = edges.tally(*place, "vote")
        told = poll.counted(beside, votes, len(voters), now)
        is_early = (
            "closed" not in told and now - self._told.get(place, now - TOLD_EVERY) < TOLD_EVERY
        )
        if told == beside or is_early:
            return
        path, version = resource.path, resource.version
        note: Op = Annotate(path, annotated(resource.complement, told), version)
        if narrow is not None:
            note = PutDocument(path, MEDIA_TYPE, orjson.dumps(told), version, resource.subject)
        try:
            await self._wing.write.apply(SYSTEM, member.id, [note])
        except StaleVersion:
            return  # the author just wrote: the next count sees it
        self._told[place] = now

    async def _question(self, member: Member, question: Iri) -> Node:
        held = self._wing.local_object(question)
        if held is not None:
            return index.get(self._wing.published(*held)) or {}
        if (narrow := found(self._wing, question, member.webid)) is not None:
            return narrow[2]
        if self._wing.is_local(question):
            raise NotFound("There is no such poll.")
        return await self._wing.actors.document(question)

    def _vote(self, member: Member, question: Iri, author: Iri, name: str) -> PutDocument:
        path = ResourcePath(VOTES + self._wing.tids.next())
        vote = {
            "id": f"{member.url(path)}#vote",
            "type": "Note",
            "attributedTo": member.webid,
            "name": name,
            "inReplyTo": question,
            "to": [author],
        }
        view: View = {
            "id": member.url(path),
            "type": "Create",
            "actor": member.webid,
            "published": self._wing.clock.now().isoformat().replace("+00:00", "Z"),
            "object": vote,
            "to": [author],
        }
        body = orjson.dumps(index.document(view))
        return PutDocument(path, MEDIA_TYPE, body, ABSENT, subject=question)


def _is_no_post(member: Member, resource: Resource) -> bool:
    return resource.path.startswith(circle.CIRCLE) and circle.get(member, resource) is None
