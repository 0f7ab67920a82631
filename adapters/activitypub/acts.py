"""Follows, likes and boosts by a member: each goes out where the other one lives.

What is of this pod becomes a record, which both networks see; what is of the fediverse a document
that is delivered.

Spec: https://www.w3.org/TR/activitypub/#client-to-server-interactions
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import orjson

from adapters.activitypub import circle
from adapters.activitypub.jsonld.context import MEDIA_TYPE
from adapters.activitypub.lens import index
from adapters.activitypub.lens.act import FOLLOWS, Act, folder
from adapters.activitypub.lens.names import BRIDGED
from adapters.activitypub.social import Social, require_followable, require_here
from adapters.activitypub.threads import authored
from adapters.activitypub.wing import Wing
from adapters.activitypub.wishes import USUAL, Wish, changed, forgotten, wish_of
from pod.access.agent import Agent
from pod.errors import Invalid, NotFound, Unprocessable
from pod.model.ids import Did, Iri, Nsid, parse_did
from pod.model.member import Member
from pod.model.note import StrongRef
from pod.model.relation import Relation, RelationKind
from pod.model.resource import ABSENT, ResourcePath
from pod.records.cid import cid_text
from pod.records.lens import relation
from pod.write import Delete, PutDocument, PutRecord

KINDS: Final[dict[Act, RelationKind]] = {
    "follow": RelationKind.FOLLOW,
    "like": RelationKind.LIKE,
    "announce": RelationKind.REPOST,
}
_LONGEST_EMOJI: Final = 128


def bridged_did(actor: Iri) -> Did | None:
    """The person of the other network whom the bridge shows as an actor: known here natively."""
    if not actor.startswith(BRIDGED):
        return None
    try:
        return parse_did(actor.removeprefix(BRIDGED))
    except Invalid:
        return None


class Acts:
    """What members do, wherever the other one lives; each returns the path of what was written."""

    def __init__(self, wing: Wing, social: Social) -> None:
        self._wing = wing
        self._social = social

    async def do(self, agent: Agent, member: Member, act: Act, target: Iri) -> ResourcePath:
        """Follow an actor, like or boost a post; a second time is the first one's path.

        Raises NotFound for what is not in this pod though it should be, Forbidden where either
        blocks the other or the member has moved away, and as `Social.like`.
        """
        require_here(self._wing, member)
        if act == "follow":
            require_followable(self._wing, member, target)
        if act == "follow" and (bridged := bridged_did(target)) is not None:
            return await self._record(agent, member, RelationKind.FOLLOW, bridged)
        if act == "like" and circle.found(self._wing, target, member.webid) is not None:
            return await self._social.like(agent, member, target)
        if self._wing.is_local(target):
            return await self._record(agent, member, KINDS[act], self._subject(act, target))
        if act == "follow":
            return await self._social.follow(agent, member, target)
        if act == "like":
            return await self._social.like(agent, member, target)
        return await self._social.announce(agent, member, target)

    async def follow(
        self,
        agent: Agent,
        member: Member,
        target: Iri,
        change: Callable[[Wish], Wish] = lambda wish: wish,
    ) -> ResourcePath:
        """Follow an actor, and want of them what ``change`` makes of what was wanted before.

        Of one who was not followed the usual was wanted. Raises as `do`.
        """
        is_new = not self.held(member, "follow", target)
        path = await self.do(agent, member, "follow", target)
        held = self._wing.reader.resource(member.id, path)
        actor = Iri(held.subject or "") if held and path.startswith(FOLLOWS) else target
        before = USUAL if is_new else wish_of(self._wing, member, actor)
        if ops := changed(self._wing, member, actor, change(before)):
            await self._wing.write.apply(agent, member.id, ops)
        return path

    async def unfollow(self, agent: Agent, member: Member, target: Iri) -> None:
        """Follow an actor no more; nothing happens where the member does not."""
        held = self.held(member, "follow", target)
        ops = [Delete(path, missing_ok=True) for path in held]
        ops += forgotten(self._wing, member, target)
        await self._wing.write.apply(agent, member.id, ops)

    async def react(self, agent: Agent, member: Member, target: Iri, emoji: str) -> ResourcePath:
        """React to a post with an emoji, each once; ATProto has no word for it."""
        require_here(self._wing, member)
        if not emoji.strip() or len(emoji) > _LONGEST_EMOJI:
            raise Unprocessable("A reaction is one emoji.")
        wing, held = self._wing, self._wing.local_object(target)
        narrow = circle.found(wing, target, member.webid)
        local = held or narrow
        author = local[0].webid if local is not None else (await authored(wing, target))[1]
        for path in wing.reader.about(member.id, folder("react"), target):
            said = wing.reader.resource(member.id, path)
            if said is not None and orjson.loads(said.body).get("content") == emoji:
                return path
        path = ResourcePath(folder("react") + wing.tids.next())
        view = {
            "id": member.url(path),
            "type": "EmojiReact",
            "actor": member.webid,
            "published": wing.clock.now().isoformat().replace("+00:00", "Z"),
            "object": target,
            "content": emoji,
            **({"tag": tags} if (tags := wing.emoji_tags(emoji)) else {}),
            "to": [author],
        }
        body = orjson.dumps(index.document(view))
        put = PutDocument(path, MEDIA_TYPE, body, ABSENT, subject=target)
        await wing.write.apply(agent, member.id, [put])
        return path

    def held(self, member: Member, act: Act, target: Iri) -> list[ResourcePath]:
        """What a member wrote of an act about a target, as record or as document."""
        about = self._wing.reader.about
        paths = about(member.id, folder(act), target)
        if act == "follow" and (bridged := bridged_did(target)) is not None:
            paths += about(member.id, f"/repo/{relation.COLLECTIONS[KINDS[act]]}/", bridged)
        is_record = act == "follow" or self._wing.local_object(target) is not None
        if act in KINDS and self._wing.is_local(target) and is_record:
            subject = self._subject(act, target)
            uri = subject.uri if isinstance(subject, StrongRef) else subject
            paths += about(member.id, f"/repo/{relation.COLLECTIONS[KINDS[act]]}/", uri)
        return paths

    def _subject(self, act: Act, target: Iri) -> Did | StrongRef:
        other = self._wing.local_actor(target) if act == "follow" else None
        if other is not None:
            return other.did
        held = self._wing.local_object(target) if act != "follow" else None
        if held is None:
            raise NotFound("There is nothing like that here.")
        return StrongRef(held[0].at_uri(held[1].path), cid_text(held[1].cid))

    async def _record(
        self, agent: Agent, member: Member, kind: RelationKind, subject: Did | StrongRef
    ) -> ResourcePath:
        collection = Nsid(relation.COLLECTIONS[kind])
        uri = subject.uri if isinstance(subject, StrongRef) else subject
        held = self._wing.reader.about(member.id, f"/repo/{collection}/", uri)
        if held:
            return held[0]
        now = self._wing.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        record = relation.put(Relation(kind, subject, now))
        put = PutRecord(collection, None, record, "create")
        receipt = await self._wing.write.apply(agent, member.id, [put])
        return receipt.results[0].path
