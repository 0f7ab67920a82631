"""Applying a patch to a graph: find the one mapping of its variables, delete, then insert.

Spec: https://solidproject.org/TR/protocol#server-patch-n3-semantics
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from adapters.solid.patch.n3 import Patch, variables_in
from adapters.solid.rdf.parse import Graph
from pod.errors import Conflict, Unprocessable

Pattern = tuple[object, object, object]
Mapping = dict[object, object]

MAX_OPEN_PATTERNS: Final = 100
MAX_STEPS: Final = 100_000
"""How many candidate triples a match may look at before it is refused."""


def apply_patch(patch: Patch, graph: Sequence[Triple]) -> Graph:
    """The graph after a patch, in its order with new triples at the end.

    Raises Conflict when no mapping or several fit the conditions, or when a triple to delete is
    not there; Unprocessable when the conditions are too costly, or bind what cannot stand there.
    """
    result = dict.fromkeys(graph)
    mapping = _the_mapping(patch, result) if patch.where else {}
    deletes = [_fill(triple, mapping) for triple in patch.deletes]
    for triple in deletes:
        if triple not in result:
            raise Conflict(f"The patch deletes what is not there: {triple}")
    for triple in deletes:
        result.pop(triple, None)
    for triple in patch.inserts:
        result[_fill(triple, mapping)] = None
    return list(result)


def _the_mapping(patch: Patch, graph: dict[Triple, None]) -> Mapping:
    named = variables_in(patch.where, patch.variables)
    open_patterns: list[Pattern] = []
    for triple in patch.where:
        pattern = (triple.subject, triple.predicate, triple.object)
        if any(term in named or isinstance(term, BlankNode) for term in pattern):
            open_patterns.append(pattern)
        elif triple not in graph:
            raise Conflict("The conditions of the patch do not hold")
    if len(open_patterns) > MAX_OPEN_PATTERNS:
        raise Unprocessable("The conditions of the patch are too costly to match")
    found: Mapping | None = None
    for mapping in _Matcher(graph, named).solutions(open_patterns, {}):
        kept: Mapping = {variable: mapping[variable] for variable in named}
        if found is not None and kept != found:
            raise Conflict("The conditions of the patch fit more than once")
        found = kept
        if not named:
            break
    if found is None:
        raise Conflict("The conditions of the patch do not hold")
    return found


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
