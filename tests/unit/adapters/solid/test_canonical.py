"""One spelling for a graph, whatever the order and names it came in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from adapters.solid.rdf.canonical import canonical
from adapters.solid.rdf.parse import NTRIPLES, parse_rdf

terms = st.sampled_from([NamedNode("a:x"), *(BlankNode(f"n{i}") for i in range(4))])
# Chains keep the nodes apart; woven symmetric nodes are the stated exception.
chains = st.lists(st.integers(0, 3), min_size=1, max_size=6, unique=True).map(
    lambda numbers: [
        triple
        for i, number in enumerate(numbers)
        for triple in (
            Triple(BlankNode(f"n{number}"), NamedNode("a:n"), Literal(str(i))),
            Triple(BlankNode(f"n{number}"), NamedNode("a:next"), BlankNode(f"n{numbers[i - 1]}")),
        )
    ]
)


@given(chains, st.randoms())
def test_order_and_names_do_not_matter(graph: list[Triple], random: object) -> None:
    names = {f"n{i}": BlankNode(f"z{9 - i}") for i in range(4)}
    renamed = [
        Triple(
            names[t.subject.value],
            t.predicate,
            names[t.object.value] if isinstance(t.object, BlankNode) else t.object,
        )
        for t in graph
    ]
    random.shuffle(renamed)  # type: ignore[attr-defined]
    assert canonical(renamed) == canonical(graph)


@given(st.lists(st.builds(Triple, terms, st.just(NamedNode("a:p")), terms), unique=True))
def test_reading_it_back_spells_it_the_same(graph: list[Triple]) -> None:
    once = canonical(graph)
    assert canonical(parse_rdf(once, NTRIPLES, "a:b")) == once


def test_a_hostile_graph_costs_little() -> None:
    nodes = [BlankNode(f"n{i}") for i in range(12)]
    woven = [Triple(a, NamedNode("a:p"), b) for a in nodes for b in nodes if a != b]
    assert len(canonical(woven).splitlines()) == len(woven)
