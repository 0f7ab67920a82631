"""Client-to-server: what a member's own ActivityPub client posts to their outbox.

Notes, polls and articles become records like any other; what members do to others goes out where
the others live.

Spec: https://www.w3.org/TR/activitypub/#client-to-server-interactions
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adapters.activitypub import circle
from adapters.activitypub.acts import Acts
from adapters.activitypub.files import Placed, place
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import article, note
from adapters.activitypub.lens.act import SOCIAL, Act
from adapters.activitypub.lens.circle import is_narrow
from adapters.activitypub.lens.names import object_id
from adapters.activitypub.lens.published import Published, Put, beside
from adapters.activitypub.polls import Polls
from adapters.activitypub.receive.vote import is_choice
from adapters.activitypub.social import Social
from adapters.activitypub.threads import referring
from adapters.activitypub.wing import Wing
from pod.access.agent import Agent
from pod.errors import Conflict, Forbidden, Invalid, NotFound, Unprocessable, Unsupported
from pod.model.article import Article
from pod.model.ids import Iri, Nsid, Rkey
from pod.model.member import Member
from pod.model.note import Note
from pod.model.resource import EMPTY, RECORD_TYPE, Resource, Version, record_key, record_path
from pod.read import noun_of, record_of
from pod.records.cbor import encode
from pod.records.cid import record_cid
from pod.records.lens import index as records
from pod.write import Delete, Op, PutRecord

POSTS: Final = Nsid("app.bsky.feed.post")
ARTICLES: Final = Nsid("com.whtwnd.blog.entry")
_ACTS: Final[dict[str, Act]] = {"Follow": "follow", "Like": "like", "Announce": "announce"}
_AUDIENCE: Final = frozenset({"to", "cc"})
_BLIND: Final = frozenset({"bto", "bcc"})
_OBJECTS: Final = frozenset({"Note", "Question", "Article"})


class Authoring:
    """Takes what members' own clients post."""

    def __init__(self, wing: Wing, social: Social, acts: Acts, polls: Polls) -> None:
        self._wing = wing
        self._social = social
        self._acts = acts
        self._polls = polls

    async def post(self, agent: Agent, member: Member, node: Node) -> Iri:
        """Do what an activity (or a bare object) says; the id of what was made or changed.

        Raises Unauthenticated, Forbidden; Unsupported for other activities; Invalid, Unprocessable
        and Conflict for what cannot be kept as it is written; what writing raises.
        """
        if agent.member != member.id:
            raise Forbidden("Only the member posts to their outbox.")
        kinds = read.types(node)
        if kinds & _OBJECTS:
            return await self._create(agent, member, node, node)
        inner, target = read.node(node, "object"), read.iri(node, "object")
        if "Create" in kinds and inner is not None:
            return await self._create(agent, member, inner, node)
        if inner is not None and kinds & {"Accept", "Reject"}:
            return await self._answer(member, inner, accept="Accept" in kinds)
        if "Undo" in kinds:
            return await self._undo(agent, member, target or self._named(member, inner))
        if target is None:
            raise Invalid("The activity needs an object.")
        if "Update" in kinds and inner is not None:
            return await self._update(agent, member, target, inner)
        if "Delete" in kinds:
            return await self._delete(agent, member, target)
        return await self._react(agent, member, node, target)

    async def create(self, agent: Agent, member: Member, view: Node) -> Iri:
        """Write a new note, poll or article, for whichever client; see `post`."""
        return await self._create(agent, member, view, view)

    async def _create(self, agent: Agent, member: Member, view: Node, activity: Node) -> Iri:
        kinds = read.types(view)
        if not kinds & _OBJECTS:
            raise Unprocessable("Only notes, questions and articles can be created here.")
        if is_choice(view):
            question = read.iri(view, "inReplyTo")
            assert question is not None  # a choice is one in a poll
            names = [read.text(view, "name") or ""]
            return member.url((await self._polls.vote(agent, member, question, names))[0])
        if _BLIND & (view.keys() | activity.keys()):
            raise Unprocessable("Whom a post is for is told in to and cc.")
        if is_narrow(view, activity):
            if "Article" in kinds:
                raise Unprocessable("Articles are public.")
            return await circle.create(self._wing, agent, member, view, activity)
        if not _AUDIENCE & view.keys():  # the activity speaks for the object
            view = {**view, **{key: activity[key] for key in _AUDIENCE & activity.keys()}}
        collection = ARTICLES if "Article" in kinds else POSTS
        rkey = Rkey(self._wing.tids.next())
        now = self._wing.clock.now()
        blank = Resource(
            member.id, record_path(collection, rkey), RECORD_TYPE, record_cid(b""), 0, b"",
            self._wing.tids.next(), now, now,
        )  # fmt: skip
        claimed = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        published = self._wing.published(member, blank)
        placed = Placed(view, (), ())
        if "Article" not in kinds:
            placed = await place(self._wing, member, published.id, view, {}, is_public=True)
        put = await self._put(placed, published, claimed)
        record = records.put(collection, put.noun)
        complement = beside(put, record_cid(encode(record)), EMPTY)
        op = PutRecord(collection, rkey, record, "create", complement=complement)
        await self._wing.write.apply(agent, member.id, [op, *placed.ops])
        return object_id(member, blank.path, 1)

    async def _put(self, placed: Placed, published: Published, claimed: str) -> Put:
        """What a new object means, with what it refers to on other servers."""
        view = placed.view
        if "Article" in read.types(view):
            return article.put(view, None, published, claimed)
        view, more = await referring(self._wing, view)
        put = note.put(view, None, published, claimed, placed.files)
        both = {**more, **put.annotation}
        for key in more.keys() & put.annotation.keys():
            if isinstance(more[key], dict):
                both[key] = {**more[key], **put.annotation[key]}
        return Put(put.noun, both, put.override)

    async def _update(self, agent: Agent, member: Member, target: Iri, view: Node) -> Iri:
        if circle.holds(self._wing, member, target):
            return await circle.update(self._wing, agent, member, target, view)
        resource = self._own(member, target)
        before = noun_of(resource)
        published = self._wing.published(member, resource)
        ops: Sequence[Op] = ()
        if isinstance(before, Note):
            shown = note.get(before, published)
            whole = {**shown, **view}
            placed = await place(self._wing, member, target, whole, shown, is_public=True)
            at = before.created_at
            put, ops = note.put(placed.view, before, published, at, placed.files), placed.ops
        elif isinstance(before, Article):
            whole = {**article.get(before, published), **view}
            put = article.put(whole, before, published, before.created_at or "")
        else:
            raise Unprocessable("Only notes and articles can be updated here.")
        record = records.put(record_key(resource.path)[0], put.noun, record_of(resource))
        collection, rkey = record_key(resource.path)
        complement = beside(put, record_cid(encode(record)), resource.complement)
        expect = Version(resource.cid, resource.complement.revision)
        op = PutRecord(collection, rkey, record, "update", expect, complement=complement)
        await self._wing.write.apply(agent, member.id, [op, *ops])
        return target

    async def _delete(self, agent: Agent, member: Member, target: Iri) -> Iri:
        if circle.holds(self._wing, member, target):
            return await circle.delete(self._wing, agent, member, target)
        resource = self._own(member, target)
        await self._wing.write.apply(agent, member.id, [Delete(resource.path)])
        return target

    async def _undo(self, agent: Agent, member: Member, target: Iri) -> Iri:
        """Take an act back, a document's or a record's: the activity is named by its URL."""
        path = member.path(target)
        resource = self._wing.reader.resource(member.id, path) if path is not None else None
        if resource is None:
            raise NotFound("There is no such activity of yours.")
        is_document = resource.path.startswith(SOCIAL)
        if not is_document and not resource.path.startswith("/repo/"):
            raise Conflict("Only follows, likes and boosts can be undone.")
        await self._wing.write.apply(agent, member.id, [Delete(resource.path)])
        return target

    def _named(self, member: Member, inner: Node | None) -> Iri:
        """The act that an Undo tells by what it was about, without its id."""
        target = read.iri(inner, "object") if inner is not None else None
        act = _act_of(inner) if inner is not None else None
        held = self._acts.held(member, act, target) if act and target is not None else []
        if not held:
            raise NotFound("There is no such activity of yours.")
        return member.url(held[0])

    async def _react(self, agent: Agent, member: Member, node: Node, target: Iri) -> Iri:
        act, emoji = _act_of(node), read.text(node, "content")
        if "EmojiReact" in read.types(node):
            return member.url(await self._acts.react(agent, member, target, emoji or ""))
        if act is None:
            raise Unsupported("This activity is not supported.")
        return member.url(await self._acts.do(agent, member, act, target))

    async def _answer(self, member: Member, follow: Node, *, accept: bool) -> Iri:
        """Let an actor follow, or not; the `Follow` stands in the activity and says who asked."""
        actor = read.iri(follow, "actor")
        if "Follow" not in read.types(follow) or actor is None:
            raise Unprocessable("Only a Follow, with its actor, can be answered.")
        answer = self._social.accept_follower if accept else self._social.reject_follower
        return await answer(member, actor)

    def _own(self, member: Member, target: Iri) -> Resource:
        found = self._wing.local_object(target)
        if found is None or found[0].id != member.id:
            raise NotFound("There is no such object of yours.")
        return found[1]


def _act_of(node: Node) -> Act | None:
    kinds = read.types(node)
    return next((act for kind, act in _ACTS.items() if kind in kinds), None)
