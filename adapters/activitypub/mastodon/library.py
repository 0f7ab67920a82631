"""Where things are that clients name by number: accounts and posts, of here and elsewhere.

Spec: https://docs.joinmastodon.org/entities/Status/#visibility
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import orjson

from adapters.activitypub import moderation
from adapters.activitypub.acts import KINDS
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import PUBLIC
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import act, circle, index, tags
from adapters.activitypub.lens.act import Act
from adapters.activitypub.lens.names import member_at, object_id
from adapters.activitypub.mastodon.ports import Timelines
from adapters.activitypub.mastodon.reading import POSTS
from adapters.activitypub.moderation import INBOX
from adapters.activitypub.papers import Papers
from adapters.activitypub.remote.actor import ACTOR_TYPES
from adapters.activitypub.wing import Wing
from pod.errors import Invalid, NotFound, PodError
from pod.model.ids import Iri, MemberId, parse_datetime
from pod.model.member import Member
from pod.model.resource import Resource, ResourcePath
from pod.model.timeline import Heard
from pod.records.lens import relation

CatchUp = Callable[[], Awaitable[None]]
"""Brings the timelines up to what was just written."""

QUIET: Final = "quiet"
"""The folder of the conversations of which a member wants to hear no more."""

PAST: Final = "past"
"""The folder of what a member's posts were before they changed them by an app."""

MOST_PASTS: Final = 100
_DEPTH: Final = 40
_MOST: Final = 10_000

NOT_FOUND: Final = "Record not found"


@dataclass(frozen=True, slots=True)
class Library:
    """Finds AS2 nodes by id, and their short ids."""

    wing: Wing
    timelines: Timelines

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

    def hears(self, member: Member, actor: Iri) -> bool:
        """Whether a member wants to read what an actor posts."""
        if member.webid == actor:
            return True
        muted = moderation.mute_of(self.wing, member, actor)
        return moderation.hears(self.wing, member, actor) and muted is None

    def followers(self, member: Member) -> list[Member]:
        """The members of this pod whom a member lets follow."""
        about = self.wing.reader.all_about
        found = about(moderation.AT_FOLLOWS, member.did, limit=10_000)
        found += about(act.FOLLOWS, member.webid, limit=10_000)
        others = self.people(each for each, _ in found)
        return [each for each in others if moderation.is_follower(self.wing, member, each.webid)]

    def count_followers(self, member: Member) -> int:
        """How many follow a member, from anywhere; those of this pod once."""
        kept = self.wing.followers
        told = (kept.get(member.id, other.webid) for other in self.followers(member))
        return kept.count(member.id) + sum(held is None or not held.accepted for held in told)

    def followers_of(self, actor: Iri) -> list[Member]:
        """The members whom an actor of another server lets follow."""
        return self.people(self.wing.let_follow(actor))

    def people(self, ids: Iterable[MemberId]) -> list[Member]:
        """The members with these ids who are here, each once."""
        found = (self.wing.reader.member(each) for each in dict.fromkeys(ids))
        return [member for member in found if member is not None and member.is_active]

    def boosters(self, iri: Iri) -> list[Member]:
        """The members who boosted a post."""
        return self.people(
            member for member, _ in self.acts_about(iri, "announce", self.wing.local_object(iri))
        )

    def acts_about(
        self, iri: Iri, kind: Act, local: tuple[Member, Resource] | None
    ) -> list[tuple[MemberId, ResourcePath]]:
        """What members wrote of a kind (like, boost) about a post, as document or as record.

        ``local`` is the post, where it is one of this pod.
        """
        found = self.wing.reader.all_about(act.folder(kind), iri, limit=_MOST)
        if local is not None and local[1].is_record:
            uri = local[0].at_uri(local[1].path)
            folder = f"/repo/{relation.COLLECTIONS[KINDS[kind]]}/"
            found += self.wing.reader.all_about(folder, uri, limit=_MOST)
        return found

    def pasts(self, iri: Iri, reader: Member | None) -> list[Node]:
        """What a post was before, as far as that was kept, the oldest state first.

        A state that was not for the reader is left out, whoever may read the post now.
        """
        owner, found = member_at(self.wing.reader, iri), []
        if owner is not None:
            papers = Papers(self.wing, PAST).every(owner, iri)[:MOST_PASTS]
            found = [post for paper in papers if (post := read.node(paper.body, "post"))]
        else:
            states = self.timelines.pasts(iri, limit=MOST_PASTS)
            found = [orjson.loads(each.body) for each in states]
        return [state for state in found if self._may_see(state, reader)]

    def answers_others(self, post: Node) -> bool:
        """Whether a post answers somebody else than its author."""
        parent = read.iri(post, "inReplyTo")
        found = self.post(parent, None) if parent is not None else None
        author = read.author(found) if found is not None else None
        return parent is not None and author != read.author(post)

    def root(self, iri: Iri, reader: Member) -> Iri:
        """Where the thread of a post begins, as far as the reader may see."""
        for _ in range(_DEPTH):
            node = self.post(iri, reader)
            parent = read.iri(node, "inReplyTo") if node is not None else None
            if parent is None:
                break
            iri = parent
        return iri

    def is_quiet(self, member: Member, iri: str) -> bool:
        """Whether a member wants to hear no more of the conversation that a post is in."""
        papers = Papers(self.wing, QUIET)
        if not papers.any(member):
            return False
        return papers.about(member, self.root(Iri(iri), member)) is not None

    def own(self, member: Member, number: str) -> tuple[Iri, Node]:
        """A member's own post by its short id; raises NotFound."""
        iri = self.iri_of(number)
        found = self.post(iri, member)
        if found is None or read.author(found) != member.webid:
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
        author, post_id = read.author(found), read.id_of(found)
        if author is None or post_id is None or not read.same_origin(author, post_id):
            raise Invalid("The post does not say who wrote it.")
        if read.types(found).isdisjoint(POSTS):
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
        author = read.author(node) or read.iri(node, "actor")
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


def own_id(member: Member, path: ResourcePath, generation: int) -> Iri:
    """The id of what a member posted: a record, a post for some, a boost."""
    if path.startswith("/repo/"):
        return object_id(member, path, generation)
    return circle.id_of(member, path) if path.startswith(circle.CIRCLE) else member.url(path)


def follows(wing: Wing, member: Member, actor: Iri) -> bool:
    """Whether a member follows an actor who said yes, if they had to."""
    other = wing.local_actor(actor)
    if other is not None:
        return moderation.is_follower(wing, other, member.webid)
    paths = wing.reader.about(member.id, act.FOLLOWS, actor)
    paths += moderation.followed_across(wing, member.id, actor)
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
