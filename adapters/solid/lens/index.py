"""Which lens shows which record, and what an edit of the union view means for record and notes.

The default view is meaning + annotations + `lex:uri` and `lex:recordCid`; each triple that an edit
changes is exactly one of: a record key (generic), a field, a consequence (409), an annotation.

Spec: https://solidproject.org/TR/protocol#writing-resources
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from adapters.solid.lens import article, note, profile, relation
from adapters.solid.lens.edit import Change, Lens, Place, record_class
from adapters.solid.lens.generic import CID, from_rdf, is_generic, to_rdf
from adapters.solid.ports import SpeechOf
from adapters.solid.rdf.canonical import canonical
from adapters.solid.rdf.parse import NTRIPLES, Graph, parse_rdf
from adapters.solid.rdf.vocab import FOAF, LEX, RDF
from pod.errors import Conflict, TooLarge, Unprocessable
from pod.model.article import Article
from pod.model.ids import AtUri, Did, Iri
from pod.model.member import Member
from pod.model.note import Note, StrongRef
from pod.model.noun import Opaque
from pod.model.profile import Profile
from pod.model.relation import Relation
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
from pod.records.cid import cid_text
from pod.records.data import Data
from pod.records.lens import index as core

ANNOTATION: Final = "rdf"
MAX_NOTED_BYTES: Final = 256 * 1024
MAX_NOTED_BLANKS: Final = 200
_META: Final = frozenset({LEX.uri, LEX.recordCid})
_LENSES: Final[dict[type, Lens[Any]]] = {
    Note: note.LENS,
    Profile: profile.LENS,
    Article: article.LENS,
    Relation: relation.LENS,
}
_BLANKS: Final[dict[str, Lens[Any]]] = {
    "app.bsky.feed.post": note.LENS,
    "app.bsky.actor.profile": profile.LENS,
}
"""Collections in which a record can be born from its meaning alone."""

Record = dict[str, Data]


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
            return [*self.generic(author, resource), *_meta(author, resource), *noted]
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

    def home(self, author: Member, resource: Resource | None) -> Graph:
        """The home page as data: the WebID document, and whom it is about."""
        topic = Triple(NamedNode(author.url("/")), FOAF.primaryTopic, NamedNode(author.webid))
        return [topic, *self.webid(author, resource)]

    def put_webid(self, author: Member, resource: Resource | None, wanted: Graph) -> Edited:
        """The profile record after the WebID document was replaced by ``wanted``; see `put`."""
        identity = profile.identity(author, self._issuer)
        if resource is not None:
            return self._put(author, resource, wanted, identity, False)
        place = self._place(author, PROFILE_PATH)
        shown = [*profile.show(Profile(), place), *identity]
        changes, noted = _classify(profile.LENS, place, shown, wanted)
        named = profile.edit(Profile(), changes, place)
        return self._edited(EMPTY, core.put("app.bsky.actor.profile", named), noted)

    def put(
        self, author: Member, resource: Resource, wanted: Graph, *, with_keys: bool = False
    ) -> Edited:
        """The record after its default view was replaced by ``wanted``.

        ``with_keys``: the keys of the record were shown too, so that one that is missing was
        removed; otherwise keys are all given or none.
        Raises Conflict naming the triple for what follows from the rest, Unprocessable for values
        that the record cannot hold.
        """
        return self._put(author, resource, wanted, [], with_keys)

    def _put(
        self, author: Member, resource: Resource, wanted: Graph, more: Graph, with_keys: bool
    ) -> Edited:
        source, subject = record_of(resource), NamedNode(author.url(resource.path))
        keys, wanted = split_generic(wanted, subject)
        record = from_rdf(keys, subject) if keys else source
        if not with_keys and (left_out := source.keys() - record.keys()):
            raise Conflict(f"Give every key of the record, or PATCH; {min(left_out)} is missing")
        noun = noun_of(resource)
        if isinstance(noun, Opaque):
            if not keys:
                raise Conflict("A record keeps its keys; to remove it, delete it")
            return self._edited(resource.complement, record, _beside(wanted, author, resource))
        shown = [*self._meaning(author, resource), *more]
        place = self._place(author, resource.path)
        lens = _LENSES[type(noun)]
        changes, noted = _classify(lens, place, shown, wanted)
        if changes:
            collection, _ = record_key(resource.path)
            meant = core.put(collection, lens.edit(noun, changes, place), source)
            record = _merge(source, record, meant)
        return self._edited(resource.complement, record, noted)

    def put_generic(self, author: Member, path: ResourcePath, wanted: Graph) -> Edited:
        """The record that a generic view spells; the complement stays."""
        subject = NamedNode(author.url(path))
        return Edited(from_rdf([t for t in wanted if t.predicate not in _META], subject), None)

    def create(self, author: Member, path: ResourcePath, wanted: Graph, now: str) -> Edited:
        """A new record from a graph about it: its keys if it gives any, else its meaning.

        The thing may be the resource itself or the one blank node that has no other place.
        """
        collection, _ = record_key(path)
        subject = NamedNode(author.url(path))
        place = self._place(author, path)
        wanted = _about(wanted, place.topic)
        keys, wanted = split_generic(wanted, subject)
        if keys:
            record = from_rdf(keys, subject)
            rest = [t for t in wanted if t not in set(self._shown(path, record, place))]
            return self._edited(EMPTY, record, _unprotected(rest, place, collection, record))
        lens = _BLANKS.get(collection)
        if lens is None or lens.blank is None:
            raise Unprocessable(f"A {collection} record is written with its keys (?view=lex)")
        changes: dict[str, Change] = {}
        for triple in wanted:
            if triple.subject == place.topic and triple.predicate in lens.editable:
                change = changes.setdefault(lens.editable[triple.predicate], Change())
                change.added.append(_value(triple))
        if not changes:
            raise Unprocessable(f"The graph says nothing that a {collection} record can hold")
        record = core.put(collection, lens.edit(lens.blank(now), changes, place))
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
        return shown if isinstance(noun, Opaque) else shown + _LENSES[type(noun)].show(noun, place)

    def _meaning(self, author: Member, resource: Resource) -> Graph:
        noun = noun_of(resource)
        place = self._place(author, resource.path)
        return [*_LENSES[type(noun)].show(noun, place), *_meta(author, resource)]

    def _place(self, author: Member, path: ResourcePath) -> Place:
        is_profile = path == PROFILE_PATH
        topic = NamedNode(author.webid if is_profile else author.url(path))
        return Place(topic, author, self._speech_of(author), self._cite)

    def _cite(self, uri: AtUri) -> tuple[StrongRef, Resource] | None:
        did, _, key = uri.removeprefix("at://").partition("/")
        member = self._reader.member_by_did(Did(did))
        if member is None:
            return None
        found = self._reader.resource(member.id, ResourcePath(f"/repo/{key}"))
        return (StrongRef(uri, cid_text(found.cid)), found) if found is not None else None

    def _edited(self, before: Complement, record: Record, noted: Sequence[Triple]) -> Edited:
        data = _noted(noted) if noted else None
        if data == before.annotation(ANNOTATION):
            return Edited(record, None)
        kept = tuple(a for a in before.annotations if a.view != ANNOTATION)
        added = (Annotation(ANNOTATION, data),) if data is not None else ()
        return Edited(record, replace(before, annotations=(*kept, *added)))


def noted_beside(complement: Complement) -> Graph:
    """The triples that were noted beside a record."""
    data = complement.annotation(ANNOTATION)
    return parse_rdf(data, NTRIPLES, "lex:") if data is not None else []


def _noted(triples: Sequence[Triple]) -> bytes:
    blanks = {t.subject for t in triples if isinstance(t.subject, BlankNode)}
    if len(blanks) > MAX_NOTED_BLANKS:
        raise TooLarge(f"Annotations of a record may have {MAX_NOTED_BLANKS} blank nodes")
    data = canonical(triples)
    if len(data) > MAX_NOTED_BYTES:
        raise TooLarge("Annotations of a record may have 256 KiB")
    return data


def split_generic(graph: Graph, subject: NamedNode) -> tuple[Graph, Graph]:
    """The record keys of a subject with all that hangs on them, and the rest; no keys, no split."""
    by_subject: dict[object, Graph] = {}
    for triple in graph:
        by_subject.setdefault(triple.subject, []).append(triple)
    own = [t for t in by_subject.get(subject, []) if is_generic(t.predicate)]
    if not own:
        return [], graph
    kinds = [t for t in by_subject[subject] if t.predicate == RDF.type and t.object in LEX]
    found = dict.fromkeys([*kinds, *own])
    waiting: list[object] = [t.object for t in own]
    while waiting:
        node = waiting.pop()
        if isinstance(node, BlankNode):
            for triple in by_subject.pop(node, []):
                found[triple] = None
                waiting.append(triple.object)
    taken = set(found) - set(kinds)
    return list(found), [t for t in graph if t not in taken]


def _classify(
    lens: Lens[Any], place: Place, shown: Graph, wanted: Graph
) -> tuple[dict[str, Change], Graph]:
    before, after = set(shown), set(wanted)
    changes: dict[str, Change] = {}
    noted: Graph = []
    for triple in dict.fromkeys(shown):
        if triple in after:
            continue
        field = lens.editable.get(triple.predicate) if triple.subject == place.topic else None
        if field is None:
            raise Conflict(f"This follows from the rest and cannot be removed: {triple}")
        changes.setdefault(field, Change()).removed.append(_value(triple))
    for triple in wanted:
        if triple in before:
            continue
        if triple.subject == place.topic and triple.predicate in lens.editable:
            field = lens.editable[triple.predicate]
            changes.setdefault(field, Change()).added.append(_value(triple))
        elif _is_protected(triple, lens, place.topic):
            raise Conflict(f"This follows from the rest and cannot be added: {triple}")
        else:
            noted.append(triple)
    return changes, noted


def _unprotected(rest: Graph, place: Place, collection: str, record: Record) -> Graph:
    lens = _LENSES.get(type(core.get(collection, record)))
    for triple in rest:
        if triple.predicate in _META or (lens and _is_protected(triple, lens, place.topic)):
            raise Conflict(f"This is the pod's to say: {triple}")
    return rest


def _is_protected(triple: Triple, lens: Lens[Any], topic: NamedNode) -> bool:
    if triple.predicate in _META:
        return True
    if triple.subject != topic:
        return False
    is_class = triple.predicate == RDF.type and triple.object in LEX
    return triple.predicate in lens.derived or is_class


def _beside(wanted: Graph, author: Member, resource: Resource) -> Graph:
    """The annotations in an edited view of a record that has no meaning here."""
    shown = set(_meta(author, resource))
    noted = [triple for triple in wanted if triple not in shown]
    for triple in noted:
        if triple.predicate in _META:
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


def _merge(source: Record, spelled: Record, meant: Record) -> Record:
    """Both edits of one record; Conflict where they touch a key with different results."""
    merged = dict(spelled)
    for key in source.keys() | meant.keys():
        if source.get(key) == meant.get(key) and (key in source) == (key in meant):
            continue
        is_spelled = spelled.get(key) != source.get(key)
        if is_spelled and spelled.get(key) != meant.get(key):
            raise Conflict(f"The edit says two different things about {key}")
        if key in meant:
            merged[key] = meant[key]
        else:
            merged.pop(key, None)
    return merged


def _about(graph: Graph, topic: NamedNode) -> Graph:
    """The graph about the topic; one free-standing blank node may stand for it."""
    if any(triple.subject == topic for triple in graph):
        return graph
    used = {triple.object for triple in graph}
    free = {t.subject for t in graph if isinstance(t.subject, BlankNode)} - used
    if len(free) != 1:
        return graph
    [node] = free
    return [Triple(topic, t.predicate, t.object) if t.subject == node else t for t in graph]


def _value(triple: Triple) -> NamedNode | BlankNode | Literal:
    assert isinstance(triple.object, NamedNode | BlankNode | Literal)
    return triple.object


def wants_generic(triples: Iterable[Triple]) -> bool:
    """Whether some triples speak of record keys."""
    return any(is_generic(triple.predicate) for triple in triples)
