"""Any record as RDF and back, byte for byte: the lossless view of every lexicon.

An object is a node, a key a predicate in the scope of the nearest `$type`, an array an RDF list;
strings stay plain literals, because RDF stores rewrite typed ones and a CID is a public promise.

Spec: https://atproto.com/specs/data-model https://www.w3.org/TR/rdf11-concepts/
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, unquote

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from adapters.solid.rdf.parse import Graph
from adapters.solid.rdf.vocab import LEX, RDF, XSD
from pod.errors import Invalid, Unprocessable
from pod.records.cid import cid_from_text, cid_text
from pod.records.data import MAX_DEPTH, MAX_INT, MIN_INT, Data, Link

NULL: Final = LEX.null
CID: Final = LEX.cid

_Node = NamedNode | BlankNode
_Value = NamedNode | BlankNode | Literal


def to_rdf(record: dict[str, Data], subject: NamedNode) -> Graph:
    """The generic view of a record: total, and injective."""
    return _Speller().record(record, subject)


def from_rdf(triples: Iterable[Triple], subject: NamedNode) -> dict[str, Data]:
    """The record of a generic view; raises Unprocessable for any graph that is not one."""
    return _Reader(triples).record(subject)


def is_generic(predicate: NamedNode) -> bool:
    """Whether a predicate is a record key of the generic view."""
    return predicate in LEX and "#" in predicate.value


def key_iri(scope: str, key: str) -> NamedNode:
    """The predicate of a record key; ``scope`` is the nearest enclosing `$type`."""
    return LEX[f"{quote(scope.replace('#', '/'), safe='/')}#{quote(key, safe='')}"]


def type_iri(name: str) -> NamedNode:
    """The class of a `$type`."""
    head, hash_sign, tail = name.partition("#")
    return LEX[quote(head, safe="") + hash_sign + quote(tail, safe="")]


class _Speller:
    def __init__(self) -> None:
        self.triples: Graph = []
        self.count = 0

    def record(self, record: dict[str, Data], subject: NamedNode) -> Graph:
        self.fields(record, subject, "")
        return self.triples

    def node(self) -> BlankNode:
        self.count += 1
        return BlankNode(f"x{self.count}")

    def fields(self, fields: dict[str, Data], subject: _Node, scope: str) -> None:
        kind = fields.get("$type")
        if isinstance(kind, str) and kind:
            self.triples.append(Triple(subject, RDF.type, type_iri(kind)))
            scope = kind
        for key in sorted(fields):
            value = fields[key]
            if key == "$type" and isinstance(value, str) and value:
                continue
            self.place(subject, key_iri(scope, key), value, scope)

    def place(self, subject: _Node, predicate: NamedNode, value: Data, scope: str) -> None:
        if isinstance(value, dict):
            node = self.node()
            self.triples.append(Triple(subject, predicate, node))
            self.fields(value, node, scope)
        elif isinstance(value, list):
            self.items(subject, predicate, value, scope)
        else:
            self.triples.append(Triple(subject, predicate, _atom(value)))

    def items(self, subject: _Node, predicate: NamedNode, items: list[Data], scope: str) -> None:
        for item in items:
            cell = self.node()
            self.triples.append(Triple(subject, predicate, cell))
            self.place(cell, RDF.first, item, scope)
            subject, predicate = cell, RDF.rest
        self.triples.append(Triple(subject, predicate, RDF.nil))


def _atom(value: Data) -> _Value:
    match value:
        case None:
            return NULL
        case bool():
            return Literal("true" if value else "false", datatype=XSD.boolean)
        case int():
            return Literal(str(value), datatype=XSD.integer)
        case str():
            return Literal(value)
        case Link():
            return Literal(cid_text(value.cid), datatype=CID)
        case bytes():
            return Literal(base64.b64encode(value).decode(), datatype=XSD.base64Binary)
        case _:
            raise AssertionError(value)


class _Reader:
    def __init__(self, triples: Iterable[Triple]) -> None:
        self.nodes: dict[object, dict[NamedNode, list[object]]] = {}
        self.visited: set[object] = set()
        for triple in triples:
            self.nodes.setdefault(triple.subject, {}).setdefault(triple.predicate, []).append(
                triple.object
            )

    def record(self, subject: NamedNode) -> dict[str, Data]:
        record = self.fields(subject, "", 0)
        if self.nodes:
            raise Unprocessable(f"{next(iter(self.nodes))} is not reached from the record")
        return record

    def fields(self, subject: object, scope: str, depth: int) -> dict[str, Data]:
        if depth > MAX_DEPTH:
            raise Unprocessable(f"Nested deeper than {MAX_DEPTH} levels")
        properties = self.nodes.pop(subject, {})
        found: dict[str, Data] = {}
        if RDF.type in properties:
            scope = _type_name(_one(properties.pop(RDF.type), RDF.type))
            found["$type"] = scope
        for predicate, values in properties.items():
            key = _key(predicate)
            value = self.value(_one(values, predicate), scope, depth + 1)
            named_wrong = key_iri(scope, key) != predicate or key in found
            if named_wrong or (key == "$type" and isinstance(value, str) and value):
                raise Unprocessable(f"{predicate} should be {key_iri(scope, key)}")
            found[key] = value
        return found

    def value(self, value: object, scope: str, depth: int) -> Data:
        if isinstance(value, Literal):
            return _read_literal(value)
        if value == NULL:
            return None
        if value == RDF.nil or RDF.first in self.nodes.get(value, {}):
            return self.items(value, scope, depth)
        if isinstance(value, BlankNode):
            self.visit(value)
            return self.fields(value, scope, depth)
        raise Unprocessable(f"{value} is not a value that a record can hold")

    def visit(self, node: object) -> None:
        if node in self.visited:
            raise Unprocessable(f"{node} is used twice; a record is a tree")
        self.visited.add(node)

    def items(self, cell: object, scope: str, depth: int) -> list[Data]:
        if depth > MAX_DEPTH:
            raise Unprocessable(f"Nested deeper than {MAX_DEPTH} levels")
        found: list[Data] = []
        while cell != RDF.nil:
            self.visit(cell)
            properties = self.nodes.pop(cell, {})
            if not isinstance(cell, BlankNode) or properties.keys() != {RDF.first, RDF.rest}:
                raise Unprocessable(f"{cell} is not a cell of a well-formed list")
            found.append(self.value(_one(properties[RDF.first], RDF.first), scope, depth + 1))
            cell = _one(properties[RDF.rest], RDF.rest)
        return found


def _one(values: list[object], predicate: NamedNode) -> object:
    if len(values) != 1:
        raise Unprocessable(f"{predicate} has {len(values)} values; a record key has one")
    return values[0]


def _key(predicate: NamedNode) -> str:
    if not is_generic(predicate):
        raise Unprocessable(f"{predicate} is not a record key")
    return unquote(predicate.value.split("#", 1)[1])


def _type_name(value: object) -> str:
    if isinstance(value, NamedNode) and value in LEX:
        name = unquote(value.value.removeprefix(LEX.iri))
        if name and type_iri(name) == value:
            return name
    raise Unprocessable(f"{value} is not the class of a record")


def _read_literal(literal: Literal) -> Data:
    text, datatype = literal.value, literal.datatype
    value: Data
    try:
        if datatype == XSD.string:
            return text
        if datatype == XSD.boolean:
            value = {"true": True, "false": False}[text]
        elif datatype == XSD.integer:
            value = int(text) if len(text) <= 20 else MAX_INT + 1
        elif datatype == CID:
            value = Link(cid_from_text(text))
        elif datatype == XSD.base64Binary:
            value = base64.b64decode(text, validate=True)
        else:
            raise Unprocessable(f"{datatype} is not a datatype that a record can hold")
        is_small = not isinstance(value, int) or MIN_INT <= value <= MAX_INT
        if is_small and _atom(value) == literal:
            return value
    except (KeyError, ValueError, binascii.Error, Invalid) as err:
        raise Unprocessable(f"{text[:100]!r} is not a canonical {datatype}") from err
    raise Unprocessable(f"{text[:100]!r} is not a canonical {datatype}")
