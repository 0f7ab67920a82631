"""What a member does in the fediverse: follow, like, boost, and answer who asks to follow.

Each act is a document of the member's own under ``/data/social/``; the reactor delivers it, and its
Undo when it is deleted.

Spec: https://www.w3.org/TR/activitypub/#client-to-server-interactions
"""

from __future__ import annotations

import orjson

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import MEDIA_TYPE, PUBLIC
from adapters.activitypub.lens import index
from adapters.activitypub.lens.act import TYPES, Act, folder
from adapters.activitypub.receive.relation import answer_follow
from adapters.activitypub.wing import Wing
from pod.access.agent import Agent
from pod.errors import Invalid, NotFound
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.peer import Follower
from pod.model.resource import ABSENT, ResourcePath
from pod.write import Delete, PutDocument


class Social:
    """The acts of members; each returns the path of its document and raises what writing raises."""

    def __init__(self, wing: Wing) -> None:
        self._wing = wing

    async def follow(self, agent: Agent, member: Member, actor: Iri) -> ResourcePath:
        """Ask to follow an actor; raises PeerUnavailable, Gone, Invalid when there is none."""
        found = await self._wing.actors.actor(actor)
        return await self._act(agent, member, "follow", found.id, found.id)

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

    async def accept_follower(self, member: Member, actor: Iri) -> Iri:
        """Let an actor follow who asked to; the id of the follow; raises NotFound."""
        asked = self._asked(member, actor)
        follower = Follower(
            asked.actor, asked.inbox, asked.shared_inbox, asked.follow_id, True, asked.since
        )
        await self._wing.followers.put(member.id, follower)
        await answer_follow(self._wing, member, follower, "Accept")
        return asked.follow_id

    async def reject_follower(self, member: Member, actor: Iri) -> Iri:
        """Refuse an actor, also one who followed already; raises NotFound when they do not."""
        asked = self._asked(member, actor)
        await self._wing.followers.remove(member.id, actor)
        await answer_follow(self._wing, member, asked, "Reject")
        return asked.follow_id

    def _asked(self, member: Member, actor: Iri) -> Follower:
        asked = self._wing.followers.get(member.id, actor)
        if asked is None:
            raise NotFound("This actor did not ask to follow.")
        return asked

    async def _author(self, object_id: Iri) -> Iri:
        document = await self._wing.actors.document(object_id)
        author = read.iri(document, "attributedTo")
        if author is None or not read.same_origin(author, object_id):
            raise Invalid("The post does not say who wrote it.")
        return author

    async def _act(
        self, agent: Agent, member: Member, act: Act, object_id: Iri, other: Iri
    ) -> ResourcePath:
        """Write the activity once for each object; a second time is the first one's path."""
        held = self._wing.reader.about(member.id, folder(act), object_id)
        if held:
            return held[0]
        path = ResourcePath(folder(act) + self._wing.tids.next())
        view = {
            "id": member.url(path),
            "type": TYPES[act],
            "actor": member.webid,
            "published": self._wing.clock.now().isoformat().replace("+00:00", "Z"),
            "object": object_id,
            "to": [other],
        }
        if act == "announce":
            view |= {"to": [PUBLIC], "cc": [f"{member.origin}/followers", other]}
        body = orjson.dumps(index.document(view))
        put = PutDocument(path, MEDIA_TYPE, body, ABSENT, subject=object_id)
        await self._wing.write.apply(agent, member.id, [put])
        return path
