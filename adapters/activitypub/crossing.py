"""Likes, reposts, follows and answers, written as records of people who are in the fediverse too.

Who they are there is said by their DID document: another pod's actor, who names the DID in turn, or
the actor that the bridge made the DID for. They hear of it natively, and of its end.

Spec: https://atproto.com/specs/did (alsoKnownAs) and https://fed.brid.gy/docs
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from adapters.activitypub.deliver.outgoing import outgoing
from adapters.activitypub.deliver.reactor import buried
from adapters.activitypub.jsonld import read
from adapters.activitypub.lens import index, relation
from adapters.activitypub.lens.published import annotated
from adapters.activitypub.ports import Elsewhere
from adapters.activitypub.wing import Wing
from pod.access.agent import SYSTEM
from pod.errors import PodError
from pod.model.change import ChangeOp
from pod.model.ids import AtUri, Did, Iri
from pod.model.member import Member
from pod.model.note import Note
from pod.model.peer import Edge
from pod.model.relation import Relation, RelationKind
from pod.model.resource import Resource, Version
from pod.read import NOTES_PREFIX, noun_of
from pod.records.lens.relation import COLLECTIONS
from pod.write import Annotate

CURSOR: Final = "crossing"
_BRIDGE: Final = "https://atproto.brid.gy"
_PAGE: Final = 100
_FOLDERS: Final = (
    NOTES_PREFIX,
    *(f"/repo/{name}/" for kind, name in COLLECTIONS.items() if kind is not RelationKind.BLOCK),
)


class Crossing:
    """Reads the change log at a cursor of its own, as looking elsewhere takes time."""

    def __init__(self, wing: Wing, elsewhere: Elsewhere) -> None:
        self._wing = wing
        self._elsewhere = elsewhere

    async def catch_up(self) -> None:
        """Tell of all changes that were not looked at; a pod's first time begins now."""
        wing = self._wing
        if wing.queue.cursor(CURSOR) == 0:
            await self._move(max(1, wing.reader.head_seq()))
        while changes := wing.reader.changes(after=wing.queue.cursor(CURSOR), limit=_PAGE):
            for change in changes:
                member = wing.reader.member(change.member)
                for op in change.ops if member is not None and change.kind == "commit" else ():
                    if member is not None and member.is_active and op.path.startswith(_FOLDERS):
                        await self._turn(member, op)
            await self._move(changes[-1].seq)

    async def _move(self, seq: int) -> None:
        await self._wing.queue.enqueue([], self._wing.clock.now(), cursor=seq, reactor=CURSOR)

    async def _turn(self, member: Member, op: ChangeOp) -> None:
        edges = self._wing.edges
        if op.action == "delete":
            for edge in edges.page(member.id, op.path, "crossed", limit=1):
                tombstone = self._wing.reader.tombstone(member.id, op.path)
                noun = noun_of(buried(tombstone)) if tombstone is not None else None
                if tombstone is not None and isinstance(noun, Relation):
                    published = self._wing.published(member, buried(tombstone))
                    told = relation.told(noun, published, Iri(edge.object), edge.actor)
                    undo = index.undo(told, f"{told['id']}#undo")
                    await self._send(member, index.document(undo), edge.actor)
                await edges.remove_kind(member.id, op.path, "crossed")
            return
        resource = self._wing.reader.resource(member.id, op.path)
        noun = noun_of(resource) if resource is not None and op.action == "create" else None
        if resource is not None and isinstance(noun, Note):
            await self._answer(member, resource, noun)
        found = await self._find(noun.subject_uri) if isinstance(noun, Relation) else None
        if resource is None or found is None or not isinstance(noun, Relation):
            return
        target, author = found
        told = relation.told(noun, self._wing.published(member, resource), target, author)
        now = self._wing.clock.now()
        await edges.put(member.id, Edge(op.path, "crossed", author, target, told["id"], True, now))
        await self._send(member, index.document(told), author)

    async def _answer(self, member: Member, resource: Resource, note: Note) -> None:
        """Say beside a post what it answers in the fediverse, and tell whoever wrote that.

        Followers may have been told before: they hear of a change. The author is told of a new post
        in any case, perhaps twice, which is one post to them.
        """
        wing, path = self._wing, resource.path
        said = wing.published(member, resource).annotation
        found = await self._find(note.reply.parent.uri) if note.reply is not None else None
        if found is None or "inReplyTo" in said:
            return
        target, author = found
        mention = {"type": "Mention", "href": author, "name": wing.actors.handle(author)}
        beside = {**said, "inReplyTo": target, "tag": [*said.get("tag", []), mention]}
        op = Annotate(path, annotated(resource.complement, beside), Version(resource.cid))
        try:
            await wing.write.apply(SYSTEM, member.id, [op])
        except PodError:
            return  # it was edited or deleted meanwhile
        kept = wing.reader.resource(member.id, path)
        view = index.get(wing.published(member, kept)) if kept is not None else None
        if view is not None:
            created = index.create(view, f"{view['id']}#answer")
            edge = Edge(path, "told", author, "", view["id"], False, wing.clock.now())
            await wing.edges.put(member.id, edge)
            await self._send(member, index.document(created), author)

    async def _send(self, member: Member, activity: dict[str, Any], author: Iri) -> None:
        news = await outgoing(self._wing, member, activity, (), (author,))
        await self._wing.queue.enqueue([news], self._wing.clock.now())
        self._wing.outgoing.set()

    async def _find(self, uri: str) -> tuple[Iri, Iri] | None:
        """What a DID or an at-uri is in the fediverse, and whose; None where it is not there.

        What cannot be had at the moment counts as not there.
        """
        did = Did(uri.removeprefix("at://").split("/")[0])
        if self._wing.reader.member_by_did(did) is not None:
            return None
        try:
            document = await self._elsewhere.did_document(did) or {}
            names = [name for name in document.get("alsoKnownAs", []) if isinstance(name, str)]
            is_bridged = _pds(document) == _BRIDGE
            for name in names:
                if (link := read.id_of({"id": name})) is not None:
                    actor = await self._actor(link, did, is_bridged=is_bridged)
                    if actor is not None:
                        return await self._object(uri, actor, is_bridged=is_bridged)
        except PodError:
            return None
        return None

    async def _actor(self, link: Iri, did: Did, *, is_bridged: bool) -> Iri | None:
        document = await self._wing.actors.document(link)
        actor = read.id_of(document)
        said = document.get("alsoKnownAs", [])
        is_mutual = isinstance(said, list) and did in said
        return actor if actor is not None and (is_bridged or is_mutual) else None

    async def _object(self, uri: str, actor: Iri, *, is_bridged: bool) -> tuple[Iri, Iri] | None:
        if not uri.startswith("at://"):
            return actor, actor
        if is_bridged:
            record = await self._elsewhere.record(AtUri(uri)) or {}
            url = read.id_of({"id": record.get("bridgyOriginalUrl")})
        else:
            rest = uri.removeprefix("at://").split("/", 1)[1]
            url = Iri(f"{read.origin_of(actor)}/repo/{rest}")
        document = await self._wing.actors.document(url) if url is not None else {}
        target = read.id_of(document)
        is_theirs = read.iri(document, "attributedTo") == actor
        return (target, actor) if target is not None and is_theirs else None


def _pds(document: dict[str, Any]) -> str | None:
    """The origin of the server that a DID document names."""
    for service in document.get("service", []):
        if isinstance(service, dict) and str(service.get("id", "")).endswith("#atproto_pds"):
            parts = urlsplit(str(service.get("serviceEndpoint", "")))
            return f"{parts.scheme}://{parts.netloc}"
    return None
