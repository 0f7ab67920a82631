"""N3 Patch: its rules, its matching, and the same formulae read by another N3 parser."""

from __future__ import annotations

import pytest
import rdflib
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, Triple

from adapters.solid.patch.apply import apply_patch
from adapters.solid.patch.n3 import parse_patch
from adapters.solid.rdf.parse import TURTLE, Graph, parse_rdf
from pod.access.acl import Mode
from pod.errors import Conflict, Invalid, PodError, TooLarge, Unprocessable

BASE = "https://alice.example/data/people"
HEAD = """@prefix solid: <http://www.w3.org/ns/solid/terms#>.
@prefix ex: <http://www.example.org/terms#>.
"""
PEOPLE = parse_rdf(
    b"""@prefix ex: <http://www.example.org/terms#>.
    <#c> ex:familyName "Garcia" ; ex:givenName "Claudia" .
    <#d> ex:familyName "Doe" ; ex:givenName "Dana" , "D." ; ex:knows [ ex:givenName "Nobody" ] .""",
    TURTLE,
    BASE,
)


def patched(body: str, graph: Graph = PEOPLE) -> Graph:
    return apply_patch(parse_patch((HEAD + body).encode(), BASE), graph)


def ex(name: str) -> NamedNode:
    return NamedNode(f"http://www.example.org/terms#{name}")


def test_the_example_of_the_protocol_renames_claudia() -> None:
    after = patched(
        """_:rename a solid:InsertDeletePatch;
        solid:where   { ?person ex:familyName "Garcia". };
        solid:inserts { ?person ex:givenName "Alex". };
        solid:deletes { ?person ex:givenName "Claudia". }."""
    )
    person = NamedNode(f"{BASE}#c")
    assert set(PEOPLE) - set(after) == {Triple(person, ex("givenName"), Literal("Claudia"))}
    assert set(after) - set(PEOPLE) == {Triple(person, ex("givenName"), Literal("Alex"))}


def test_braces_and_variables_in_texts_iris_and_comments_are_left_alone() -> None:
    after = patched(
        """<> a solid:InsertDeletePatch; solid:inserts { # a { brace ?x
        <#e> ex:note "{ ?x }", '''} "quoted" ?y''', <http://e.example/?x> # } end
        }.""",
        [],
    )
    assert {str(t.object) for t in after} == {
        '"{ ?x }"',
        '"} \\"quoted\\" ?y"',
        "<http://e.example/?x>",
    }


def test_prefixes_hold_from_where_they_are_declared() -> None:
    after = patched(
        """PREFIX p: <http://one.example/>
        <> a solid:InsertDeletePatch; solid:inserts { <#a> p:x p:base . } .
        """,
        [],
    )
    assert after == [
        Triple(
            NamedNode(f"{BASE}#a"),
            NamedNode("http://one.example/x"),
            NamedNode("http://one.example/base"),
        )
    ]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<> solid:inserts { <a> <b> <c> } .",
        "<> a solid:Patch ; solid:inserts { <a> <b> <c> } .",
        "<a> a solid:InsertDeletePatch . <b> a solid:InsertDeletePatch .",
        "<a> a solid:InsertDeletePatch . <b> solid:inserts { <a> <b> <c> } .",
        "<> a solid:InsertDeletePatch ; solid:inserts { <a> <b> <c> }, { <a> <b> <d> } .",
        "<> a solid:InsertDeletePatch ; solid:deletes { <a> <b> <c> }, { <a> <b> <d> } .",
        "<> a solid:InsertDeletePatch ; solid:where { <a> <b> <c> }, { <a> <b> <d> } .",
        "<> a solid:InsertDeletePatch ; solid:inserts { <a> <b> { <c> <d> <e> } } .",
        "<> a solid:InsertDeletePatch ; solid:inserts ( { <a> <b> <c> } ) .",
        "<> a solid:InsertDeletePatch ; solid:inserts <x> .",
        "<> a solid:InsertDeletePatch ; solid:inserts { ?a <b> <c> } .",
        "<> a solid:InsertDeletePatch ; solid:deletes { <a> <b> ?c }; solid:where { ?d <e> 1 }.",
        "<> a solid:InsertDeletePatch ; solid:deletes { <a> <b> [] } .",
        "_:a a solid:InsertDeletePatch ; solid:inserts { _:a <b> <c> } .",
        "<> a solid:InsertDeletePatch; solid:inserts { _:a <b> 1 }; solid:where { _:a <c> 1 }.",
        "<> a solid:InsertDeletePatch ; solid:deletes { <a> <b> ( 1 ) } .",
        "?x a solid:InsertDeletePatch .",
    ],
)
def test_a_patch_that_breaks_a_rule_is_unprocessable(body: str) -> None:
    with pytest.raises(Unprocessable):
        parse_patch((HEAD + body).encode(), BASE)


@pytest.mark.parametrize(
    "body",
    ["<> a solid:InsertDeletePatch", "} {", "{ <a> <b> <c>", "<> <> <> <> .", "<> solid:inserts {"],
)
def test_what_is_no_n3_is_invalid(body: str) -> None:
    with pytest.raises(Invalid):
        parse_patch((HEAD + body).encode(), BASE)


def test_a_patch_is_bounded() -> None:
    with pytest.raises(TooLarge):
        parse_patch(b" " * (1024 * 1024 + 1), BASE)
    many = " ".join(f"<a> <b> {i} ." for i in range(1001))
    with pytest.raises(TooLarge):
        parse_patch(
            f"{HEAD}<> a solid:InsertDeletePatch; solid:where {{ {many} }} .".encode(), BASE
        )


@pytest.mark.parametrize(
    "body",
    [
        'solid:where { ?p ex:familyName "Nobody" }',
        "solid:where { ?p ex:givenName ?n }",
        'solid:where { <#d> ex:familyName "Other" }',
        'solid:deletes { <#d> ex:familyName "Other" }',
        'solid:where { ?p ex:familyName "Doe" } ; solid:deletes { ?p ex:familyName "Garcia" }',
        "solid:where { ?p ex:familyName ?p }",
    ],
)
def test_no_mapping_several_mappings_and_missing_deletions_conflict(body: str) -> None:
    with pytest.raises(Conflict):
        patched(f"<> a solid:InsertDeletePatch; {body} .")


def test_conditions_join_and_may_bind_blank_nodes_and_predicates() -> None:
    after = patched(
        """<> a solid:InsertDeletePatch;
        solid:where { ?a ex:familyName "Doe" ; ?knows ?b . ?b ex:givenName "Nobody" };
        solid:deletes { ?b ex:givenName "Nobody" . };
        solid:inserts { ?b ex:givenName "Somebody" . } ."""
    )
    assert len(after) == len(PEOPLE)
    assert '"Somebody"' in {str(t.object) for t in after}


def test_a_value_that_cannot_be_a_subject_is_unprocessable() -> None:
    with pytest.raises(Unprocessable):
        patched(
            """<> a solid:InsertDeletePatch; solid:where { <#c> ex:familyName ?n };
            solid:inserts { ?n ex:is ex:literal } ."""
        )


def test_costly_conditions_are_refused_in_bounded_work() -> None:
    graph = parse_rdf(
        b"".join(b"<a:%d> <a:p> <a:%d> .\n" % (i, j) for i in range(40) for j in range(40)),
        TURTLE,
        BASE,
    )
    ring = " . ".join(f"?x{i} <a:p> ?x{i + 1}" for i in range(12)) + " . ?x12 <a:q> ?x0"
    body = f"<> a solid:InsertDeletePatch; solid:where {{ {ring} }} ."
    with pytest.raises(PodError):
        patched(body, graph)
    chain = " . ".join(f"?x <a:p> ?x{i} . ?x{i} <a:p> ?y{i}" for i in range(30)) + " . ?z <a:p> ?z"
    with pytest.raises(PodError):
        patched(f"<> a solid:InsertDeletePatch; solid:where {{ {chain} }} .", graph)


def test_what_a_patch_does_says_what_it_needs() -> None:
    def modes(body: str) -> set[Mode]:
        return set(parse_patch(f"{HEAD}<> a solid:InsertDeletePatch {body}.".encode(), BASE).modes)

    assert modes("") == set()
    assert modes("; solid:where { <a> <b> <c> }") == {Mode.READ}
    assert modes("; solid:inserts { <a> <b> <c> }") == {Mode.APPEND}
    assert modes("; solid:deletes { <a> <b> <c> }") == {Mode.READ, Mode.WRITE}
    assert modes("; solid:where {} ; solid:inserts {}") == set()


terms = st.sampled_from(["<#a>", "ex:b", '"text {?no}"', '"x"@en', "1", "true", "?v", "?w"])
subjects = st.sampled_from(["<#a>", "ex:b", "?v", "?w"])
patterns = st.lists(st.tuples(subjects, st.sampled_from(["ex:p", "a", "?v"]), terms), max_size=5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@given(patterns)
def test_the_conditions_are_those_that_another_n3_parser_reads(
    where: list[tuple[str, str, str]],
) -> None:
    body = HEAD + "<> a solid:InsertDeletePatch; solid:where {"
    body += " . ".join(" ".join(pattern) for pattern in where) + "} ."
    graph = rdflib.Graph()
    graph.parse(data=body, format="n3", publicID=BASE)
    formula = next(graph.objects(None, rdflib.URIRef("http://www.w3.org/ns/solid/terms#where")))
    expected = {tuple(_spell(term) for term in triple) for triple in formula}
    patch = parse_patch(body.encode(), BASE)
    ours = {
        tuple(
            str(term).replace(f"<{patch.variables}", "?").rstrip(">")
            if str(term).startswith(f"<{patch.variables}")
            else str(term)
            for term in (t.subject, t.predicate, t.object)
        )
        for t in patch.where
    }
    assert ours == expected


def _spell(term: rdflib.term.Node) -> str:
    if isinstance(term, rdflib.Variable):
        return f"?{term}"
    return str(term.n3())


def test_new_blank_nodes_may_be_inserted() -> None:
    body = "_:p a solid:InsertDeletePatch ; solid:inserts { <a> <b> [ <c> 1 ], [ <c> 2 ] } ."
    patch = parse_patch((HEAD + body).encode(), BASE)
    once = apply_patch(patch, [])
    assert len(once) == 4
    assert len(apply_patch(patch, once)) == 8
