"""Which lens shows which record, and what an edit of the union view means for record and notes.

The default view is meaning + annotations + `lex:uri` and `lex:recordCid`; each triple that an edit
changes is exactly one of: a record key (generic), a field, a consequence (409), an annotation.

Spec: https://solidproject.org/TR/protocol#writing-resources
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pyoxigraph import Literal, NamedNode, Triple

from adapters.solid.lens import article, note, profile
from adapters.solid.lens.edit import Change, Lens, Place, record_class, value_of
from adapters.solid.lens.generic import CID, from_rdf, to_rdf
from adapters.solid.lens.kinds import KINDS
from adapters.solid.lens.parts import (
    ANNOTATION,
    META,
    about,
    classify,
    is_protected,
    merge,
    noted_beside,
    noted_bytes,
    split_generic,
)
from adapters.solid.paths import CARD
from adapters.solid.ports import SpeechOf
from adapters.solid.rdf.parse import Graph
from adapters.solid.rdf.vocab import FOAF, LEX, RDF
from pod.errors import Conflict, Invalid, Unprocessable
from pod.model.blob import BlobRef
from pod.model.ids import AtUri, Cid, Did, Iri
from pod.model.member import Member
from pod.model.note import StrongRef
from pod.model.noun import Opaque
from pod.model.profile import Profile
from pod.model.resource import (
    EMPTY,
    Annotation,
    Complement,
    Resource,
    ResourcePath,
    record_key,
)
from pod.ports import Reader
from pod.read import PROFILE_PATH, noun_of, record_of
from pod.records.cid import cid_from_text, cid_text
from pod.records.lens import index as core
from pod.records.lens.shape import Record

Reads = Callable[[ResourcePath], bool]
"""Whether whoever writes may read a path of the storage."""

_NOWHERE: Final[Reads] = lambda _: False  # noqa: E731  a constant
_BLOBS: Final = "/blobs/"
LENSES: Final[dict[str, Lens[Any]]] = {
    "app.bsky.feed.post": note.LENS,
    "app.bsky.actor.profile": profile.LENS,
    "com.whtwnd.blog.entry": article.LENS,
    **dict.fromkeys(
        ("site.standard.document", "pub.leaflet.document"), replace(article.LENS, blank=None)
    ),
    **KINDS,
}
"""The lens of each collection whose records have a meaning here."""


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit made of a record; ``complement`` None leaves the complement as it is."""

    record: Record
    complement: Complement | None


class RecordViews:
    """The RDF views of records, and the way back."""

    def __init__(self, reader: Reader, speech_of: SpeechOf, issuer: Iri) -> None:
        self._reader = reader
        self._speech_of = speech_of
        self._issuer = issuer

    def default(self, author: Member, resource: Resource) -> Graph:
        """What a record means, with its annotations."""
        noted = noted_beside(resource.complement)
        if isinstance(noun_of(resource), Opaque):
            shown = [*self.generic(author, resource), *_meta(author, resource), *noted]
            return list(dict.fromkeys(shown))
        return [*self._meaning(author, resource), *noted]

    def generic(self, author: Member, resource: Resource) -> Graph:
        """A record key for key."""
        return to_rdf(record_of(resource), NamedNode(author.url(resource.path)))

    def webid(self, author: Member, resource: Resource | None) -> Graph:
        """The WebID document; ``resource`` is the profile record, if there is one."""
        if resource is None:
            shown = profile.show(Profile(), self._place(author, PROFILE_PATH))
            return [*shown, *profile.identity(author, self._issuer)]
        return [*self.default(author, resource), *profile.identity(author, self._issuer)]

    def card(self, author: Member, resource: Resource | None) -> Graph:
        """The WebID document under its alias: the same of ``/profile/card#me``."""
        shown = _renamed(self.webid(author, resource), *_alias(author))
        return [*profile.card_facts(author), *shown]

    def put_card(
        self, author: Member, resource: Resource | None, wanted: Graph, *, reads: Reads = _NOWHERE
    ) -> Edited:
        """The profile record after the alias document was replaced by ``wanted``; see `put`."""
        person, alias = _alias(author)
        fixed = set(profile.card_facts(author))
        if missing := fixed - set(wanted):
            triple = min(map(str, missing))
            raise Conflict(f"This follows from the rest and cannot be removed: {triple}")
        rest = [triple for triple in wanted if triple not in fixed]
        if any(person in (triple.subject, triple.object) for triple in rest):
            raise Conflict(f"In this document the person is {alias}")
        return self.put_webid(author, resource, _renamed(rest, alias, person), reads=reads)

    def home(self, author: Member, resource: Resource | None) -> Graph:
        """The home page as data: the WebID document, and whom it is about."""
        topic = Triple(NamedNode(author.url("/")), FOAF.primaryTopic, NamedNode(author.webid))
        return [topic, *self.webid(author, resource)]

    def put_webid(
        self, author: Member, resource: Resource | None, wanted: Graph, *, reads: Reads = _NOWHERE
    ) -> Edited:
        """The profile record after the WebID document was replaced by ``wanted``; see `put`."""
        identity = profile.identity(author, self._issuer)
        if resource is not None:
            return self._put(author, resource, wanted, identity, False, reads)
        place = self._place(author, PROFILE_PATH, reads)
        shown = [*profile.show(Profile(), place), *identity]
        changes, noted = classify(profile.LENS, place, shown, wanted)
        named = profile.LENS.edit(Profile(), changes, place)
        return self._edited(EMPTY, core.put("app.bsky.actor.profile", named), noted)

    def put(
        self,
        author: Member,
        resource: Resource,
        wanted: Graph,
        *,
        with_keys: bool = False,
        reads: Reads = _NOWHERE,
    ) -> Edited:
        """The record after its default view was replaced by ``wanted``.

        ``reads`` tells where the writer may take pictures from.

        ``with_keys``: the keys of the record were shown too, so that one that is missing was
        removed; otherwise keys are all given or none.
        Raises Conflict naming the triple for what follows from the rest, Unprocessable for values
        that the record cannot hold.
        """
        return self._put(author, resource, wanted, [], with_keys, reads)

    def _put(
        self,
        author: Member,
        resource: Resource,
        wanted: Graph,
        more: Graph,
        with_keys: bool,
        reads: Reads,
    ) -> Edited:
        source, subject = record_of(resource), NamedNode(author.url(resource.path))
        keys, wanted = split_generic(wanted, subject)
        record = from_rdf(keys, subject) if keys else source
        if not with_keys and (left_out := source.keys() - record.keys()):
            raise Conflict(f"Give every key of the record, or PATCH; {min(left_out)} is missing")
        noun = noun_of(resource)
        if isinstance(noun, Opaque):
            if not keys and source.keys() - {"$type"}:
                raise Conflict("A record keeps its keys; to remove it, delete it")
            return self._edited(resource.complement, record, _beside(wanted, author, resource))
        shown = [*self._meaning(author, resource), *more]
        place = self._place(author, resource.path, reads)
        collection, _ = record_key(resource.path)
        lens = LENSES[collection]
        changes, noted = classify(lens, place, shown, wanted)
        if changes:
            meant = core.put(collection, lens.edit(noun, changes, place), source)
            record = merge(source, record, meant)
        return self._edited(resource.complement, record, noted)

    def put_generic(self, author: Member, path: ResourcePath, wanted: Graph) -> Edited:
        """The record that a generic view spells; the complement stays."""
        subject = NamedNode(author.url(path))
        return Edited(from_rdf([t for t in wanted if t.predicate not in META], subject), None)

    def create(
        self,
        author: Member,
        path: ResourcePath,
        wanted: Graph,
        now: str,
        *,
        reads: Reads = _NOWHERE,
    ) -> Edited:
        """A new record from a graph about it: its keys if it gives any, else its meaning.

        The thing may be the resource itself or the one blank node that has no other place.
        """
        collection, _ = record_key(path)
        subject = NamedNode(author.url(path))
        place = self._place(author, path, reads)
        wanted = about(wanted, place.topic)
        keys, wanted = split_generic(wanted, subject)
        if keys:
            record = from_rdf(keys, subject)
            rest = [t for t in wanted if t not in set(self._shown(path, record, place))]
            return self._edited(EMPTY, record, _unprotected(rest, place, collection, record))
        lens = LENSES.get(collection)
        if lens is None or lens.blank is None:
            raise Unprocessable(f"A {collection} record is written with its keys (?view=lex)")
        changes: dict[str, Change] = {}
        for triple in wanted:
            if triple.subject == place.topic and triple.predicate in lens.editable:
                change = changes.setdefault(lens.editable[triple.predicate], Change())
                change.added.append(value_of(triple))
        if not changes:
            raise Unprocessable(f"The graph says nothing that a {collection} record can hold")
        noun = lens.edit(lens.blank(now), changes, replace(place, said=wanted))
        missing = [name for name in lens.required if not getattr(noun, name)]
        if missing:
            raise Unprocessable(f"A {collection} record needs its {' and its '.join(missing)}")
        record = core.put(collection, noun)
        shown = set(self._shown(path, record, place))
        rest = [
            t
            for t in wanted
            if t not in shown and not (t.subject == place.topic and t.predicate in lens.editable)
        ]
        return self._edited(EMPTY, record, _unprotected(rest, place, collection, record))

    def _shown(self, path: ResourcePath, record: Record, place: Place) -> Graph:
        collection, _ = record_key(path)
        noun = core.get(collection, record)
        document = NamedNode(place.author.url(path))
        shown = [Triple(document, RDF.type, record_class(collection))]
        return shown if isinstance(noun, Opaque) else shown + LENSES[collection].show(noun, place)

    def _meaning(self, author: Member, resource: Resource) -> Graph:
        noun = noun_of(resource)
        place = self._place(author, resource.path)
        return [*LENSES[_kind(resource)].show(noun, place), *_meta(author, resource)]

    def _place(self, author: Member, path: ResourcePath, reads: Reads = _NOWHERE) -> Place:
        is_profile = path == PROFILE_PATH
        topic = NamedNode(author.webid if is_profile else author.url(path))
        return Place(
            topic, author, self._speech_of(author), self._cite, self._pictures(author, reads)
        )

    def _pictures(self, author: Member, reads: Reads) -> Callable[[str], BlobRef | None]:
        def picture(url: str) -> BlobRef | None:
            path = author.path(url)
            if path is None:
                return None
            if path.startswith(_BLOBS):
                cid = _cid(path.removeprefix(_BLOBS))
            elif not reads(path):
                return None
            else:
                resource = self._reader.resource(author.id, path)
                cid = resource.cid if resource is not None else None
            held = self._reader.blob(author.id, cid) if cid is not None else None
            return BlobRef(held.cid, held.media_type, held.size) if held is not None else None

        return picture

    def _cite(self, uri: AtUri) -> tuple[StrongRef, Resource] | None:
        did, _, key = uri.removeprefix("at://").partition("/")
        member = self._reader.member_by_did(Did(did))
        if member is None:
            return None
        found = self._reader.resource(member.id, ResourcePath(f"/repo/{key}"))
        return (StrongRef(uri, cid_text(found.cid)), found) if found is not None else None

    def _edited(self, before: Complement, record: Record, noted: Sequence[Triple]) -> Edited:
        data = noted_bytes(noted) if noted else None
        if data == before.annotation(ANNOTATION):
            return Edited(record, None)
        kept = tuple(a for a in before.annotations if a.view != ANNOTATION)
        added = (Annotation(ANNOTATION, data),) if data is not None else ()
        return Edited(record, replace(before, annotations=(*kept, *added)))


def _alias(author: Member) -> tuple[NamedNode, NamedNode]:
    return NamedNode(author.webid), NamedNode(f"{author.url(CARD)}#me")


def _renamed(graph: Graph, old: NamedNode, new: NamedNode) -> Graph:
    """A graph in which one node goes by another name."""
    return [
        Triple(
            new if triple.subject == old else triple.subject,
            triple.predicate,
            new if triple.object == old else triple.object,
        )
        for triple in graph
    ]


def _cid(text: str) -> Cid | None:
    try:
        return cid_from_text(text)
    except Invalid:
        return None


def _unprotected(rest: Graph, place: Place, collection: str, record: Record) -> Graph:
    is_opaque = isinstance(core.get(collection, record), Opaque)
    lens = None if is_opaque else LENSES[collection]
    for triple in rest:
        if triple.predicate in META or (lens and is_protected(triple, lens, place.topic)):
            raise Conflict(f"This is the pod's to say: {triple}")
    return rest


def _beside(wanted: Graph, author: Member, resource: Resource) -> Graph:
    """The annotations in an edited view of a record that has no meaning here."""
    shown = set(_meta(author, resource))
    noted = [triple for triple in wanted if triple not in shown]
    for triple in noted:
        if triple.predicate in META:
            raise Conflict(f"This follows from the rest and cannot be added: {triple}")
    return noted


def _kind(resource: Resource) -> str:
    collection, _ = record_key(resource.path)
    return collection


def _meta(author: Member, resource: Resource) -> Graph:
    document = NamedNode(author.url(resource.path))
    graph = [
        Triple(document, RDF.type, record_class(_kind(resource))),
        Triple(document, LEX.uri, Literal(author.at_uri(resource.path))),
        Triple(document, LEX.recordCid, Literal(cid_text(resource.cid), datatype=CID)),
    ]
    if resource.path == PROFILE_PATH:
        graph.append(Triple(document, FOAF.primaryTopic, NamedNode(author.webid)))
    return graph
