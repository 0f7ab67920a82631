"""Words of a query: a SERVICE is seen wherever it stands as a word, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.solid.query.words import said_in

BASE = "https://alice.example/sparql"
PLAIN = st.sampled_from(
    [
        '"SERVICE"',
        "'SERVICE'@en",
        '"""a "SERVICE" b"""',
        "'''SERVICE\n'''",
        '"\\"SERVICE"',
        "<SERVICE>",
        "<http://e.example/SERVICE#SERVICE>",
        "# SERVICE <http://e.example/>\n",
        "?service",
        "$SERVICE",
        "e:SERVICE",
        "SERVICE:x",
        "_:SERVICE",
        "servicing",
        "?a<?b",
        "{ ?s ?p ?o }",
        "FROM",
        "1.5e3",
        "(?x AS ?y)",
    ]
)
ASKS = st.sampled_from(
    [
        "SERVICE <http://e.example/>",
        "service ?x",
        "SeRvIcE SILENT e:x",
        "SERVICE<http://e.example/>",
        "S\\u0045RVICE ?x",
        "\\U00000053ERVICE ?x",
    ]
)


@given(st.lists(PLAIN, max_size=6))
def test_what_only_looks_like_a_service_is_none(words: list[str]) -> None:
    assert not said_in(" ".join(words), BASE).asks_elsewhere


@given(st.lists(PLAIN, max_size=4), ASKS, st.lists(PLAIN, max_size=4))
def test_a_service_is_seen_among_all_else(before: list[str], ask: str, after: list[str]) -> None:
    assert said_in(" ".join([*before, ask, *after]), BASE).asks_elsewhere


@pytest.mark.parametrize(
    ("query", "sources"),
    [
        ("SELECT * FROM <http://e.example/a> {}", ["http://e.example/a"]),
        ("SELECT * FROM NAMED <b> FROM <c#d> {}", ["https://alice.example/b", "https://alice.example/c#d"]),
        ("PREFIX e: <http://e.example/> SELECT * FROM e:a FROM NAMED e: {}",
         ["http://e.example/a", "http://e.example/"]),
        ("BASE <http://e.example/x/> SELECT * FROM <y> {}", ["http://e.example/x/y"]),
        ("PREFIX : <z/> BASE <http://e.example/> SELECT * FROM :a {}", ["https://alice.example/z/a"]),
        ("SELECT * { ?s ?p <FROM> , 'FROM <http://e.example/>' } # FROM <http://e.example/>", []),
        ("SELECT * FROM unknown:a {}", ["a"]),
    ],
)  # fmt: skip
def test_graphs_that_a_query_names_are_told_in_full(query: str, sources: list[str]) -> None:
    assert list(said_in(query, BASE).sources) == sources
