"""Fills timelines and notices: from the change log what members do, from inboxes what others do.

Spec: https://docs.joinmastodon.org/methods/timelines/#home
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import orjson

from adapters.activitypub import moderation
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import act, circle, poll
from adapters.activitypub.lens.published import buried
from adapters.activitypub.mastodon.library import PAST, Library, own_id
from adapters.activitypub.mastodon.lister import Lister
from adapters.activitypub.mastodon.nodes import hashtags, visibility
from adapters.activitypub.mastodon.ports import Live, News, Timelines
from adapters.activitypub.moderation import AT_FOLLOWS
from adapters.activitypub.papers import Papers
from adapters.activitypub.receive.order import written_at
from adapters.activitypub.wing import Wing
from adapters.activitypub.wishes import wish_of
from pod.access.agent import SYSTEM
from pod.errors import Invalid
from pod.model.change import ChangeOp
from pod.model.ids import Did, Iri, MemberId, parse_datetime
from pod.model.member import Member
from pod.model.relation import Relation
from pod.model.resource import ResourcePath
from pod.model.timeline import Heard
from pod.read import NOTES_PREFIX, noun_of

KEPT_FOR: Final = timedelta(days=60)
KEPT: Final = 100_000
"""How long, and how many, posts of others are kept."""

FOLLOWED_TAGS: Final = "tag"
"""The folder of the hashtags that a member follows."""

_PAGE: Final = 100
_OF_THREADS: Final = frozenset({"mention", "favourite", "reblog"})
"""What nobody is told of a conversation that they want to hear no more of."""

_LIKES: Final = "/repo/app.bsky.feed.like/"
_REPOSTS: Final = "/repo/app.bsky.feed.repost/"
_RECORDS: Final = (NOTES_PREFIX, _LIKES, _REPOSTS, AT_FOLLOWS)
_BOOSTS: Final = act.folder("announce")


class Gatherer:
    """Implements `adapters.activitypub.wing.Herald`, and reads the change log."""

    def __init__(
        self, wing: Wing, timelines: Timelines, library: Library, live: Live, lister: Lister
    ) -> None:
        self._wing = wing
        self._timelines = timelines
        self._library = library
        self._live = live
        self._lister = lister
        self._tags = Papers(wing, FOLLOWED_TAGS)
        self._turn = asyncio.Lock()

    async def catch_up(self) -> None:
        """Turn all changes that are not yet turned; each does the same a second time."""
        await self._lister.catch_up()
        if self._timelines.cursor() >= self._wing.reader.head_seq():
            return
        async with self._turn:
            cursor = self._timelines.cursor()
            while changes := self._wing.reader.changes(after=cursor, limit=_PAGE):
                for change in changes:
                    member = self._wing.reader.member(change.member)
                    if member is None or not member.is_active or change.kind == "sync":
                        continue
                    for op in change.ops:
                        await asyncio.sleep(0)  # requests come first
                        await self._take(member, op, change.at)
                cursor = changes[-1].seq
                await self._timelines.move(cursor)

    async def tidy(self) -> None:
        """Forget what is old."""
        await self._timelines.forget(self._wing.clock.now() - KEPT_FOR, most=KEPT)

    async def post(self, post: Node, actor: Iri) -> None:
        """A post of an actor came, or its new state: it stands where they are followed."""
        iri = Iri(post["id"])
        now = self._wing.clock.now()
        is_new = self._timelines.heard(iri) is None
        members = [
            each for each in self._library.followers_of(actor) if self._is_for(each, post, actor)
        ]
        if not members and is_new:
            return
        held = self._timelines.heard(iri)
        is_news = await self._hear(post, actor, now)
        if is_new:
            await self._enter([*members, *self._tag_followers(post, actor)], iri, actor, now)
            await self._tell_who_asked(members, post, actor)
        elif is_news and held is not None:
            has_words = _words(orjson.loads(held.body)) != _words(post)
            await self._edited(iri, actor, has_words=has_words)

    async def keep(self, post: Node, actor: Iri) -> None:
        """A post of an actor matters to a member: it can be shown from now on."""
        await self._hear(post, actor, self._wing.clock.now())

    async def mention(self, member: Member, post: Node, actor: Iri) -> None:
        """A post that names a member, or answers them, came."""
        iri, now = Iri(post["id"]), self._wing.clock.now()
        if not self._wing.is_local(iri):
            await self._hear(post, actor, now)
        await self.note(member.id, "mention", actor, iri)

    async def _hear(self, post: Node, actor: Iri, now: datetime) -> bool:
        """Keep a post, unless a later state of it is known; whether it was kept."""
        held = self._timelines.heard(post["id"])
        if held is not None and written_at(post) < written_at(orjson.loads(held.body)):
            return False
        if held is not None and _words(orjson.loads(held.body)) != _words(post):
            await self._timelines.keep_past(replace(held, at=now))
        at = held.at if held is not None else now
        await self._timelines.hear(Heard(Iri(post["id"]), actor, at, orjson.dumps(post)))
        await self._lister.heard(post, actor, at)
        return True

    async def boost(self, node: Node, actor: Iri, target: Iri) -> None:
        """A boost of an actor came: it stands where they are followed."""
        members = [
            each for each in self._library.followers_of(actor) if self._takes_boosts(each, actor)
        ]
        iri = read.id_of(node)
        if not members or iri is None:
            return
        if not self._wing.is_local(target) and self._timelines.heard(target) is None:
            found = await self._lister.fetch(target)
            author = read.author(found)
            members = [m for m in members if author is not None and self._library.hears(m, author)]
        now = self._wing.clock.now()
        named = {"id": iri, "object": target}
        told = {"published": now.isoformat().replace("+00:00", "Z"), **node, **named}
        await self._timelines.hear(Heard(iri, actor, now, orjson.dumps(told)))
        await self._lister.heard(told, actor, now)
        await self._enter(members, iri, actor, now)

    async def gone(self, iri: Iri, actor: Iri) -> None:
        """A post or boost of an actor is gone, or the actor, with all that they posted."""
        while iri == actor and (theirs := self._timelines.heard_of(actor, limit=_PAGE)):
            for post in theirs:
                await self._remove(post.iri)
        held = self._timelines.heard(iri)
        if held is not None and held.author == actor:
            await self._remove(iri)

    def knows(self, actor: Iri) -> bool:
        """Whether anything that an actor posted is kept."""
        return bool(self._timelines.heard_of(actor, limit=1))

    def author_of(self, iri: Iri) -> Iri | None:
        """Who wrote a post of another server that is kept for members."""
        held = self._timelines.heard(iri)
        return held.author if held is not None else None

    async def note(self, member: MemberId, kind: str, actor: Iri, about: str) -> None:
        """Tell a member what an actor did."""
        holder = self._wing.reader.member(member)
        if holder is None or (holder.webid == actor and kind != "poll"):
            return
        if not moderation.hears(self._wing, holder, actor):
            return
        if kind in _OF_THREADS and self._library.is_quiet(holder, about):
            return
        now = self._wing.clock.now()
        made = await self._timelines.note(member, kind, actor, about, now, again=kind == "update")
        if made is not None:
            self._live.tell([member], News("notification", actor, made))

    async def end_polls(self) -> None:
        """Tell those of a poll's end who made it or voted in it."""
        now = self._wing.clock.now()
        for member, iri in self._timelines.over(now, limit=_PAGE):
            holder = self._wing.reader.member(member)
            node = self._library.post(iri, holder)
            author = read.author(node) if node is not None else None
            if node is not None and author is not None:
                if poll.is_open(node, now):  # it ends later than was said
                    await self._await_end(member, iri, node)
                    continue
                await self.note(member, "poll", author, iri)
            await self._timelines.settle(member, iri)

    async def _take(self, member: Member, op: ChangeOp, at: datetime) -> None:
        if op.path.startswith(act.FOLLOWS) and op.action == "delete":
            await self._parted(member, op.path)
        elif op.path.startswith(act.VOTES):
            await self._voted(member, op)
        elif op.path.startswith(_RECORDS) or op.path.startswith((circle.CIRCLE, _BOOSTS)):
            if op.action == "delete":
                await self._remove_own(member, op.path)
            else:
                await self._own(member, op, at)

    async def _own(self, member: Member, op: ChangeOp, at: datetime) -> None:
        resource = self._wing.reader.resource(member.id, op.path)
        if resource is None:
            return
        iri = own_id(member, op.path, resource.generation)
        view = self._library.post(iri, member)
        target = read.iri(view, "object") if view is not None else None
        if view is None:
            return
        if op.path.startswith((_LIKES, AT_FOLLOWS)):
            await self._related(member, op.path, target)
            return
        if poll.is_poll(view):
            await self._await_end(member.id, iri, view)
        if op.action == "update":
            await self._edited(iri, member.webid, has_words=op.cid != op.prev)
            return
        followers = self._library.followers(member)
        readers = [each for each in followers if self._is_for(each, view, member.webid)]
        tagged = self._tag_followers(view, member.webid)
        await self._enter([member, *readers, *tagged], iri, member.webid, at)
        await self._tell_who_asked(readers, view, member.webid)
        held = self._wing.local_object(target) if target is not None else None
        if held is not None:
            await self.note(held[0].id, "reblog", member.webid, str(target))
        named = {read.iri(tag, "href") for tag in read.nodes(view, "tag")}
        parent = self._wing.local_object(read.iri(view, "inReplyTo") or "")
        named |= {parent[0].webid} if parent is not None else set()
        for name in named:
            other = self._wing.local_actor(name or "")
            if other is not None:
                await self.note(other.id, "mention", member.webid, iri)

    async def _edited(self, iri: Iri, author: Iri, *, has_words: bool) -> None:
        """Show a changed post; those who boosted it are told, if it says something else."""
        self._live.tell(self._timelines.holders(iri), News("status.update", iri))
        for member in self._library.boosters(iri) if has_words else ():
            await self.note(member.id, "update", author, iri)

    async def _voted(self, member: Member, op: ChangeOp) -> None:
        resource = self._wing.reader.resource(member.id, op.path)
        question = Iri(resource.subject) if resource is not None and resource.subject else None
        node = self._library.post(question, member) if question is not None else None
        if question is not None and node is not None:
            await self._await_end(member.id, question, node)

    async def _await_end(self, member: MemberId, iri: Iri, node: Node) -> None:
        """Remember when a poll that goes on will end."""
        try:
            end = parse_datetime(read.text(node, "endTime") or "")
        except Invalid:
            return
        if poll.is_open(node, self._wing.clock.now()):
            await self._timelines.await_end(member, iri, end)

    def _tag_followers(self, post: Node, author: Iri) -> list[Member]:
        """Who follows a hashtag of a post that is for everybody."""
        if visibility(post) != "public":
            return []
        ids = [each for name in hashtags(post) for each in self._tags.holders(name)]
        return [each for each in self._library.people(ids) if self._library.hears(each, author)]

    async def _related(self, member: Member, path: ResourcePath, target: Iri | None) -> None:
        if path.startswith(_LIKES):
            held = self._wing.local_object(target or "")
            if held is not None:
                await self.note(held[0].id, "favourite", member.webid, str(target))
            return
        other = self._wing.local_actor(target or "")
        if other is not None:
            is_let = moderation.is_follower(self._wing, other, member.webid)
            kind = "follow" if is_let else "follow_request"
            await self.note(other.id, kind, member.webid, "")

    async def _remove_own(self, member: Member, path: ResourcePath) -> None:
        tombstone = self._wing.reader.tombstone(member.id, path)
        if path.startswith(AT_FOLLOWS) or tombstone is None:
            await self._parted(member, path)
            return
        iri = own_id(member, path, tombstone.generation)
        await self._remove(iri)
        past = Papers(self._wing, PAST)
        await past.drop(SYSTEM, member, *past.every(member, iri))

    async def _parted(self, member: Member, path: ResourcePath) -> None:
        """What somebody posted goes from the timeline of a member who follows them no more."""
        tombstone = self._wing.reader.tombstone(member.id, path)
        if tombstone is None:
            return
        if path.startswith(AT_FOLLOWS):
            noun = noun_of(buried(tombstone))
            did = Did(noun.subject_uri) if isinstance(noun, Relation) else None
            other = self._wing.reader.member_by_did(did) if did is not None else None
            target = other.webid if other is not None else None
        else:
            view = act.get(member, tombstone)
            target = read.iri(view, "object") if view is not None else None
        if target is not None:
            await self._timelines.part(member.id, target)

    async def _enter(self, members: list[Member], iri: Iri, author: Iri, at: datetime) -> None:
        ids = [member.id for member in members]
        new = [each for each in ids if each not in set(self._timelines.holders(iri))]
        if not new:
            return
        await self._timelines.enter(new, iri, author, at)
        self._live.tell(new, News("update", iri))

    async def _remove(self, iri: Iri) -> None:
        holders = self._timelines.holders(iri)
        await self._timelines.remove(iri)
        self._live.tell(holders, News("delete", iri))

    def _is_for(self, member: Member, post: Node, author: Iri) -> bool:
        """Whether a post belongs in a member's home: answers do where both ends are followed."""
        if "Announce" in read.types(post):
            return self._takes_boosts(member, author)
        if not self._library.hears(member, author) or not wish_of(self._wing, member, author).takes(
            post
        ):
            return False
        parent = read.iri(post, "inReplyTo")
        if parent is None:
            return True
        answered = self._library.post(parent, member)
        other = read.author(answered) if answered is not None else None
        if other is None or other in (author, member.webid):
            return other is not None
        return moderation.follows(self._wing, member, other)

    async def _tell_who_asked(self, members: Sequence[Member], post: Node, author: Iri) -> None:
        """Notices for those who want word of each post, but for boosts and answers to others."""
        if "Announce" in read.types(post) or self._library.answers_others(post):
            return
        for member in members:
            if wish_of(self._wing, member, author).notify:
                await self.note(member.id, "status", author, Iri(post["id"]))

    def _takes_boosts(self, member: Member, actor: Iri) -> bool:
        return self._library.hears(member, actor) and wish_of(self._wing, member, actor).boosts


def _words(post: Node) -> list[object]:
    """What of a post is its author's: results of polls and counts are not."""
    return [post.get(key) for key in ("name", "summary", "content", "contentMap", "attachment")]
