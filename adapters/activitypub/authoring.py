"""Client-to-server: what a member's own ActivityPub client posts to their outbox.

Notes become records like any other; follows, likes and boosts of the fediverse become documents.

Spec: https://www.w3.org/TR/activitypub/#client-to-server-interactions
"""

from __future__ import annotations

from typing import Final

import orjson

from adapters.activitypub import circle
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import note
from adapters.activitypub.lens.act import SOCIAL, Act
from adapters.activitypub.lens.circle import is_narrow
from adapters.activitypub.lens.names import object_id
from adapters.activitypub.lens.published import COMPLEMENT, Put
from adapters.activitypub.social import Social
from adapters.activitypub.wing import Wing
from pod.access.agent import Agent
from pod.errors import Conflict, Forbidden, Invalid, NotFound, Unprocessable, Unsupported
from pod.model.ids import Iri, Nsid, Rkey
from pod.model.member import Member
from pod.model.note import Note
from pod.model.resource import (
    EMPTY,
    RECORD_TYPE,
    Annotation,
    Complement,
    Override,
    Resource,
    Version,
    record_key,
    record_path,
)
from pod.read import noun_of, record_of
from pod.records.cbor import encode
from pod.records.cid import record_cid
from pod.records.data import Data
from pod.records.lens import index as records
from pod.write import Delete, PutRecord

POSTS: Final = Nsid("app.bsky.feed.post")
_ACTS: Final[dict[str, Act]] = {"Follow": "follow", "Like": "like", "Announce": "announce"}


class Authoring:
    """Takes what members' own clients post."""

    def __init__(self, wing: Wing, social: Social) -> None:
        self._wing = wing
        self._social = social

    async def post(self, agent: Agent, member: Member, node: Node) -> Iri:
        """Do what an activity (or a bare note) says; the id of what was made or changed.

        Raises Unauthenticated, Forbidden; Unsupported for other activities; Invalid, Unprocessable
        and Conflict for what cannot be kept as it is written; what writing raises.
        """
        if agent.member != member.id:
            raise Forbidden("Only the member posts to their outbox.")
        kinds = read.types(node)
        if "Note" in kinds:
            return await self._create(agent, member, node, node)
        inner, target = read.node(node, "object"), read.iri(node, "object")
        act = next((act for kind, act in _ACTS.items() if kind in kinds), None)
        if "Create" in kinds and inner is not None:
            return await self._create(agent, member, inner, node)
        if inner is not None and kinds & {"Accept", "Reject"}:
            return await self._answer(member, inner, accept="Accept" in kinds)
        if target is None:
            raise Invalid("The activity needs an object.")
        if "Update" in kinds and inner is not None:
            return await self._update(agent, member, target, inner)
        if "Delete" in kinds:
            return await self._delete(agent, member, target)
        if "Undo" in kinds:
            return await self._undo(agent, member, target)
        if act is not None:
            return await self._act(agent, member, act, target)
        raise Unsupported("This activity is not supported.")

    async def _create(self, agent: Agent, member: Member, view: Node, activity: Node) -> Iri:
        if "Note" not in read.types(view):
            raise Unprocessable("Only notes can be created here.")
        if is_narrow(view, activity):
            return await circle.create(self._wing, agent, member, view, activity)
        rkey = Rkey(self._wing.tids.next())
        now = self._wing.clock.now()
        blank = Resource(
            member.id, record_path(POSTS, rkey), RECORD_TYPE, record_cid(b""), 0, b"",
            self._wing.tids.next(), now, now,
        )  # fmt: skip
        claimed = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        put = note.put(view, None, self._wing.published(member, blank), claimed)
        record = records.put(POSTS, put.noun)
        op = PutRecord(POSTS, rkey, record, "create", complement=_beside(put, record, EMPTY))
        await self._wing.write.apply(agent, member.id, [op])
        return object_id(member, blank.path, 1)

    async def _update(self, agent: Agent, member: Member, target: Iri, view: Node) -> Iri:
        if circle.holds(self._wing, member, target):
            return await circle.update(self._wing, agent, member, target, view)
        resource = self._own(member, target)
        before = noun_of(resource)
        if not isinstance(before, Note):
            raise Unprocessable("Only notes can be updated here.")
        published = self._wing.published(member, resource)
        whole = {**note.get(before, published), **view}
        put = note.put(whole, before, published, before.created_at)
        record = records.put(POSTS, put.noun, record_of(resource))
        collection, rkey = record_key(resource.path)
        complement = _beside(put, record, resource.complement)
        expect = Version(resource.cid, resource.complement.revision)
        op = PutRecord(collection, rkey, record, "update", expect, complement=complement)
        await self._wing.write.apply(agent, member.id, [op])
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

    async def _act(self, agent: Agent, member: Member, act: Act, target: Iri) -> Iri:
        do = {"follow": self._social.follow, "like": self._social.like,
              "announce": self._social.announce}[act]  # fmt: skip
        return member.url(await do(agent, member, target))

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


def _beside(put: Put, record: dict[str, Data], before: Complement) -> Complement:
    """The complement after a put: other views' notes stay, ours are replaced."""
    annotations = [item for item in before.annotations if item.view != COMPLEMENT]
    overrides = [item for item in before.overrides if item.view != COMPLEMENT]
    if put.annotation:
        annotations.append(Annotation(COMPLEMENT, orjson.dumps(put.annotation)))
    if put.override:
        cid = record_cid(encode(record))
        overrides.append(Override(COMPLEMENT, orjson.dumps(put.override), cid))
    return Complement(tuple(annotations), tuple(overrides))
