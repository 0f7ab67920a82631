"""What a member does in the fediverse: follow, like, boost, and answer who asks to follow.

Each act is a document of the member's own under ``/data/social/``; the reactor delivers it, and its
Undo when it is deleted.

Spec: https://www.w3.org/TR/activitypub/#client-to-server-interactions
"""

from __future__ import annotations

from collections.abc import Sequence

from adapters.activitypub import circle, moderation
from adapters.activitypub.jsonld import read
from adapters.activitypub.lens import presence
from adapters.activitypub.lens.act import FOLLOWS, Act, folder
from adapters.activitypub.receive.relation import accept, drop_follower
from adapters.activitypub.wing import Wing
from adapters.activitypub.wishes import forgotten
from adapters.activitypub.writing import act_of
from pod.access.agent import Agent
from pod.errors import Forbidden, Invalid, NotFound
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.peer import Follower
from pod.model.resource import ResourcePath
from pod.write import Delete, Op, PutDocument


class Social:
    """The acts of members; each returns the path of its document and raises what writing raises."""

    def __init__(self, wing: Wing) -> None:
        self._wing = wing

    async def follow(self, agent: Agent, member: Member, actor: Iri) -> ResourcePath:
        """Ask to follow an actor; raises PeerUnavailable, Gone, Invalid when there is none.

        Forbidden where either blocks the other, and for a member who has moved away.
        """
        local = self._wing.local_actor(actor)
        found = local.webid if local else (await self._wing.actors.actor(actor)).id
        require_followable(self._wing, member, found)
        return await self._act(agent, member, "follow", found, found)

    async def like(self, agent: Agent, member: Member, object_id: Iri) -> ResourcePath:
        """Like a post; raises PeerUnavailable, Gone, Invalid when there is none."""
        return await self._act(agent, member, "like", object_id, await self._author(object_id))

    async def announce(self, agent: Agent, member: Member, object_id: Iri) -> ResourcePath:
        """Boost a post to the member's followers; raises as `like` does."""
        return await self._act(agent, member, "announce", object_id, await self._author(object_id))

    async def undo(self, agent: Agent, member: Member, act: Act, object_id: Iri) -> None:
        """Take an act back (unfollow, unlike, unboost); nothing happens where there is none."""
        paths = self._wing.reader.about(member.id, folder(act), object_id)
        deletes = [Delete(path, missing_ok=True) for path in paths]
        await self._wing.write.apply(agent, member.id, deletes)

    def requests(self, member: Member, *, limit: int = 1_000) -> list[Follower]:
        """Who asks to follow a member and waits for an answer."""
        return self._wing.followers.waiting(member.id, limit=limit)

    async def accept_follower(self, member: Member, actor: Iri) -> Iri:
        """Let an actor follow who asked to; the id of the follow; raises NotFound."""
        asked = self._asked(member, actor)
        await accept(self._wing, member, asked)
        return asked.follow_id

    async def reject_follower(self, member: Member, actor: Iri) -> Iri:
        """Refuse an actor, also one who followed already; raises NotFound when they do not."""
        asked = self._asked(member, actor)
        await drop_follower(self._wing, member, asked)
        return asked.follow_id

    def _asked(self, member: Member, actor: Iri) -> Follower:
        asked = self._wing.followers.get(member.id, actor)
        if asked is None:
            raise NotFound("This actor did not ask to follow.")
        return asked

    async def _author(self, object_id: Iri) -> Iri:
        local = circle.place(self._wing, object_id)
        if local is not None:
            return local[0].webid
        document = await self._wing.actors.document(object_id)
        author = read.author(document)
        if author is None or not read.same_origin(author, object_id):
            raise Invalid("The post does not say who wrote it.")
        return author

    async def _act(
        self, agent: Agent, member: Member, act: Act, object_id: Iri, other: Iri
    ) -> ResourcePath:
        require_here(self._wing, member)
        return await once(
            self._wing, agent, member, act, act_of(self._wing, member, act, object_id, to=other)
        )


async def once(
    wing: Wing,
    agent: Agent,
    member: Member,
    act: Act,
    document: PutDocument,
    also: Sequence[Delete] = (),
) -> ResourcePath:
    """Write an act once for each object; a second time is the first one's path."""
    assert document.subject is not None  # acts are always about something
    held = wing.reader.about(member.id, folder(act), document.subject)
    ops: list[Op] = [*also] if held else [document, *also]
    await wing.write.apply(agent, member.id, ops)
    return held[0] if held else document.path


def require_here(wing: Wing, member: Member) -> None:
    """Pass, or raise Forbidden for a member whose fediverse life goes on elsewhere."""
    target = presence.moved_to(wing.presented(member).annotation)
    if target is not None:
        raise Forbidden(f"Your fediverse account has moved to {target}.")


def require_followable(wing: Wing, member: Member, actor: Iri) -> None:
    """Pass, or raise Forbidden where either blocks the other, and for the member themselves."""
    if actor == member.webid:
        raise Forbidden("Nobody follows themselves.")
    if moderation.blocks(wing, member, actor):
        raise Forbidden("You block this account, or its whole server.")
    if moderation.is_blocked_by(wing, member, actor):
        raise Forbidden("This account does not want you to follow it.")


def follows_of(wing: Wing, member: Member, actor: Iri) -> list[Delete]:
    """What ends a member's follow of an actor."""
    paths = wing.reader.about(member.id, FOLLOWS, actor)
    other = wing.local_actor(actor)
    if other is not None:
        paths += wing.reader.about(member.id, moderation.AT_FOLLOWS, other.did)
    return [Delete(path, missing_ok=True) for path in paths] + forgotten(wing, member, actor)
