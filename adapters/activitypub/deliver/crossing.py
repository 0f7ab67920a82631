"""Records about people who are in the fediverse too: they hear of them natively, and of their end.

Who they are there is said by their DID document: another pod's actor, who names the DID in turn, or
the actor that the bridge made the DID for. Asking takes time and may fail: each question is an
errand in the delivery queue, tried again as deliveries are. What was found is kept in one step with
what is told of it, so nothing is told twice, and what was told can be taken back.

Spec: https://atproto.com/specs/did (alsoKnownAs) and https://fed.brid.gy/docs
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from adapters.activitypub.deliver.audience import audience
from adapters.activitypub.deliver.outgoing import outgoing
from adapters.activitypub.jsonld import read
from adapters.activitypub.lens import index, quote, relation
from adapters.activitypub.lens.published import INTERNAL, Published, View, annotated, buried
from adapters.activitypub.ports import Elsewhere
from adapters.activitypub.wing import Wing
from pod.access.agent import SYSTEM
from pod.errors import Invalid, NotFound, PeerUnavailable, PodError, StaleVersion
from pod.model.change import ChangeOp
from pod.model.ids import AtUri, Did, Iri, parse_did
from pod.model.member import Member
from pod.model.note import Note
from pod.model.peer import Delivery, Edge, Outgoing, Priority
from pod.model.relation import Relation, RelationKind
from pod.model.resource import ResourcePath, Version, record_key
from pod.read import NOTES_PREFIX, noun_of
from pod.records.lens.relation import KINDS
from pod.write import Annotate

SCHEME: Final = "at"
"""The targets of these errands: at-uris, and DIDs written like them."""

_BRIDGE: Final = "https://atproto.brid.gy"
_MARK: Final = "#crossing"
_CROSSED: Final = "crossed"
"""The key under which a post remembers of which at-uris its properties are, and by whom."""

_FOLDERS: Final = (
    NOTES_PREFIX,
    *(f"/repo/{name}/" for name, kind in KINDS.items() if kind is not RelationKind.BLOCK),
)
_TRIES: Final = 3

Found = tuple[Iri, Iri]
"""What something is in the fediverse, and whose."""

Tell = Callable[[Member, ChangeOp, str], Awaitable[Sequence[Outgoing]]]


def errand(wing: Wing, member: Member, op: ChangeOp, activity_id: str) -> Outgoing | None:
    """What there is to ask about a changed record; None where it is about nobody elsewhere."""
    if not op.path.startswith(_FOLDERS):
        return None
    uri = next((uri for uri in _subjects(wing, member, op) if _is_elsewhere(wing, uri)), None)
    if uri is None:
        return None
    name, body = f"{activity_id}{_MARK}", f"{op.action} {op.path}".encode()
    priority = Priority.ANSWER if op.path.startswith(NOTES_PREFIX) else Priority.NEWS
    return Outgoing(member.id, name, body, (Iri(uri),), priority=priority)


class Crossing:
    """Does the errands; each may be done again at any time, and then does what is left of it.

    ``tell`` makes the activities that a change causes: a new post is told of once it was asked,
    a first time, what it answers and quotes.
    """

    def __init__(self, wing: Wing, elsewhere: Elsewhere, tell: Tell) -> None:
        self._wing = wing
        self._elsewhere = elsewhere
        self._tell = tell

    async def run(self, delivery: Delivery, member: Member | None) -> None:
        """Find out who is meant, and tell them; raises PeerUnavailable to be tried again."""
        if member is None or not member.is_active:
            raise PeerUnavailable
        action, _, rest = delivery.body.decode().partition(" ")
        path = ResourcePath(rest)
        if not path.startswith(NOTES_PREFIX):
            await self._relate(member, path, delivery.target)
            return
        created = delivery.activity.removesuffix(_MARK) if action == "create" else None
        await self._refer(member, path, created)

    async def _relate(self, member: Member, path: ResourcePath, uri: Iri) -> None:
        """Tell of a like, repost or follow, or of its end."""
        edges = self._wing.edges
        await self._retract(member, path)
        if self._wing.reader.resource(member.id, path) is None:
            return
        is_told = edges.page(member.id, path, "crossed", limit=1)
        found = await self._find(uri) if not is_told else None
        resource = self._wing.reader.resource(member.id, path)
        if found is None or resource is None:
            return
        published = self._wing.published(member, resource)
        told = relation.told(_kind_of(path), published.id, member, *found)
        edge = Edge(path, "crossed", found[1], found[0], published.id, True, self._wing.clock.now())
        await edges.put(member.id, edge, telling=[await self._telling(member, told)])
        self._wing.outgoing.set()
        await self._retract(member, path)

    async def _retract(self, member: Member, path: ResourcePath) -> None:
        """Take back what was told of a record that is not there any more."""
        wing = self._wing
        resource = wing.reader.resource(member.id, path)
        current = wing.published(member, resource).id if resource is not None else None
        for edge in wing.edges.page(member.id, path, "crossed", limit=1):
            if edge.activity == current:
                continue
            ended = (_kind_of(path), edge.activity, member, Iri(edge.object), edge.actor)
            undo = index.undo(relation.told(*ended), f"{edge.activity}#undo")
            telling = [await self._telling(member, undo)]
            await wing.edges.remove(member.id, path, "accept", edge.actor)
            await wing.edges.retract(member.id, edge, wing.clock.now(), telling=telling)
            wing.outgoing.set()

    async def _telling(self, member: Member, view: View) -> Outgoing:
        activity = index.document(view)
        return await outgoing(self._wing, member, activity, *audience(self._wing, member, activity))

    async def _refer(self, member: Member, path: ResourcePath, created: str | None) -> None:
        """Say beside a post what it answers and quotes in the fediverse, and tell whose that is.

        ``created`` is the id of the activity that tells of a new post. Where not all can be asked
        now it is told of as it is: followers hear of a change later, the others of a new post.
        """
        wing, silent = self._wing, None
        resource = wing.reader.resource(member.id, path)
        if resource is None:
            return
        found: dict[str, tuple[str, Found]] = {}
        for key, uri in self._unknown(wing.published(member, resource)).items():
            try:
                if (there := await self._find(uri)) is not None:
                    found[key] = (uri, there)
            except PeerUnavailable as err:
                silent = err
        await self._note(member, path, found)
        resource = wing.reader.resource(member.id, path)
        if resource is None:
            return
        published = wing.published(member, resource)
        held = wing.edges.find(member.id, path, "crossed", "")
        is_new = created is not None and (held is None or held.activity != published.id)
        if created is not None and is_new:
            news = await self._tell(member, ChangeOp("create", path, resource.cid, None), created)
            now = wing.clock.now()
            edge = Edge(path, "crossed", member.webid, "", published.id, False, now)
            await wing.edges.put(member.id, edge, telling=news)
        await self._tell_authors(member, published, is_told=is_new)
        wing.outgoing.set()
        if silent is not None:
            raise silent

    def _unknown(self, published: Published) -> dict[str, str]:
        """The at-uris of which nothing is said beside the post."""
        said, crossed = published.annotation, _crossed(published)
        return {
            key: uri
            for key, uri in _references(published).items()
            if _is_elsewhere(self._wing, uri)
            and (crossed[key]["of"] != uri if key in crossed else key not in said)
        }

    async def _note(
        self, member: Member, path: ResourcePath, found: Mapping[str, tuple[str, Found]]
    ) -> None:
        """Write beside a post what was found, and no more what it is not about any more."""
        for _ in range(_TRIES):
            resource = self._wing.reader.resource(member.id, path)
            if resource is None:
                return
            published = self._wing.published(member, resource)
            beside = self._beside(published, found)
            if beside == published.annotation:
                return
            expect = Version(resource.cid, resource.complement.revision)
            op = Annotate(path, annotated(resource.complement, beside), expect)
            try:
                await self._wing.write.apply(SYSTEM, member.id, [op])
            except (StaleVersion, NotFound):
                continue
            return
        raise PeerUnavailable("The post changes too often.")

    def _beside(self, published: Published, found: Mapping[str, tuple[str, Found]]) -> View:
        said, internal = published.annotation, dict(published.internal)
        references, known = _references(published), dict(_crossed(published))
        for key in [key for key, there in known.items() if references.get(key) != there["of"]]:
            for name in (key, "quoteAuthorization") if key == "quote" else (key,):
                said.pop(name, None)
            del known[key]
        for key, (uri, (target, author)) in found.items():
            if references.get(key) != uri:
                continue
            said[key], known[key] = target, {"of": uri, "by": author}
            if key == "quote":
                internal["quoteAuthor"] = author
            else:
                name = self._wing.actors.handle(author)
                mention = {"type": "Mention", "href": author, "name": name}
                said["tag"] = [*said.get("tag", []), mention]
        internal = {**internal, _CROSSED: known} if known else _without(internal, _CROSSED)
        return {**said, INTERNAL: internal} if internal else _without(said, INTERNAL)

    async def _tell_authors(self, member: Member, published: Published, *, is_told: bool) -> None:
        """Tell whose post is answered, and ask whose is quoted, unless it ``is_told``; once."""
        wing, path, now = self._wing, published.resource.path, self._wing.clock.now()
        for key, there in _crossed(published).items():
            target, author = published.annotation[key], Iri(there["by"])
            held = wing.edges.find(member.id, path, "crossed", target)
            view = index.get(published)
            if view is None or (held is not None and held.activity == published.id):
                continue
            answer = index.create(view, f"{published.id}#answer")
            activity = answer if key == "inReplyTo" else quote.request(view, target, author)
            edge = Edge(path, "crossed", author, target, published.id, False, now)
            news = await outgoing(wing, member, index.document(activity), (), (author,))
            await wing.edges.put(member.id, edge, telling=() if is_told else (news,))

    async def _find(self, uri: str) -> Found | None:
        """What a DID or an at-uri is in the fediverse; None where it is not there.

        Raises PeerUnavailable where that cannot be told at the moment.
        """
        did = Did(_authority(uri))
        document = await self._elsewhere.did_document(did) or {}
        names = [name for name in _listed(document, "alsoKnownAs") if isinstance(name, str)]
        is_bridged = _pds(document) == _BRIDGE
        silent: PeerUnavailable | None = None
        for link in filter(None, (read.id_of({"id": name}) for name in names)):
            try:
                actor = await self._actor(link, did, is_bridged=is_bridged)
                if actor is not None:
                    return await self._object(uri, actor, is_bridged=is_bridged)
            except PeerUnavailable as err:
                silent = err
            except PodError:
                continue
        if silent is not None:
            raise silent
        return None

    async def _actor(self, link: Iri, did: Did, *, is_bridged: bool) -> Iri | None:
        document = await self._wing.actors.document(link)
        actor = read.id_of(document)
        is_mutual = did in _listed(document, "alsoKnownAs")
        return actor if actor is not None and (is_bridged or is_mutual) else None

    async def _object(self, uri: str, actor: Iri, *, is_bridged: bool) -> Found | None:
        rest = uri.removeprefix("at://").partition("/")[2]
        if not rest:
            return actor, actor
        if is_bridged:
            record = await self._elsewhere.record(AtUri(uri)) or {}
            url = read.id_of({"id": record.get("bridgyOriginalUrl")})
        else:
            url = Iri(f"{read.origin_of(actor)}/repo/{rest}")
        document = await self._wing.actors.document(url) if url is not None else {}
        target = read.id_of(document)
        is_theirs = read.author(document) == actor
        return (target, actor) if target is not None and is_theirs else None


def _subjects(wing: Wing, member: Member, op: ChangeOp) -> list[str]:
    """The at-uris of what a changed record is about."""
    if op.action == "delete":
        tombstone = wing.reader.tombstone(member.id, op.path)
        noun = noun_of(buried(tombstone)) if tombstone is not None else None
        return [_as_uri(noun)] if isinstance(noun, Relation) else []
    resource = wing.reader.resource(member.id, op.path) if op.cid != op.prev else None
    noun = noun_of(resource) if resource is not None else None
    if isinstance(noun, Relation):
        return [_as_uri(noun)]
    if resource is None or not isinstance(noun, Note):
        return []
    published = wing.published(member, resource)
    left = [there["of"] for there in _crossed(published).values()]
    return [*_references(published).values(), *left]


def _as_uri(noun: Relation) -> str:
    return f"at://{noun.subject_uri.removeprefix('at://')}"


def _references(published: Published) -> dict[str, str]:
    """What a post answers and quotes, by the property that says so in AS2."""
    note = noun_of(published.resource)
    if not isinstance(note, Note):
        return {}
    found: dict[str, str] = {"inReplyTo": note.reply.parent.uri} if note.reply is not None else {}
    return found | ({"quote": note.quote.uri} if note.quote is not None else {})


def _crossed(published: Published) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = published.internal.get(_CROSSED, {})
    return found


def _without(view: View, key: str) -> View:
    return {name: value for name, value in view.items() if name != key}


def _kind_of(path: ResourcePath) -> RelationKind:
    return KINDS[record_key(path)[0]]


def _authority(uri: str) -> str:
    return uri.removeprefix("at://").partition("/")[0]


def _is_elsewhere(wing: Wing, uri: str) -> bool:
    try:
        return wing.reader.member_by_did(parse_did(_authority(uri))) is None
    except Invalid:
        return False


def _pds(document: dict[str, Any]) -> str | None:
    """The origin of the server that a DID document names."""
    for service in _listed(document, "service"):
        if isinstance(service, dict) and str(service.get("id", "")).endswith("#atproto_pds"):
            named = read.id_of({"id": service.get("serviceEndpoint")})
            return read.origin_of(named) if named is not None else None
    return None


def _listed(document: Mapping[str, Any], key: str) -> list[Any]:
    found = document.get(key)
    return found if isinstance(found, list) else []
