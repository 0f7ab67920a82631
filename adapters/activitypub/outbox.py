"""Client-to-server, the acts about oneself and against others: profile, move, block, mute, report.

All else that a client posts is `adapters.activitypub.authoring`'s.

Spec: https://www.w3.org/TR/activitypub/#client-to-server-interactions
"""

from __future__ import annotations

from typing import Final

from adapters.activitypub.authoring import Authoring
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.moderation import mute_in
from adapters.activitypub.presence import Presences
from adapters.activitypub.shield import Shield
from adapters.activitypub.social import require_here
from adapters.activitypub.wing import Wing
from pod.access.agent import Agent
from pod.errors import Forbidden, Invalid
from pod.model.ids import Iri
from pod.model.member import Member

_SAID: Final = frozenset({"Create", "Note", "Article", "Question"})


class Outbox:
    """Takes what members' own clients post."""

    def __init__(
        self, wing: Wing, authoring: Authoring, shield: Shield, presences: Presences
    ) -> None:
        self._wing = wing
        self._authoring = authoring
        self._shield = shield
        self._presences = presences

    async def post(self, agent: Agent, member: Member, node: Node) -> Iri:
        """Do what an activity says; the id of what was made or changed.

        Raises Forbidden for others than the member, and for posts of a member who has moved away;
        and what each of the acts raises.
        """
        if agent.member != member.id:
            raise Forbidden("Only the member posts to their outbox.")
        kinds = read.types(node)
        inner, target = read.node(node, "object"), read.iri(node, "object")
        if kinds & _SAID:
            require_here(self._wing, member)
        if target is None:
            return await self._authoring.post(agent, member, node)
        if "Update" in kinds and inner is not None and target == member.webid:
            await self._presences.update(agent, member, inner)
            return member.webid
        if "Move" in kinds:
            return await self._move(agent, member, target, read.iri(node, "target"))
        if "Block" in kinds:
            return member.url(await self._shield.block(agent, member, target))
        if "Ignore" in kinds:
            return await self._mute(agent, member, node, target)
        if "Flag" in kinds:
            comment = read.text(node, "content") or ""
            objects = list(read.iris(node, "object"))
            return await self._shield.report(member, objects[0], objects[1:], comment)
        return await self._authoring.post(agent, member, node)

    async def _mute(self, agent: Agent, member: Member, node: Node, target: Iri) -> Iri:
        mute = mute_in(node)
        if "endTime" in node and mute.until is None:
            raise Invalid("endTime is not a time.")
        hides = mute.hides_notifications
        put = self._shield.mute(agent, member, target, hide_notifications=hides, until=mute.until)
        return member.url(await put)

    async def _move(self, agent: Agent, member: Member, moved: Iri, target: Iri | None) -> Iri:
        if moved != member.webid or target is None:
            raise Invalid("A Move names the member as its object, and the new account as target.")
        await self._presences.move(agent, member, target)
        return member.webid
