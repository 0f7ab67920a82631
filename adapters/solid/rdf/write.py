"""Triples to bytes: readable Turtle, explicit JSON-LD (lists as @list, typed values), and more.

Spec: https://www.w3.org/TR/turtle/ https://www.w3.org/TR/json-ld11/#expanded-document-form
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

import orjson
from pyoxigraph import BlankNode, Literal, NamedNode, Triple, serialize

from adapters.solid.rdf.parse import FORMATS, NTRIPLES, RDFXML, TRIG, TURTLE, parse_rdf
from adapters.solid.rdf.vocab import PREFIXES, RDF, XSD
from pod.errors import Unsupported

Node = NamedNode | BlankNode
Term = NamedNode | BlankNode | Literal

_MAX_NESTING: Final = 24
_MAX_READABLE: Final = 1000
_XML_NAME = re.compile(r"[^\W\d][\w.-]*\Z")
_LOCAL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*")
_BARE = {XSD.integer: re.compile(r"0|-?[1-9][0-9]*"), XSD.boolean: re.compile(r"true|false")}


def write_rdf(triples: Sequence[Triple], media_type: str) -> bytes:
    """Triples in one of the syntaxes; equal input gives equal bytes.

    Raises Unsupported for other syntaxes, and for predicates that RDF/XML cannot spell.
    """
    match media_type:
        case "text/turtle":
            return write_turtle(triples)
        case "application/ld+json":
            return write_jsonld(triples)
        case "application/n-triples" | "application/trig" | "application/n-quads":
            return _native(triples, media_type)
        case "application/rdf+xml":
            if not all(_XML_NAME.search(triple.predicate.value) for triple in triples):
                raise Unsupported("This graph has a predicate that RDF/XML cannot spell")
            return _native(triples, media_type)
        case _:
            raise Unsupported(f"{media_type} is not an RDF syntax that is written here")


def translated(body: bytes, native: str, base: str, media_type: str) -> bytes:
    """A stored document in another syntax; raises Unsupported where that cannot spell it."""
    return write_rdf(parse_rdf(body, native, base, only_default=True), media_type)


def write_ntriples(triples: Iterable[Triple]) -> bytes:
    """One triple a line."""
    return _native(triples, NTRIPLES)


def write_turtle(triples: Sequence[Triple]) -> bytes:
    """Turtle with the house's prefixes, nested where that is lossless; big graphs flat and fast."""
    if len(triples) > _MAX_READABLE:
        return _native(triples, TURTLE)
    return _TurtleWriter(triples).document()


def write_jsonld(triples: Sequence[Triple]) -> bytes:
    """Expanded JSON-LD; every literal keeps its lexical form and datatype."""
    return orjson.dumps(_JsonLdWriter(triples).document())


def _native(triples: Iterable[Triple], media_type: str) -> bytes:
    prefixes = PREFIXES if media_type in (TURTLE, TRIG, RDFXML) else None
    body = serialize(triples, format=FORMATS[media_type], prefixes=prefixes)
    assert body is not None
    return body


class _Outline:
    """A graph as a tree where it is one: who is nested where, and which nodes are lists."""

    def __init__(self, triples: Sequence[Triple]) -> None:
        self.nodes: dict[Node, dict[NamedNode, list[Term]]] = {}
        uses: Counter[Term] = Counter()
        for triple in triples:
            properties = self.nodes.setdefault(_node(triple.subject), {})
            value = _term(triple.object)
            properties.setdefault(triple.predicate, []).append(value)
            if isinstance(value, BlankNode):
                uses[value] += 1
        self.nested = {node for node, count in uses.items() if count == 1}
        self.written: set[Node] = set()
        self.loose: set[Node] = set()

    def roots(self) -> Iterator[Node]:
        """Subjects in the order in which they must be written at the top; ends when all are."""
        for node in self.nodes:
            if node not in self.nested and node not in self.written:
                yield node
        for node in self.nodes:
            if node not in self.written:
                yield node

    def items(self, head: Term) -> list[Term] | None:
        """The items of a well-formed list that only this place refers to; None for all else."""
        items: list[Term] = []
        cells: list[Node] = []
        cell = head
        while cell != RDF.nil:
            properties = self.nodes.get(cell, {}) if isinstance(cell, BlankNode) else {}
            first, rest = properties.get(RDF.first, []), properties.get(RDF.rest, [])
            is_cell = cell in self.nested and cell not in self.written and cell not in self.loose
            is_cell &= len(properties) == 2 and len(first) == len(rest) == 1
            if not is_cell or len(cells) > len(self.nodes):
                self.loose.update(cells)
                return None
            cells.append(_node(cell))
            items.append(first[0])
            cell = rest[0]
        self.written.update(cells)
        return items

    def nest(self, value: Term, depth: int) -> bool:
        """Whether to write a node's properties in place; says yes once."""
        if depth > _MAX_NESTING or value not in self.nested or value in self.written:
            return False
        assert isinstance(value, BlankNode)
        self.written.add(value)
        return True


class _TurtleWriter:
    def __init__(self, triples: Sequence[Triple]) -> None:
        self.outline = _Outline(triples)
        self.used: set[str] = set()

    def document(self) -> bytes:
        parts = []
        for root in self.outline.roots():
            self.outline.written.add(root)
            parts.append(f"{self.term(root)} {self.properties(root, 1)} .\n")
        head = "".join(f"@prefix {p}: <{PREFIXES[p]}> .\n" for p in PREFIXES if p in self.used)
        return (head + "".join(parts)).encode()

    def properties(self, node: Node, depth: int) -> str:
        indent = " ;\n" + "  " * depth
        return indent.join(
            ("a" if predicate == RDF.type else self.term(predicate))
            + " "
            + ", ".join(self.value(value, depth) for value in values)
            for predicate, values in self.outline.nodes.get(node, {}).items()
        )

    def value(self, value: Term, depth: int) -> str:
        if depth <= _MAX_NESTING and isinstance(value, BlankNode):
            items = self.outline.items(value)
            if items is not None:
                return "( " + "".join(self.value(item, depth + 1) + " " for item in items) + ")"
        if self.outline.nest(value, depth):
            inner = self.properties(_node(value), depth + 1)
            return f"[ {inner} ]" if inner else "[]"
        return "()" if value == RDF.nil else self.term(value)

    def term(self, term: Term) -> str:
        prefix, text = _spell(term)
        if prefix is not None:
            self.used.add(prefix)
        return text


@lru_cache(8192)
def _spell(term: Term) -> tuple[str | None, str]:
    """A term in Turtle, and the prefix that its spelling needs."""
    if isinstance(term, NamedNode):
        for prefix, namespace in PREFIXES.items():
            if term.value.startswith(namespace):
                name = term.value[len(namespace) :]
                if _LOCAL_NAME.fullmatch(name):
                    return prefix, f"{prefix}:{name}"
    elif isinstance(term, Literal):
        bare = _BARE.get(term.datatype)
        if bare is not None and bare.fullmatch(term.value):
            return None, term.value
        if term.language is None and term.datatype != XSD.string:
            used, datatype = _spell(term.datatype)
            return used, f"{Literal(term.value)}^^{datatype}"
    return None, str(term)


class _JsonLdWriter:
    def __init__(self, triples: Sequence[Triple]) -> None:
        self.outline = _Outline(triples)

    def document(self) -> list[object]:
        found: list[object] = []
        for root in self.outline.roots():
            self.outline.written.add(root)
            found.append({"@id": _json_id(root), **self.properties(root, 1)})
        return found

    def properties(self, node: Node, depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        for predicate, values in self.outline.nodes.get(node, {}).items():
            if predicate == RDF.type and all(isinstance(v, NamedNode) for v in values):
                found["@type"] = [_json_id(v) for v in values]
            else:
                found[predicate.value] = [self.value(value, depth) for value in values]
        return found

    def value(self, value: Term, depth: int) -> object:
        if isinstance(value, Literal):
            return _json_literal(value)
        if depth <= _MAX_NESTING and (isinstance(value, BlankNode) or value == RDF.nil):
            items = self.outline.items(value)
            if items is not None:
                return {"@list": [self.value(item, depth + 1) for item in items]}
        if self.outline.nest(value, depth):
            return {"@id": _json_id(value), **self.properties(_node(value), depth + 1)}
        return {"@id": _json_id(value)}


def _json_id(term: Term) -> str:
    return term.value if isinstance(term, NamedNode) else str(term)


def _json_literal(literal: Literal) -> dict[str, str]:
    if literal.language is not None:
        return {"@value": literal.value, "@language": literal.language}
    if literal.datatype == XSD.string:
        return {"@value": literal.value}
    return {"@value": literal.value, "@type": literal.datatype.value}


def _node(term: object) -> Node:
    assert isinstance(term, NamedNode | BlankNode)
    return term


def _term(term: object) -> Term:
    assert isinstance(term, NamedNode | BlankNode | Literal)
    return term
