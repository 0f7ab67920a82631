"""How a member keeps others at bay: block, mute, block a whole server, report, the tray.

Spec: https://www.w3.org/TR/activitypub/#block-activity-outbox and
https://docs.joinmastodon.org/spec/activitypub/#Flag
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import orjson

from adapters.activitypub import moderation
from adapters.activitypub.federation import domain_iri, domain_of, parse_domain, upwards
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import AS2, MEDIA_TYPE, PUBLIC, with_context
from adapters.activitypub.lens import act as acts
from adapters.activitypub.lens.act import FOLLOWS, Act, folder
from adapters.activitypub.moderation import (
    AT_FOLLOWS,
    DOMAINS,
    INBOX,
    MUTES,
    SETTINGS,
    WAITING,
    Mute,
    mute_in,
    said,
)
from adapters.activitypub.receive.relation import drop_follower
from adapters.activitypub.social import follows_of, once
from adapters.activitypub.wing import Wing
from adapters.activitypub.writing import act_of
from pod.access.agent import SYSTEM, Agent
from pod.errors import Forbidden, Gone, Invalid, NotFound, PeerUnavailable, PodError, TooLarge
from pod.model.ids import Did, Iri, MemberId
from pod.model.member import Member
from pod.model.moderation import Report
from pod.model.peer import SERVER, Edge, Follower, Outgoing, Priority
from pod.model.resource import Resource, ResourcePath
from pod.write import Delete, PutDocument

_PAGE: Final = 500
_MAX_COMMENT: Final = 1_000


class Shield:
    """Whom a member does not want to hear; each method raises what writing raises."""

    def __init__(self, wing: Wing) -> None:
        self._wing = wing

    async def block(self, agent: Agent, member: Member, actor: Iri) -> ResourcePath:
        """Block an actor: neither follows the other any more, and the actor is told.

        An actor who cannot be found is blocked by the name that is given.
        """
        if actor == member.webid:
            raise Forbidden("Nobody blocks themselves.")
        found = await self._named(actor)
        await self._drop(member, found)
        document = act_of(self._wing, member, "block", found)
        also = follows_of(self._wing, member, found)
        return await once(self._wing, agent, member, "block", document, also)

    async def mute(
        self,
        agent: Agent,
        member: Member,
        actor: Iri,
        *,
        hide_notifications: bool = True,
        until: datetime | None = None,
    ) -> ResourcePath:
        """Hear no more of an actor, who is not told; again, to change what is hidden and how long.

        A mute with an end (``until``, exclusive) is over by itself. Raises Invalid for one that is
        past.
        """
        if actor == member.webid:
            raise Forbidden("Nobody mutes themselves.")
        found = await self._named(actor)
        mute = Mute(hide_notifications, until)
        if not moderation.lasts(self._wing, mute):
            raise Invalid("The mute would be over already.")
        document = act_of(self._wing, member, "ignore", found, more=mute.told)
        old = self._wing.reader.about(member.id, folder("ignore"), found)
        await self._wing.write.apply(agent, member.id, [document, *map(Delete, old)])
        return document.path

    async def block_domain(self, agent: Agent, member: Member, domain: str) -> ResourcePath:
        """Hear nobody of a whole server; follows in both directions end. Raises Invalid."""
        name = parse_domain(domain)
        for follower in followers_of(self._wing, member):
            if name in upwards(domain_of(follower.actor)):
                await drop_follower(self._wing, member, follower)
        also = [
            Delete(path, missing_ok=True)
            for path, actor in acts_of(self._wing, member, FOLLOWS)
            if name in upwards(domain_of(actor))
        ]
        document = act_of(self._wing, member, "domain", domain_iri(name))
        return await once(self._wing, agent, member, "domain", document, also)

    async def undo(self, agent: Agent, member: Member, act: Act, about: str) -> None:
        """Take back a block, mute (``ignore``) or block of a domain."""
        object_id = domain_iri(parse_domain(about)) if act == "domain" else Iri(about)
        paths = self._wing.reader.about(member.id, folder(act), object_id)
        await self._wing.write.apply(agent, member.id, [Delete(p, missing_ok=True) for p in paths])

    def listed(self, member: Member, act: Act) -> list[Iri]:
        """Whom a member blocks, mutes or follows, oldest first; members of this pod come last."""
        found = [actor for _, actor in acts_of(self._wing, member, folder(act))]
        if act == "ignore":
            return [actor for actor in found if self.mute_of(member, actor) is not None]
        return found + local_follows(self._wing, member) if act == "follow" else found

    def domains(self, member: Member) -> list[str]:
        """The servers that a member blocks."""
        return sorted(domain_of(iri) for _, iri in acts_of(self._wing, member, DOMAINS))

    def mute_of(self, member: Member, actor: Iri) -> Mute | None:
        """The mute of an actor, while it lasts."""
        return moderation.mute_of(self._wing, member, actor)

    async def end_mutes(self) -> None:
        """Throw away the mutes of all members that are over."""
        after = MemberId(0)
        while members := self._wing.reader.members(after=after, limit=_PAGE):
            for member in members:
                over = [
                    Delete(path, missing_ok=True)
                    for path, _ in acts_of(self._wing, member, MUTES)
                    if not moderation.lasts(self._wing, mute_in(said(self._wing, member, path)))
                ]
                if over:
                    await self._wing.write.apply(SYSTEM, member.id, over)
                await asyncio.sleep(0)
            after = members[-1].id

    async def report(
        self,
        member: Member,
        actor: Iri,
        objects: Sequence[Iri] = (),
        comment: str = "",
        *,
        forward: bool = True,
    ) -> Iri:
        """Report an actor and posts to the administrator, and to the actor's own server.

        Other servers hear of it from the server's actor, not from whom. Raises Invalid.
        """
        if not all(read.same_origin(each, actor) for each in objects):
            raise Invalid("The posts are not of the account that is reported.")
        now = self._wing.clock.now()
        flag = Iri(f"{self._wing.server}/actor#flags/{self._wing.tids.next()}")
        subjects = (actor, *objects)
        report = Report(flag, member.webid, subjects, comment[:_MAX_COMMENT], now)
        telling = []
        if forward and not self._wing.is_local(actor):
            view = {
                "id": flag,
                "type": "Flag",
                "actor": f"{self._wing.server}/actor",
                "content": comment[:_MAX_COMMENT],
                "object": list(subjects),
                "to": [actor],
            }
            body = orjson.dumps(with_context(view, AS2))
            telling = [Outgoing(SERVER, flag, body, actors=(actor,), priority=Priority.REST)]
        await self._wing.reports.add(report, telling=telling)
        self._wing.outgoing.set()
        return flag

    async def set_tray(self, agent: Agent, member: Member, *, wanted: bool) -> None:
        """Let the first words of strangers wait, or come at once from now on."""
        settings = {**said(self._wing, member, SETTINGS), "strangersWait": wanted}
        put = PutDocument(SETTINGS, "application/json", orjson.dumps(settings))
        await self._wing.write.apply(agent, member.id, [put])

    def wants_tray(self, member: Member) -> bool:
        """Whether the first words of strangers wait."""
        return moderation.wants_tray(self._wing, member)

    def tray(self, member: Member, *, limit: int = 100) -> list[Resource]:
        """The first words of strangers, oldest first."""
        return self._wing.reader.resources(member.id, WAITING, after=None, limit=limit)

    async def release(self, agent: Agent, member: Member, path: ResourcePath) -> None:
        """Let what waits into the inbox, with all else of the same author; raises NotFound."""
        author = _author(self._waiting(member, path))
        for held in self.tray(member, limit=1_000):
            if _author(held) != author:
                continue
            put = PutDocument(
                ResourcePath(INBOX + held.path.removeprefix(WAITING)),
                MEDIA_TYPE,
                held.body,
                subject=held.subject,
            )
            await self._wing.write.apply(agent, member.id, [put, Delete(held.path)])
            await self._publish(member, held)

    async def dismiss(self, agent: Agent, member: Member, path: ResourcePath) -> None:
        """Throw away what waits; raises NotFound."""
        held = self._waiting(member, path)
        await self._wing.write.apply(agent, member.id, [Delete(held.path)])
        author = _author(held)
        if author is not None and held.subject is not None:
            await self._wing.edges.remove_object(author, Iri(held.subject))

    def _waiting(self, member: Member, path: ResourcePath) -> Resource:
        found = self._wing.reader.resource(member.id, path)
        if found is None or not path.startswith(WAITING):
            raise NotFound("This does not wait any more.")
        return found

    async def _publish(self, member: Member, held: Resource) -> None:
        """Count a public reply among the answers of the member's post from now on."""
        post, author = read.parse(held.body), _author(held)
        if author is None or held.subject is None or PUBLIC not in read.recipients(post):
            return
        for holder, edge in self._wing.edges.about(author, Iri(held.subject)):
            if holder == member.id:
                shown = Edge(
                    edge.path, edge.kind, edge.actor, edge.object, edge.activity, True, edge.at
                )
                await self._wing.edges.put(member.id, shown)

    async def _named(self, actor: Iri) -> Iri:
        local = self._wing.local_actor(actor)
        if local is not None:
            return local.webid
        try:
            return (await self._wing.actors.actor(actor)).id
        except (PeerUnavailable, Gone, Invalid, Forbidden, TooLarge):
            return actor

    async def _drop(self, member: Member, actor: Iri) -> None:
        held = self._wing.followers.get(member.id, actor)
        if held is not None:
            await drop_follower(self._wing, member, held)


def followers_of(wing: Wing, member: Member) -> Iterator[Follower]:
    """All accepted followers of a member."""
    after = ""
    while page := wing.followers.page(member.id, after=after, limit=_PAGE):
        yield from page
        after = page[-1].actor


def acts_of(wing: Wing, member: Member, prefix: str) -> Iterator[tuple[ResourcePath, Iri]]:
    """A member's acts of a kind, each with what it is about."""
    after: str | None = None
    while page := wing.reader.resources(member.id, prefix, after=after, limit=_PAGE):
        for resource in page:
            view = acts.get(member, resource)
            target = acts.object_of(view) if view is not None else None
            if target is not None:
                yield resource.path, target
        after = page[-1].path


def local_follows(wing: Wing, member: Member) -> list[Iri]:
    """The members of this pod whom a member follows by records."""
    found: list[Iri] = []
    after: str | None = None
    while page := wing.reader.resources(member.id, AT_FOLLOWS, after=after, limit=_PAGE):
        others = (wing.reader.member_by_did(Did(each.subject or "")) for each in page)
        found += [other.webid for other in others if other is not None]
        after = page[-1].path
    return found


def _author(held: Resource) -> Iri | None:
    try:
        return read.author(read.parse(held.body))
    except PodError:
        return None
