"""Peers' AS2 in all its forms, and documents that would be somebody's weapon."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import AS2
from adapters.activitypub.jsonld.strict import MAX_BYTES
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


def test_only_two_thousand_recipients_and_a_hundred_other_things_are_looked_at() -> None:
    many = [f"https://x.example/{i}" for i in range(5000)]
    assert len(read.recipients({"to": many})) == 2000
    assert len(list(read.iris({"tag": many}, "tag"))) == 100


def test_deep_large_and_restructured_documents_are_refused() -> None:
    deep: Any = "x"
    for _ in range(40):
        deep = [deep]
    with pytest.raises(Invalid):
        read.parse(orjson.dumps({"a": deep}))
    with pytest.raises(Invalid):
        read.parse(b'{"a":' * 10_000 + b"1" + b"}" * 10_000)
    with pytest.raises(TooLarge):
        read.parse(orjson.dumps({"a": "x" * MAX_BYTES}))
    for keyword in ("@graph", "@included", "@reverse"):
        with pytest.raises(Invalid):
            read.parse(orjson.dumps({"object": {keyword: []}}))


TRICKS: dict[str, str] = {
    "another meaning of actor": '{"@context": {"actor": "as:object"}}',
    "another meaning of the id": '{"@context": {"id": "as:name"}}',
    "another meaning in a list": '{"@context": ["https://x.test/", {"to": {"@id": "as:cc"}}]}',
    "another meaning further in": '{"object": {"@context": {"attributedTo": "x:y"}}}',
    "a property without meaning": '{"@context": {"object": null}}',
    "another meaning of a key": '{"@context": {"publicKeyPem": "as:name"}}',
    "a context in a context": '{"@context": {"x": {"@id": "as:x", "@context": {}}}}',
    "another base": '{"@context": {"@base": "https://evil.test/"}}',
    "another vocabulary": '{"@context": {"@vocab": "https://evil.test/"}}',
    "another prefix for keys": '{"@context": {"sec": "https://evil.test/"}}',
    "a key under two names": '{"publicKey": {}, "https://w3id.org/security#publicKey": {}}',
    "two full names": '{"as:to": [], "https://www.w3.org/ns/activitystreams#to": []}',
    "another prefix": '{"@context": {"as": "https://evil.test/"}}',
    "an imported context": '{"@context": {"@import": "https://evil.test/"}}',
    "two ids": '{"id": "https://a.test/", "@id": "https://b.test/"}',
    "two types": '{"type": "Like", "@type": "Delete"}',
    "two names": '{"actor": "https://a.test/", "as:actor": "https://b.test/"}',
    "a full name beside": '{"to": [], "https://www.w3.org/ns/activitystreams#to": []}',
    "a key twice": '{"actor": "https://a.test/", "actor": "https://b.test/"}',
    "a key twice in other letters": '{"object": {"id": 1, "\\u0069d": 2}}',
    "no number": '{"a": NaN}',
    "a number beyond all": '{"a": 1e999}',
    "half a character": '{"a": "\\ud800"}',
    "a graph": '{"@graph": []}',
    "an index": '{"object": {"@index": "x"}}',
}


@pytest.mark.parametrize("trick", TRICKS)
def test_what_means_one_thing_to_us_and_another_to_others_is_refused(trick: str) -> None:
    with pytest.raises(Invalid):
        read.parse(TRICKS[trick].encode())


def test_the_contexts_that_peers_write_are_taken() -> None:
    peers = {
        "@context": [
            AS2,
            "https://w3id.org/security/v1",
            {
                "toot": "http://joinmastodon.org/ns#", "Hashtag": "as:Hashtag",
                "movedTo": {"@id": "as:movedTo", "@type": "@id"}, "sensitive": "as:sensitive",
                "alsoKnownAs": {"@id": f"{AS2}#alsoKnownAs", "@type": "@id"},
                "as": f"{AS2}#", "@vocab": "_:", "@language": "und", "schema": "http://schema.org#",
                "Key": "sec:Key", "id": "@id", "type": "@type", "publicKey": "sec:publicKey",
            },
        ],
        "as:actor": BOB,
    }  # fmt: skip
    assert read.iri(read.parse(orjson.dumps(peers)), "actor") == BOB


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


@pytest.mark.parametrize("key", ["name", "summary"])
def test_a_picture_is_described_by_its_name_or_its_summary(key: str) -> None:
    assert read.alt({"type": "Image", key: "a tree"}) == "a tree"
    assert read.alt({"type": "Image", "name": "a tree", "summary": "of many"}) == "a tree"
    assert read.alt({"type": "Image"}) is None


def test_the_public_is_found_behind_a_thousand_followers() -> None:
    followers = [f"{BOB}/{number}" for number in range(1_000)]
    assert AS2 + "#Public" in read.recipients({"to": [*followers, "as:Public"]})


def test_of_a_film_of_a_channel_and_a_person_the_person_is_the_author() -> None:
    channel, person = {"type": "Group", "id": f"{BOB}/films"}, {"type": "Person", "id": BOB}
    assert read.author({"attributedTo": [channel, person]}) == BOB
    assert read.author({"attributedTo": [BOB, f"{BOB}/films"]}) == BOB
    assert read.author({"attributedTo": channel}) == f"{BOB}/films"
    assert read.author({}) is None


def test_names_of_keys_are_found_in_full_and_not_under_those_of_another_vocabulary() -> None:
    key = {"https://w3id.org/security#publicKeyPem": "pem"}
    assert read.node({"https://w3id.org/security#publicKey": key}, "publicKey") == key
    assert read.text(key, "publicKeyPem") == "pem"
    assert read.node({"sec:publicKey": key}, "publicKey") == key
    assert read.node({"as:publicKey": key}, "publicKey") is None
    assert read.iri({"sec:actor": BOB}, "actor") is None
    assert read.flag({"as:sensitive": True}, "sensitive") is True
    assert read.flag({"sensitive": "yes"}, "sensitive") is None
