"""The parts of an edited graph: record keys, fields, consequences, annotations; each triple is one.

Spec: https://solidproject.org/TR/protocol#writing-resources
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from pyoxigraph import BlankNode, NamedNode, Triple

from adapters.solid.lens.edit import Change, Lens, Place, value_of
from adapters.solid.lens.generic import is_generic
from adapters.solid.rdf.canonical import canonical
from adapters.solid.rdf.parse import NTRIPLES, Graph, parse_rdf
from adapters.solid.rdf.vocab import LEX, RDF
from pod.errors import Conflict, TooLarge
from pod.model.resource import Complement
from pod.records.lens.shape import Record

ANNOTATION: Final = "rdf"
MAX_NOTED_BYTES: Final = 256 * 1024
MAX_NOTED_BLANKS: Final = 200
META: Final = frozenset({LEX.uri, LEX.recordCid})


def noted_beside(complement: Complement) -> Graph:
    """The triples that were noted beside a record."""
    data = complement.annotation(ANNOTATION)
    return parse_rdf(data, NTRIPLES, "lex:") if data is not None else []


def noted_bytes(triples: Sequence[Triple]) -> bytes:
    """Annotations as they are stored; raises TooLarge."""
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


def classify(
    lens: Lens[Any], place: Place, shown: Graph, wanted: Graph
) -> tuple[dict[str, Change], Graph]:
    """What an edit from ``shown`` to ``wanted`` does to each field, and what it notes beside.

    Raises Conflict naming the triple that follows from the rest.
    """
    before, after = set(shown), set(wanted)
    changes: dict[str, Change] = {}
    noted: Graph = []
    for triple in dict.fromkeys(shown):
        if triple in after:
            continue
        field = lens.editable.get(triple.predicate) if triple.subject == place.topic else None
        if field is None:
            raise Conflict(f"This follows from the rest and cannot be removed: {triple}")
        changes.setdefault(field, Change()).removed.append(value_of(triple))
    for triple in wanted:
        if triple in before:
            continue
        if triple.subject == place.topic and triple.predicate in lens.editable:
            field = lens.editable[triple.predicate]
            changes.setdefault(field, Change()).added.append(value_of(triple))
        elif is_protected(triple, lens, place.topic):
            raise Conflict(f"This follows from the rest and cannot be added: {triple}")
        else:
            noted.append(triple)
    return changes, noted


def is_protected(triple: Triple, lens: Lens[Any], topic: NamedNode) -> bool:
    """Whether a triple that is not shown is the pod's to say."""
    if triple.predicate in META:
        return True
    if triple.subject != topic:
        return False
    is_class = triple.predicate == RDF.type and triple.object in LEX
    return triple.predicate in lens.derived or is_class


def merge(source: Record, spelled: Record, meant: Record) -> Record:
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


def about(graph: Graph, topic: NamedNode) -> Graph:
    """The graph about the topic; one free-standing blank node may stand for it."""
    if any(triple.subject == topic for triple in graph):
        return graph
    used = {triple.object for triple in graph}
    free = {t.subject for t in graph if isinstance(t.subject, BlankNode)} - used
    if len(free) != 1:
        return graph
    [node] = free
    return [Triple(topic, t.predicate, t.object) if t.subject == node else t for t in graph]


def wants_generic(triples: Iterable[Triple]) -> bool:
    """Whether some triples speak of record keys."""
    return any(is_generic(triple.predicate) for triple in triples)
