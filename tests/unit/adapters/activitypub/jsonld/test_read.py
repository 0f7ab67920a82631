"""Peers' AS2 in all its forms, and documents that would be somebody's weapon."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.activitypub.jsonld import read
from pod.errors import Invalid, PodError, TooLarge

BOB = "https://peer.example/users/bob"


@pytest.mark.parametrize(
    "value",
    [BOB, [BOB], {"id": BOB, "type": "Person"}, {"@id": BOB}, [{"id": BOB}], {"@list": [BOB]},
     [5, None, BOB]],
)  # fmt: skip
@pytest.mark.parametrize(
    "key", ["actor", "as:actor", "https://www.w3.org/ns/activitystreams#actor"]
)
def test_a_reference_is_found_in_every_form(key: str, value: object) -> None:
    assert read.iri({key: value}, "actor") == BOB


@pytest.mark.parametrize(
    "value",
    ["Note", ["Note"], "as:Note", "https://www.w3.org/ns/activitystreams#Note", ["x", "Note"]],
)
@pytest.mark.parametrize("key", ["type", "@type"])
def test_a_type_is_found_in_every_form(key: str, value: object) -> None:
    assert "Note" in read.types({key: value})


@pytest.mark.parametrize(
    ("node", "text"),
    [({"content": "a"}, "a"), ({"content": ["a", "b"]}, "a"), ({"contentMap": {"en": "a"}}, "a"),
     ({"content": {"@value": "a", "@language": "en"}}, "a"), ({"content": 5}, None), ({}, None)],
)  # fmt: skip
def test_text_is_found_in_every_form(node: dict[str, Any], text: str | None) -> None:
    assert read.text(node, "content") == text


def test_languages_come_from_the_map_and_from_literals() -> None:
    node = {"contentMap": {"en": "a", "x": 5}, "content": [{"@value": "b", "@language": "de"}]}
    assert read.text_map(node, "content") == {"en": "a", "de": "b"}


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "acct:bob@peer.example",
        "javascript:alert(1)",
        "https://",
        "https://user:pw@peer.example/",
        "https://peer.example/a b",
        "https://peer.example/\n",
        "https://[",
        "https://x/" + "a" * 2048,
        "http:///x",
    ],
)
def test_an_id_is_a_plain_web_address(bad: str) -> None:
    assert read.iri({"actor": bad}, "actor") is None


def test_the_public_collection_has_three_names() -> None:
    full = "https://www.w3.org/ns/activitystreams#Public"
    for name in ("as:Public", "Public", full):
        assert read.recipients({"to": name}) == {full}
    assert read.recipients({"to": [BOB]}, {"cc": full}) == {BOB, full}


def test_only_a_hundred_recipients_are_looked_at() -> None:
    assert len(read.recipients({"to": [f"https://x.example/{i}" for i in range(5000)]})) == 100


def test_deep_large_and_restructured_documents_are_refused() -> None:
    deep: Any = "x"
    for _ in range(40):
        deep = [deep]
    with pytest.raises(Invalid):
        read.parse(orjson.dumps({"a": deep}))
    with pytest.raises(Invalid):
        read.parse(b'{"a":' * 10_000 + b"1" + b"}" * 10_000)
    with pytest.raises(TooLarge):
        read.parse(orjson.dumps({"a": "x" * read.MAX_BYTES}))
    for keyword in ("@graph", "@included", "@reverse"):
        with pytest.raises(Invalid):
            read.parse(orjson.dumps({"object": {keyword: []}}))


def test_a_context_is_never_believed() -> None:
    document = read.parse(
        orjson.dumps({"@context": {"actor": "as:object", "object": "as:actor"}, "actor": BOB})
    )
    assert read.iri(document, "actor") == BOB


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        read.parse(body)
    except PodError:
        return


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["id", "@id", "type", "@value", "@list", "@language", "to", "content"])
        | st.text(max_size=3), inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["id", "to", "content", "contentMap", "type"]), json))
def test_no_json_breaks_a_reader(node: dict[str, Any]) -> None:
    read.id_of(node)
    read.types(node)
    read.recipients(node)
    read.text(node, "content")
    read.number(node, "content")
    list(read.nodes(node, "to"))


def test_origins_are_compared_as_a_whole() -> None:
    assert read.same_origin("https://A.example/x", "https://a.example/y#z")
    assert not read.same_origin("https://a.example", "http://a.example")
    assert not read.same_origin("https://a.example", "https://a.example:8443")
    assert not read.same_origin("https://a.example", "https://a.example.evil.example")
