"""Reading and writing RDF: bounded, without fetching, and lossless both ways."""

from __future__ import annotations

import pytest
import rdflib
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import BlankNode, Literal, NamedNode, Triple
from rdflib.compare import isomorphic

from adapters.solid.rdf.parse import JSONLD, MAX_DEPTH, NTRIPLES, TURTLE, parse_rdf
from adapters.solid.rdf.vocab import AS, RDF, XSD
from adapters.solid.rdf.write import write_rdf
from pod.errors import Invalid, TooLarge, Unprocessable, Unsupported

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib's own

BASE = "https://alice.example/data/x"

nodes = st.sampled_from(
    [NamedNode(BASE), AS.Note, RDF.nil, *(BlankNode(f"n{i}") for i in range(6))]
)
literals = st.builds(Literal, st.text(st.characters(exclude_categories=["Cs"]), max_size=5)) | (
    st.sampled_from(
        [
            Literal(text, datatype=kind)
            for texts, kind in (
                (["1", "01", "-0", "+7"], XSD.integer),
                (["true", "false", "1"], XSD.boolean),
                (["1.0", "1.50"], XSD.decimal),
                (["2020-01-01T00:00:00.000Z"], XSD.dateTime),
            )
            for text in texts
        ]
    )
)
predicates = st.sampled_from([RDF.type, RDF.first, RDF.rest, AS.content, NamedNode("lex:a#b%20c")])
graphs = st.lists(
    st.builds(Triple, nodes, predicates, nodes | literals), max_size=14, unique_by=str
)


@given(graphs, st.sampled_from([(TURTLE, "turtle"), (JSONLD, "json-ld")]))
def test_every_graph_is_read_back_as_it_was_written(
    graph: list[Triple], syntax: tuple[str, str]
) -> None:
    rdflib.NORMALIZE_LITERALS = False
    body = write_rdf(graph, syntax[0])
    expected = rdflib.Graph().parse(data=write_rdf(graph, NTRIPLES), format="nt")
    again = write_rdf(parse_rdf(body, syntax[0], BASE), NTRIPLES)
    assert isomorphic(rdflib.Graph().parse(data=again, format="nt"), expected)
    if syntax[0] == TURTLE:
        assert isomorphic(rdflib.Graph().parse(data=body, format="turtle"), expected)


@given(graphs)
def test_what_was_read_is_written_the_same_each_time(graph: list[Triple]) -> None:
    body = write_rdf(graph, TURTLE)
    assert write_rdf(parse_rdf(body, TURTLE, BASE), TURTLE) == write_rdf(
        parse_rdf(body, TURTLE, BASE), TURTLE
    )


def test_the_line_of_a_mistake_is_told() -> None:
    with pytest.raises(Invalid, match="line 3"):
        parse_rdf(b"<a> <b> <c> .\n<d> <e> <f> .\n<g> <h> .", TURTLE, BASE)


def test_a_remote_context_is_never_fetched() -> None:
    with pytest.raises(Unprocessable):
        parse_rdf(b'{"@context": "https://evil.example/context", "a": 1}', JSONLD, BASE)
    with pytest.raises(Unprocessable):
        parse_rdf(b'{"@context": {"@import": "https://evil.example/x"}}', JSONLD, BASE)


def test_the_context_of_activitystreams_is_at_hand() -> None:
    body = b"""{"@context": ["https://www.w3.org/ns/activitystreams", {"ex": "http://e.example/"}],
      "id": "https://a.example/1", "type": "Note", "content": "hi", "to": "as:Public",
      "published": "2024-01-01T00:00:00Z", "ex:more": true}"""
    note = NamedNode("https://a.example/1")
    assert set(parse_rdf(body, JSONLD, BASE)) == {
        Triple(note, RDF.type, AS.Note),
        Triple(note, AS.content, Literal("hi")),
        Triple(note, AS.to, AS.Public),
        Triple(note, AS.published, Literal("2024-01-01T00:00:00Z", datatype=XSD.dateTime)),
        Triple(note, NamedNode("http://e.example/more"), Literal("true", datatype=XSD.boolean)),
    }


@pytest.mark.parametrize(
    ("body", "syntax"),
    [
        (b"<a:a> <a:b> " + b"[ <a:b> " * 50_000, TURTLE),
        (b"<a:a> <a:b> " + b"( " * 50_000, TURTLE),
        (b"<a:a> <a:b> " + b"<<( " * 50_000, TURTLE),
        (b'{"a:b":' * 50_000 + b"1" + b"}" * 50_000, JSONLD),
        (b"[" * 50_000, JSONLD),
    ],
)
def test_deep_nesting_is_refused_before_it_is_parsed(body: bytes, syntax: str) -> None:
    with pytest.raises(Unprocessable, match="Nested"):
        parse_rdf(body, syntax, BASE)


def test_brackets_in_texts_and_comments_are_no_nesting() -> None:
    many = b"[" * (MAX_DEPTH * 2)
    body = b'<a:a> <a:b> "' + many + b'" . # ' + many
    assert len(parse_rdf(body, TURTLE, BASE)) == 1
    assert len(parse_rdf(b'{"@id":"a:a","a:b":"' + many + b'\\""}', JSONLD, BASE)) == 1


@pytest.mark.parametrize(
    ("body", "syntax", "error"),
    [
        (b"x" * (8 * 1024 * 1024 + 1), TURTLE, TooLarge),
        (b"x", "text/csv", Unsupported),
        (b"\xff\xfe", TURTLE, Invalid),
        (b"{", JSONLD, Invalid),
        (b'{"@id":"a:a","@graph":[{"@id":"a:b","a:c":1}]}', JSONLD, Unprocessable),
        (b"<a:a> <a:b> <<( <a:a> <a:b> <a:c> )>> .", TURTLE, Unprocessable),
        (b"<a:a> <a:b> <bad iri> .", TURTLE, Invalid),
    ],
)
def test_what_cannot_be_kept_is_refused(body: bytes, syntax: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_rdf(body, syntax, BASE)
