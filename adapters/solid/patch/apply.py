"""Applying a patch to a graph: find the one mapping of its variables, delete, then insert.

Spec: https://solidproject.org/TR/protocol#server-patch-n3-semantics
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from adapters.solid.patch.n3 import Patch, variables_in
from adapters.solid.rdf.parse import Graph, parse_rdf
from adapters.solid.rdf.write import write_rdf
from pod.errors import Conflict, Unprocessable

Pattern = tuple[object, object, object]
Mapping = dict[object, object]

MAX_OPEN_PATTERNS: Final = 100
MAX_MAPPINGS: Final = 10_000
MAX_STEPS: Final = 100_000
"""How many candidate triples a match may look at before it is refused."""


def apply_patch(patch: Patch, graph: Sequence[Triple]) -> Graph:
    """The graph after a patch, in its order with new triples at the end.

    Raises Conflict when not exactly one mapping fits the conditions of a strict patch, or when a
    triple that it deletes is not there; Unprocessable when the conditions are too costly, or bind
    what cannot stand where it would.
    """
    result = dict.fromkeys(graph)
    if not patch.where:
        mappings: list[Mapping] = [{}]
    elif patch.is_strict:
        mappings = [_the_mapping(patch, result)]
    else:
        mappings = list(islice(_mappings(patch, result), MAX_MAPPINGS + 1))
        if len(mappings) > MAX_MAPPINGS:
            raise Unprocessable("The conditions of the patch fit too often")
    deletes = [_fill(triple, mapping) for mapping in mappings for triple in patch.deletes]
    for triple in deletes:
        if patch.is_strict and triple not in result:
            raise Conflict(f"The patch deletes what is not there: {triple}")
    for triple in deletes:
        result.pop(triple, None)
    for mapping in mappings:
        fresh: Mapping = {node: BlankNode() for node in _blank_nodes(patch.inserts)}
        for triple in patch.inserts:
            result[_fill(triple, {**mapping, **fresh})] = None
    return list(result)


def apply_all(patches: Sequence[Patch], graph: Sequence[Triple]) -> Graph:
    """The graph after several patches, one after the other; see `apply_patch`."""
    result = list(graph)
    for patch in patches:
        result = apply_patch(patch, result)
    return result


def patched(body: bytes, media_type: str, base: str, patches: Sequence[Patch]) -> bytes:
    """A document after several patches, in its own syntax; raises as `apply_patch` and a parser."""
    return write_rdf(apply_all(patches, parse_rdf(body, media_type, base)), media_type)


def _blank_nodes(triples: Sequence[Triple]) -> set[object]:
    terms = (term for triple in triples for term in (triple.subject, triple.object))
    return {term for term in terms if isinstance(term, BlankNode)}


def _the_mapping(patch: Patch, graph: dict[Triple, None]) -> Mapping:
    found: Mapping | None = None
    for mapping in _mappings(patch, graph):
        if found is not None and mapping != found:
            raise Conflict("The conditions of the patch fit more than once")
        found = mapping
        if not mapping:
            break
    if found is None:
        raise Conflict("The conditions of the patch do not hold")
    return found


def _mappings(patch: Patch, graph: dict[Triple, None]) -> Iterator[Mapping]:
    """What the variables can stand for, one match after the other."""
    named = variables_in(patch.where, patch.variables)
    open_patterns: list[Pattern] = []
    for triple in patch.where:
        pattern = (triple.subject, triple.predicate, triple.object)
        if any(term in named or isinstance(term, BlankNode) for term in pattern):
            open_patterns.append(pattern)
        elif triple not in graph:
            return
    if len(open_patterns) > MAX_OPEN_PATTERNS:
        raise Unprocessable("The conditions of the patch are too costly to match")
    for mapping in _Matcher(graph, named).solutions(open_patterns, {}):
        yield {variable: mapping[variable] for variable in named}


class _Matcher:
    """Matches patterns against a graph, the most selective first, by indexes made on demand."""

    def __init__(self, graph: dict[Triple, None], named: set[NamedNode]) -> None:
        self.triples: list[Pattern] = [(t.subject, t.predicate, t.object) for t in graph]
        self.named = named
        self.indexes: dict[tuple[int, ...], dict[tuple[object, ...], list[Pattern]]] = {}
        self.steps = 0

    def solutions(self, patterns: list[Pattern], mapping: Mapping) -> Iterator[Mapping]:
        """Every mapping that makes all patterns triples of the graph."""
        if not patterns:
            yield mapping
            return
        candidates = [self.candidates(pattern, mapping) for pattern in patterns]
        best = min(range(len(patterns)), key=lambda i: len(candidates[i]))
        rest = patterns[:best] + patterns[best + 1 :]
        for triple in candidates[best]:
            self.steps += 1 + len(rest)
            if self.steps > MAX_STEPS:
                raise Unprocessable("The conditions of the patch are too costly to match")
            extended = self.extend(patterns[best], triple, mapping)
            if extended is not None:
                yield from self.solutions(rest, extended)

    def is_variable(self, term: object) -> bool:
        return term in self.named or isinstance(term, BlankNode)

    def candidates(self, pattern: Pattern, mapping: Mapping) -> list[Pattern]:
        terms = [mapping.get(t, None) if self.is_variable(t) else t for t in pattern]
        places = tuple(i for i, term in enumerate(terms) if term is not None)
        if places not in self.indexes:
            index: dict[tuple[object, ...], list[Pattern]] = {}
            for triple in self.triples:
                index.setdefault(tuple(triple[i] for i in places), []).append(triple)
            self.indexes[places] = index
        return self.indexes[places].get(tuple(terms[i] for i in places), [])

    def extend(self, pattern: Pattern, triple: Pattern, mapping: Mapping) -> Mapping | None:
        extended = dict(mapping)
        for term, value in zip(pattern, triple, strict=True):
            if self.is_variable(term) and extended.setdefault(term, value) != value:
                return None
        return extended


def _fill(triple: Triple, mapping: Mapping) -> Triple:
    subject = mapping.get(triple.subject, triple.subject)
    predicate = mapping.get(triple.predicate, triple.predicate)
    value = mapping.get(triple.object, triple.object)
    if not isinstance(subject, NamedNode | BlankNode) or not isinstance(predicate, NamedNode):
        raise Unprocessable("A variable of the patch stands where its value cannot")
    assert isinstance(value, NamedNode | BlankNode | Literal)
    return Triple(subject, predicate, value)
