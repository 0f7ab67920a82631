"""SPARQL updates: the few kinds that are read, as patches that take every match."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import BlankNode, NamedNode, Quad, Store, Triple

from adapters.solid.patch.apply import apply_all
from adapters.solid.patch.sparql import parse_update
from adapters.solid.rdf.parse import TURTLE, parse_rdf
from pod.access.acl import Mode
from pod.errors import Invalid, PodError, Unprocessable

BASE = "http://a.example/x"
GRAPH = parse_rdf(b"@prefix e: <http://e/> . e:a e:p 1, 2 ; e:q e:b . e:b e:p 2 .", TURTLE, BASE)

terms = st.sampled_from(["e:a", "e:b", "e:c"])
values = st.sampled_from(["e:a", "1", "2", '"{x}"'])
triples = st.tuples(terms, st.sampled_from(["e:p", "e:q"]), values).map(" ".join)
patterns = st.tuples(
    st.sampled_from(["e:a", "?s", "?t"]),
    st.sampled_from(["e:p", "?p"]),
    st.sampled_from(["1", "?v", "?t"]),
).map(" ".join)
bodies = st.lists(triples, min_size=1, max_size=3).map(" . ".join)
updates = st.lists(
    st.builds("INSERT DATA {{ {} }}".format, bodies)
    | st.builds("DELETE DATA {{ {} }}".format, bodies)
    | st.builds("DELETE WHERE {{ {} }}".format, patterns)
    | st.builds("DELETE {{ {0} }} INSERT {{ e:new e:p 1 }} WHERE {{ {0} }}".format, patterns)
    | st.builds("insert {{ e:x e:y e:z }} where {{ {} . {} }}".format, patterns, patterns),
    min_size=1,
    max_size=3,
).map(" ; ".join)


@given(updates)
def test_an_update_does_what_a_sparql_engine_does(update: str) -> None:
    update = "PREFIX e: <http://e/>\n" + update
    ours = set(apply_all(parse_update(update.encode(), BASE), GRAPH))
    store = Store()
    store.extend(Quad(t.subject, t.predicate, t.object) for t in GRAPH)
    store.update(update, base_iri=BASE)
    assert ours == {quad.triple for quad in store}


def test_each_inserted_blank_node_is_a_new_one() -> None:
    update = b"INSERT { ?s <a:has> [] } WHERE { ?s <http://e/p> 2 }"
    after = apply_all(parse_update(update, BASE), GRAPH)
    made = [t.object for t in after if t.predicate == NamedNode("a:has")]
    assert len(set(made)) == 2
    assert all(isinstance(node, BlankNode) for node in made)


def test_what_an_update_does_says_what_it_needs() -> None:
    [insert, delete] = parse_update(
        b"INSERT DATA {<a:a> <a:b> 1}; DELETE DATA {<a:a> <a:b> 2}", BASE
    )
    assert insert.modes == {Mode.APPEND}
    assert delete.modes == {Mode.READ, Mode.WRITE}
    assert parse_update(b"  # nothing\n", BASE) == []


@pytest.mark.parametrize(
    ("update", "error"),
    [
        (b"SELECT * WHERE { ?s ?p ?o }", Invalid),
        (b"DROP ALL", Invalid),
        (b"LOAD <http://evil.example/>", Invalid),
        (b"INSERT DATA { GRAPH <a:g> { <a:a> <a:b> 1 } }", Unprocessable),
        (
            b"DELETE { ?s ?p ?o } WHERE { SERVICE <http://evil.example/> { ?s ?p ?o } }",
            Unprocessable,
        ),
        (b"DELETE { ?x <a:p> 1 } WHERE { ?s <a:p> 1 }", Unprocessable),
        (b"DELETE { [] <a:p> 1 } WHERE { ?s <a:p> 1 }", Unprocessable),
        (b"INSERT DATA { <a:a> <a:b> 1", Invalid),
        (b"INSERT DATA { ?a <a:b> 1 }", Unprocessable),
        (b"\xff", Invalid),
        (b"INSERT DATA {<a:a> <a:b> 1};" * 60, Invalid),
    ],
)
def test_everything_else_is_refused(update: bytes, error: type[PodError]) -> None:
    with pytest.raises(error):
        parse_update(update, BASE)


def test_triples_come_in_order() -> None:
    update = b"INSERT DATA { <a:z> <a:b> 1 . <a:a> <a:b> 1 }"
    added = apply_all(parse_update(update, BASE), GRAPH)[-2:]
    one = parse_rdf(b"<a:z> <a:b> 1 . <a:a> <a:b> 1 .", TURTLE, BASE)
    assert added == one
    assert isinstance(added[0], Triple)
