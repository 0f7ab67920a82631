"""Where things are that clients name by number: accounts and posts, of here and elsewhere.

Spec: https://docs.joinmastodon.org/entities/Status/#visibility
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson

from adapters.activitypub import moderation
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import PUBLIC
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import act, circle, index, tags
from adapters.activitypub.lens.names import member_at
from adapters.activitypub.mastodon.ports import Timelines
from adapters.activitypub.moderation import INBOX
from adapters.activitypub.remote.actor import ACTOR_TYPES
from adapters.activitypub.wing import Wing
from pod.errors import Invalid, NotFound, PodError
from pod.model.ids import Iri, MemberId, parse_datetime
from pod.model.member import Member
from pod.model.timeline import Heard

CatchUp = Callable[[], Awaitable[None]]
"""Brings the timelines up to what was just written."""

NOT_FOUND: Final = "Record not found"


@dataclass(frozen=True, slots=True)
class Library:
    """Finds AS2 nodes by id, and their short ids."""

    wing: Wing
    timelines: Timelines

    def members(self) -> list[Member]:
        """All members who are here."""
        found, after = list[Member](), MemberId(0)
        while page := self.wing.reader.members(after=after, limit=500):
            found += [member for member in page if member.is_active]
            after = page[-1].id
        return found

    async def id_of(self, iri: str, at: datetime) -> str:
        """The short id of a post or account."""
        return str(await self.timelines.name(iri, at))

    def iri_of(self, number: str) -> Iri:
        """What a short id names; raises NotFound."""
        is_number = number.isascii() and number.isdecimal() and len(number) < 19
        found = self.timelines.iri_of(int(number)) if is_number else None
        if found is None:
            raise NotFound(NOT_FOUND)
        return found

    async def actor(self, iri: Iri) -> Node:
        """An actor's document; of one who cannot be had, what their id tells."""
        local = self.wing.local_actor(iri)
        if local is not None:
            return await self.wing.actor_view(local)
        held = self.wing.cache.get(iri)
        if held is None:
            try:
                await self.wing.actors.actor(iri)
            except PodError:
                name = tags.handle(iri).split("@")[1]
                return {"id": iri, "type": "Person", "preferredUsername": name}
            held = self.wing.cache.get(iri)
        found: Node = orjson.loads(held[0]) if held is not None else {"id": iri}
        return found

    async def known_actor(self, number: str) -> tuple[Iri, Node]:
        """The actor with a short id; raises NotFound."""
        iri = self.iri_of(number)
        local = self.wing.local_actor(iri)
        held = self.wing.cache.get(iri) if local is None else None
        if local is None and (
            held is None or ACTOR_TYPES.isdisjoint(read.types(orjson.loads(held[0])))
        ):
            raise NotFound(NOT_FOUND)
        return iri, await self.actor(iri)

    def post(self, iri: str, reader: Member | None) -> Node | None:
        """A post or boost as the reader may see it; None for what is not there, or not for them."""
        found = self._local(iri) or self._heard(iri) or self._in_inbox(iri, reader)
        if found is None or not self._may_see(found, reader):
            return None
        return found

    def own(self, member: Member, number: str) -> tuple[Iri, Node]:
        """A member's own post by its short id; raises NotFound."""
        iri = self.iri_of(number)
        found = self.post(iri, member)
        if found is None or read.iri(found, "attributedTo") != member.webid:
            raise NotFound(NOT_FOUND)
        return iri, found

    def known(self, number: str, reader: Member | None) -> tuple[Iri, Node]:
        """A post by its short id; of a boost what it boosts; raises NotFound."""
        iri = self.iri_of(number)
        found = self.post(iri, reader)
        if found is not None and "Announce" in read.types(found):
            iri = read.iri(found, "object") or iri
            found = self.post(iri, reader)
        if found is None:
            raise NotFound(NOT_FOUND)
        return iri, found

    async def fetch(self, iri: Iri) -> Node:
        """A post of another server, kept from now on; raises what fetching raises, and Invalid."""
        found = await self.wing.actors.document(iri)
        author, post_id = read.iri(found, "attributedTo"), read.id_of(found)
        if author is None or post_id is None or not read.same_origin(author, post_id):
            raise Invalid("The post does not say who wrote it.")
        if read.types(found).isdisjoint({"Note", "Article", "Question", "Page", "Video"}):
            raise Invalid("This is no post.")
        await self.timelines.hear(
            Heard(post_id, author, self.wing.clock.now(), orjson.dumps(found))
        )
        return found

    def _local(self, iri: str) -> Node | None:
        held = self.wing.local_object(iri)
        if held is not None:
            return index.get(self.wing.published(*held))
        owner = member_at(self.wing.reader, iri)
        if owner is None or not owner.is_active:
            return None
        narrow = circle.path_of(owner, iri)
        path = narrow or owner.path(iri)
        resource = self.wing.reader.resource(owner.id, path) if path is not None else None
        if resource is None:
            return None
        if narrow is not None:
            return circle.get(owner, resource)
        is_boost = resource.path.startswith(act.folder("announce"))
        return act.get(owner, resource) if is_boost else None

    def _heard(self, iri: str) -> Node | None:
        held = self.timelines.heard(iri)
        return orjson.loads(held.body) if held is not None else None

    def _in_inbox(self, iri: str, reader: Member | None) -> Node | None:
        paths = self.wing.reader.about(reader.id, INBOX, iri) if reader is not None else []
        held = self.wing.reader.resource(reader.id, paths[0]) if reader and paths else None
        return read.parse(held.body) if held is not None else None

    def _may_see(self, node: Node, reader: Member | None) -> bool:
        told = read.recipients(node)
        if PUBLIC in told:
            return True
        author = read.iri(node, "attributedTo") or read.iri(node, "actor")
        if reader is None or author is None:
            return False
        if author == reader.webid:
            return True
        local = self.wing.local_actor(author)
        if local is not None and not moderation.may_see(self.wing, local, reader.webid):
            return False
        if reader.webid in told:
            return True
        return self._circle_of(author) in told and follows(self.wing, reader, author)

    def _circle_of(self, author: Iri) -> Iri | None:
        """The collection of an author's followers, as the author names it."""
        local = self.wing.local_actor(author)
        if local is not None:
            return Iri(f"{local.origin}/followers")
        held = self.wing.cache.get(author)
        return read.iri(orjson.loads(held[0]), "followers") if held is not None else None


def follows(wing: Wing, member: Member, actor: Iri) -> bool:
    """Whether a member follows an actor who said yes, if they had to."""
    other = wing.local_actor(actor)
    if other is not None:
        return moderation.is_follower(wing, other, member.webid)
    paths = wing.reader.about(member.id, act.FOLLOWS, actor)
    return any(wing.edges.held(member.id, path, "accept", actor) for path in paths)


def moment(node: Node, key: str, otherwise: datetime) -> datetime:
    """A property that is a time, not later than ``otherwise``."""
    try:
        return min(parse_datetime(read.text(node, key) or ""), otherwise)
    except Invalid:
        return otherwise


def stamp(at: datetime) -> str:
    """A time as clients read it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
