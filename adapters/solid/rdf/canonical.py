"""One spelling for a graph: sorted N-Triples with blank nodes named by what surrounds them.

Names come from colour refinement in bounded work, not from RDFC-1.0, whose cost explodes on
hostile graphs. Graphs that differ only in the order or names of nodes get equal bytes, except where
symmetric blank nodes are woven into each other; those keep the order in which they came.

Spec: https://www.w3.org/TR/n-triples/#canonical-ntriples
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from pyoxigraph import BlankNode, Triple

from adapters.solid.rdf.parse import Graph
from adapters.solid.rdf.write import write_ntriples

_ROUNDS: Final = 16
_CHOICES: Final = 32
"""How many times one of several alike nodes is told from the others before order decides."""


def canonical(triples: Sequence[Triple]) -> bytes:
    """The graph as bytes that are equal for equal graphs."""
    names = _names(triples)
    renamed = [_rename(triple, names) for triple in triples]
    return write_ntriples(sorted(renamed, key=str))


def _rename(triple: Triple, names: dict[BlankNode, BlankNode]) -> Triple:
    subject, value = triple.subject, triple.object
    if isinstance(subject, BlankNode):
        subject = names[subject]
    if isinstance(value, BlankNode):
        value = names[value]
    return Triple(subject, triple.predicate, value)


def _names(triples: Sequence[Triple]) -> dict[BlankNode, BlankNode]:
    around: dict[BlankNode, Graph] = {}
    for triple in triples:
        for node in {triple.subject, triple.object}:
            if isinstance(node, BlankNode):
                around.setdefault(node, []).append(triple)
    colours = _refine(around, dict.fromkeys(around, ""))
    for _ in range(_CHOICES):
        counts = Counter(colours.values())
        alike = min(
            (node for node in around if counts[colours[node]] > 1),
            key=colours.__getitem__,
            default=None,
        )
        if alike is None:
            break
        colours = _refine(around, {**colours, alike: colours[alike] + "!"})
    ordered = sorted(around, key=lambda node: colours[node])
    return {node: BlankNode(f"a{i}") for i, node in enumerate(ordered)}


def _refine(around: dict[BlankNode, Graph], colours: dict[BlankNode, str]) -> dict[BlankNode, str]:
    told_apart = -1
    for _ in range(_ROUNDS):
        colours = {node: _colour(node, near, colours) for node, near in around.items()}
        kinds = len(set(colours.values()))
        if kinds == told_apart:
            break
        told_apart = kinds
    return colours


def _colour(node: BlankNode, near: Graph, colours: dict[BlankNode, str]) -> str:
    def seen(term: object) -> str:
        if term == node:
            return "self"
        return f"[{colours[term]}]" if isinstance(term, BlankNode) else str(term)

    lines = sorted(f"{seen(t.subject)} {t.predicate} {seen(t.object)}" for t in near)
    lines.append(colours[node])
    return sha256("\n".join(lines).encode()).hexdigest()
