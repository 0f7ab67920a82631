"""Lexicons as vocabularies: each term that the generic view uses, with its meaning, as RDF.

Spec: https://atproto.com/specs/lexicon https://www.w3.org/TR/rdf-schema/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from adapters.solid.lens.edit import facts
from adapters.solid.lens.generic import CID, NULL, key_iri, type_iri
from adapters.solid.lens.index import LENSES
from adapters.solid.rdf.parse import Graph
from adapters.solid.rdf.vocab import DCT, LEX, OWL, RDF, RDFS, XSD
from pod.model.ids import Nsid
from pod.records.lexicon.registry import Document, Registry

MAIN: Final = "main"
_ATOMS: Final = {
    "string": XSD.string,
    "integer": XSD.integer,
    "boolean": XSD.boolean,
    "bytes": XSD.base64Binary,
    "cid-link": CID,
    "array": RDF.List,
    "blob": type_iri("blob"),
}


@dataclass(slots=True)
class Term:
    """A class, property or datatype, with what the lexicon says of it."""

    iri: NamedNode
    kind: NamedNode
    label: str
    comments: dict[str, None] = field(default_factory=dict)
    domains: dict[NamedNode, None] = field(default_factory=dict)
    ranges: dict[tuple[NamedNode, ...], None] = field(default_factory=dict)
    wider: tuple[NamedNode, ...] = ()


BASICS: Final = (
    Term(LEX.uri, RDF.Property, "uri", {"The at-uri of a record.": None},
         ranges={(XSD.string,): None}),
    Term(LEX.recordCid, RDF.Property, "recordCid", {"The CID of a record's bytes.": None},
         ranges={(CID,): None}),
    Term(CID, RDFS.Datatype, "cid", {"A content identifier in its text form.": None}),
    Term(NULL, RDFS.Resource, "null", {"The null of the AT Protocol data model.": None}),
    Term(type_iri("blob"), RDFS.Class, "blob", {"A reference to bytes by their content.": None}),
    *(
        Term(key_iri("blob", key), RDF.Property, key, {}, {type_iri("blob"): None}, {(kind,): None})
        for key, kind in (("ref", CID), ("mimeType", XSD.string), ("size", XSD.integer))
    ),
)  # fmt: skip
"""The terms that belong to no lexicon."""


def terms(lexicons: Registry, nsid: Nsid) -> list[Term]:
    """Every term that records speak of by this lexicon: classes, and keys in their scopes.

    A key is named after the nearest object that says its type, so the keys of objects that do not
    say theirs are terms of the object around them. Raises NotFound.
    """
    found: dict[NamedNode, Term] = {}
    for name, schema in lexicons.definition(nsid)["defs"].items():
        body = schema.get("record") if schema["type"] == "record" else schema
        if body.get("type") != "object":
            continue
        scope = nsid if name == MAIN else f"{nsid}#{name}"
        kind = type_iri(scope)
        wider = _meanings(scope)
        term = found[kind] = Term(kind, RDFS.Class, scope.removeprefix(f"{nsid}#"), wider=wider)
        if text := schema.get("description") or body.get("description"):
            term.comments[text] = None
        keys = _Keys(lexicons, scope, found)
        keys.of(nsid, body, kind)
    return list(found.values())


def _meanings(scope: str) -> tuple[NamedNode, ...]:
    lens = LENSES.get(scope)
    return lens.classes if lens is not None else ()


def title(lexicons: Registry, nsid: Nsid) -> str | None:
    """What a lexicon says of itself, if anything."""
    whole = lexicons.definition(nsid)
    text = whole.get("description") or whole["defs"].get(MAIN, {}).get("description")
    return str(text) if text else None


def graph(document: NamedNode, name: str, about: str | None, defined: list[Term]) -> Graph:
    """A vocabulary as RDF."""
    triples = facts(
        document,
        (RDF.type, OWL.Ontology),
        (DCT.title, Literal(name)),
        (RDFS.comment, Literal(about) if about else None),
    )
    for number, term in enumerate(defined):
        triples += facts(
            term.iri,
            (RDF.type, term.kind),
            (RDFS.label, Literal(term.label)),
            *((RDFS.comment, Literal(text)) for text in term.comments),
            *((RDFS.subClassOf, kind) for kind in term.wider),
            *((RDFS.domain, kind) for kind in term.domains),
            (RDFS.isDefinedBy, document),
        )
        triples += _range(term, BlankNode(f"r{number}"))
    return triples


def _range(term: Term, union: BlankNode) -> Graph:
    """What values may be: one class, or the union of several."""
    kinds = list(dict.fromkeys(kind for kinds in term.ranges for kind in kinds))
    if len(kinds) < 2:
        return facts(term.iri, *((RDFS.range, kind) for kind in kinds))
    triples = [Triple(term.iri, RDFS.range, union), Triple(union, RDF.type, OWL.Class)]
    subject: BlankNode = union
    link = OWL.unionOf
    for index, kind in enumerate(kinds):
        cell = BlankNode(f"{union.value}x{index}")
        triples += [Triple(subject, link, cell), Triple(cell, RDF.first, kind)]
        subject, link = cell, RDF.rest
    return [*triples, Triple(subject, RDF.rest, RDF.nil)]


class _Keys:
    """The keys of one scope, gathered from an object and the untyped objects within it."""

    def __init__(self, lexicons: Registry, scope: str, found: dict[NamedNode, Term]) -> None:
        self.lexicons = lexicons
        self.scope = scope
        self.found = found
        self.seen: set[str] = set()

    def of(self, home: Nsid, body: Document, domain: NamedNode | None) -> None:
        for key, schema in body.get("properties", {}).items():
            iri = key_iri(self.scope, key)
            term = self.found.setdefault(iri, Term(iri, RDF.Property, key))
            if text := schema.get("description"):
                term.comments[text] = None
            if domain is not None:
                term.domains[domain] = None
            if kinds := tuple(self._kinds(home, schema)):
                term.ranges[kinds] = None
            self._within(home, schema)

    def _within(self, home: Nsid, schema: Document) -> None:
        """Look into objects that do not say their type, so that their keys are of this scope."""
        if schema["type"] == "array":
            self._within(home, schema["items"])
        elif schema["type"] == "object":
            self.of(home, schema, None)
        elif schema["type"] == "ref":
            name, target, inner = self._target(home, schema["ref"])
            if inner.get("type") == "object" and name not in self.seen:
                self.seen.add(name)
                self.of(target, inner, None)
            elif inner.get("type") == "array" and name not in self.seen:
                self.seen.add(name)
                self._within(target, inner)

    def _kinds(self, home: Nsid, schema: Document) -> Iterator[NamedNode]:
        kind = schema["type"]
        if kind in _ATOMS:
            yield _ATOMS[kind]
        elif kind == "ref":
            name, target, inner = self._target(home, schema["ref"])
            if inner.get("type") == "object":
                yield type_iri(name)
            elif inner:
                yield from self._kinds(target, inner)
        elif kind == "union":
            for ref in schema["refs"]:
                yield type_iri(self._target(home, ref)[0])

    def _target(self, home: Nsid, ref: str) -> tuple[str, Nsid, dict[str, Any]]:
        """Full name, home and schema of what is referred to; no schema where it is unknown."""
        nsid, _, part = ref.partition("#")
        target = Nsid(nsid) if nsid else home
        name = f"{target}#{part}" if part and part != MAIN else str(target)
        if not self.lexicons.has(target):
            return name, target, {}
        schema = self.lexicons.definition(target)["defs"].get(part or MAIN, {})
        return name, target, schema.get("record", schema)
