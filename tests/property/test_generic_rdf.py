"""Law 9: any record goes to RDF and back, byte for byte, through every syntax."""

from __future__ import annotations

import hashlib

import pytest
import rdflib
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import NamedNode
from rdflib.compare import isomorphic

from adapters.solid.lens.generic import from_rdf, to_rdf
from adapters.solid.rdf.parse import JSONLD, NTRIPLES, TURTLE, parse_rdf
from adapters.solid.rdf.write import write_ntriples, write_rdf
from pod.errors import Unprocessable
from pod.records.cbor import encode
from pod.records.cid import Codec, cid_of_digest
from pod.records.data import Data, Link

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib's own

SUBJECT = NamedNode("https://alice.example/repo/app.bsky.feed.post/3mtcccccccc2c")
SYNTAXES = (NTRIPLES, TURTLE, JSONLD)

links = st.builds(
    lambda seed, codec: Link(cid_of_digest(hashlib.sha256(seed).digest(), codec)),
    st.binary(max_size=4),
    st.sampled_from(list(Codec)),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
odd_keys = st.sampled_from(
    ["", "$type", "$link", "$bytes", "a#b", "name:lang", "@id", "@type", "a/b", "%24type", "é", " "]
)
keys = odd_keys | texts
type_names = st.sampled_from(["app.bsky.feed.post", "a.b.c#d", "blob", "", "odd type/#x#y", "%"])
atoms = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | texts
    | type_names
    | st.binary(max_size=8)
    | links
)


def objects(values: st.SearchStrategy[Data]) -> st.SearchStrategy[dict[str, Data]]:
    return st.dictionaries(keys, values, max_size=4)


data = st.recursive(
    atoms, lambda inner: st.lists(inner, max_size=4) | objects(inner), max_leaves=20
)
records = objects(data)


@given(records, st.sampled_from(SYNTAXES))
def test_any_record_survives_every_syntax_byte_for_byte(
    record: dict[str, Data], syntax: str
) -> None:
    body = write_rdf(to_rdf(record, SUBJECT), syntax)
    again = from_rdf(parse_rdf(body, syntax, SUBJECT.value), SUBJECT)
    assert encode(again) == encode(record)


@given(records)
def test_an_independent_parser_reads_the_same_graph_from_every_syntax(
    record: dict[str, Data],
) -> None:
    rdflib.NORMALIZE_LITERALS = False
    triples = to_rdf(record, SUBJECT)
    read = [
        rdflib.Graph().parse(data=write_rdf(triples, syntax), format=name)
        for syntax, name in ((NTRIPLES, "nt"), (TURTLE, "turtle"), (JSONLD, "json-ld"))
    ]
    assert isomorphic(read[0], read[1])
    assert isomorphic(read[0], read[2])
    assert len(read[0]) == len(triples)


@given(records, records)
def test_different_records_have_different_graphs(
    one: dict[str, Data], other: dict[str, Data]
) -> None:
    same = write_ntriples(to_rdf(one, SUBJECT)) == write_ntriples(to_rdf(other, SUBJECT))
    assert same == (encode(one) == encode(other))


@given(records)
def test_equal_records_are_written_with_equal_bytes(record: dict[str, Data]) -> None:
    reordered = dict(reversed(record.items()))
    for syntax in SYNTAXES:
        written = write_rdf(to_rdf(record, SUBJECT), syntax)
        assert written == write_rdf(to_rdf(reordered, SUBJECT), syntax)


@pytest.mark.parametrize(
    "turtle",
    [
        "<> <lex:#a> 1, 2 .",
        "<> <lex:#a> 01 .",
        "<> <lex:#a> 1.5 .",
        "<> <lex:#a> 9223372036854775808 .",
        '<> <lex:#a> "x"@en .',
        '<> <lex:#a> "no cid"^^<lex:cid> .',
        '<> <lex:#a> "YQ"^^<http://www.w3.org/2001/XMLSchema#base64Binary> .',
        "<> <lex:#a> <https://elsewhere.example/> .",
        "<> <lex:#a> _:x ; <lex:#b> _:x .",
        "<> <lex:#a> _:x . _:x <lex:#b> _:x .",
        "_:x <lex:#b> 1 .",
        "<> <http://schema.org/name> 1 .",
        "<> a <http://schema.org/Person> .",
        "<> a <lex:one>, <lex:two> .",
        "<> a <lex:one> ; <lex:two#a> 1 .",
        '<> <lex:#%24type> "text" .',
        "<> <lex:#%61> 1 .",
        "<> <lex:#a> [ <http://www.w3.org/1999/02/22-rdf-syntax-ns#first> 1 ] .",
    ],
)
def test_a_graph_that_is_no_record_is_refused(turtle: str) -> None:
    with pytest.raises(Unprocessable):
        from_rdf(parse_rdf(turtle.encode(), TURTLE, SUBJECT.value), SUBJECT)
