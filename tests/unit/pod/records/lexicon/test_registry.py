"""The lexicons that we ship with: all of them compile, and methods get typed parameters."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from pod.errors import Invalid, NotFound
from pod.model.ids import Nsid
from pod.records.data import Link, json_to_record
from pod.records.lexicon.registry import Registry, check_document

POST = Nsid("app.bsky.feed.post")
LIST_RECORDS = Nsid("com.atproto.repo.listRecords")
GET_POSTS = Nsid("app.bsky.feed.getPosts")
CREATE_ACCOUNT = Nsid("com.atproto.server.createAccount")
WHO = [("repo", "did:plc:7iza6de2dwap2sbkpav7c6c6"), ("collection", POST)]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load()


def post(**more: object) -> dict[str, object]:
    return {"$type": POST, "text": "hello", "createdAt": "2026-11-24T13:00:00.000Z", **more}


def test_every_shipped_lexicon_is_valid_and_named_as_it_is_found(registry: Registry) -> None:
    names = list(registry.names())
    assert len(names) > 400
    for name in names:
        document = registry.definition(name)
        assert document["id"] == name
        check_document(document)


def test_every_reference_between_shipped_lexicons_leads_somewhere(registry: Registry) -> None:
    def references(schema: object) -> list[str]:
        match schema:
            case {"type": "ref", "ref": str(ref)}:
                return [ref]
            case {"type": "union", "refs": list(refs)}:
                return refs
            case dict():
                return [ref for inner in schema.values() for ref in references(inner)]
            case list():
                return [ref for inner in schema for ref in references(inner)]
            case _:
                return []

    for name in registry.names():
        for ref in references(registry.definition(name)["defs"]):
            nsid, _, part = ref.partition("#")
            assert (part or "main") in registry.definition(Nsid(nsid or name))["defs"], ref


def test_a_record_of_a_known_lexicon_is_valid(registry: Registry) -> None:
    assert registry.validate_record(POST, json_to_record(post(langs=["en", "pt-BR"])))


def test_unknown_fields_and_unknown_embeds_are_allowed(registry: Registry) -> None:
    embed = {"$type": "com.example.embed", "anything": [1, None]}
    assert registry.validate_record(POST, json_to_record(post(extra={"a": 1}, embed=embed)))


@pytest.mark.parametrize("name", ["com.example.unknown", "com.atproto.repo.createRecord"])
def test_what_is_no_known_record_type_is_unknown(registry: Registry, name: str) -> None:
    assert registry.validate_record(Nsid(name), {"$type": name}) is False
    assert registry.rkey_kind(Nsid(name)) is None


@pytest.mark.parametrize(
    ("field", "complaint"),
    [
        ({"text": 1}, "Record/text must be a string"),
        ({"text": "x" * 3001}, "Record/text must not be longer than 3000 characters"),
        ({"text": "ü" * 301}, "Record/text must not be longer than 300 graphemes"),
        ({"langs": ["en", "?"]}, "Record/langs/1 must be a well-formed BCP 47 language tag"),
        ({"langs": ["en"] * 4}, "Record/langs must not have more than 3 elements"),
        ({"embed": {"images": []}}, 'must be an object which includes the "$type" property'),
        (
            {"facets": [{"index": {"byteStart": -1, "byteEnd": 0}, "features": []}]},
            "Record/facets/0/index/byteStart can not be less than 0",
        ),
        ({"$type": "app.bsky.feed.like"}, "Record/$type must be app.bsky.feed.post"),
    ],
)
def test_the_complaint_tells_where_and_what(
    registry: Registry, field: dict[str, object], complaint: str
) -> None:
    with pytest.raises(Invalid) as refused:
        registry.validate_record(POST, json_to_record({**post(), **field}))
    assert complaint in refused.value.safe_text


def test_a_missing_property_is_named(registry: Registry) -> None:
    with pytest.raises(Invalid, match='Record must have the property "createdAt"'):
        registry.validate_record(POST, {"$type": POST, "text": "hello"})


def test_text_is_counted_as_a_person_counts(registry: Registry) -> None:
    family = "👨\u200d👩\u200d👧\u200d👧"
    assert registry.validate_record(POST, json_to_record(post(text=family * 100)))


@pytest.mark.parametrize(
    ("collection", "kind"),
    [
        (POST, "tid"),
        ("app.bsky.actor.profile", "literal:self"),
        ("com.atproto.lexicon.schema", "nsid"),
        ("app.bsky.feed.generator", "any"),
    ],
)
def test_each_record_type_says_how_it_is_keyed(
    registry: Registry, collection: str, kind: str
) -> None:
    assert registry.rkey_kind(Nsid(collection)) == kind


def test_parameters_are_typed_and_defaults_filled_in(registry: Registry) -> None:
    query = [*WHO, ("reverse", "true"), ("other", "1"), ("cursor", "")]
    assert registry.validate_params(LIST_RECORDS, query) == {
        **dict(WHO),
        "limit": 50,
        "reverse": True,
    }


def test_a_repeated_parameter_is_a_list_where_a_list_is_meant(registry: Registry) -> None:
    uris = [f"at://did:plc:abc/app.bsky.feed.post/{n}" for n in range(2)]
    query = [("uris", uri) for uri in uris]
    assert registry.validate_params(GET_POSTS, query) == {"uris": uris}


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        (WHO[:1], 'Params must have the property "collection"'),
        ([*WHO, ("limit", "101")], "limit can not be greater than 100"),
        ([*WHO, ("limit", "ten")], "limit must be an integer"),
        ([*WHO, ("limit", "1"), ("limit", "2")], "limit must not be repeated"),
        ([*WHO, ("reverse", "yes")], "reverse must be a boolean"),
        ([("repo", "?"), WHO[1]], "repo must be a valid did or a handle"),
    ],
)
def test_bad_parameters_are_refused(
    registry: Registry, query: list[tuple[str, str]], complaint: str
) -> None:
    with pytest.raises(Invalid) as refused:
        registry.validate_params(LIST_RECORDS, query)
    assert refused.value.safe_text == complaint


def test_an_input_comes_as_data(registry: Registry) -> None:
    link = "bafkreiccldh766hwcnuxnf2wh6jgzepf2nlu2lvcllt63eww5p6chi4ity"
    body = {"repo": "alice.test", "collection": POST, "record": {"a": {"$link": link}}}
    data = registry.validate_input(Nsid("com.atproto.repo.createRecord"), body)
    assert isinstance(data, dict)
    record = data["record"]
    assert isinstance(record, dict)
    assert isinstance(record["a"], Link)


def test_a_bad_input_is_refused(registry: Registry) -> None:
    with pytest.raises(Invalid, match="Input/handle must be a valid handle"):
        registry.validate_input(CREATE_ACCOUNT, {"handle": "?"})


def test_an_unknown_lexicon_has_no_definition(registry: Registry) -> None:
    assert not registry.has(Nsid("com.example.unknown"))
    with pytest.raises(NotFound):
        registry.definition(Nsid("com.example.unknown"))


def test_lexicons_of_a_folder_join_the_shipped_ones(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"back": {"type": "ref", "ref": "#main"}}}
    lexicon = {
        "lexicon": 1,
        "id": "com.example.loop",
        "defs": {"main": {"type": "record", "key": "any", "record": schema}},
    }
    (tmp_path / "loop.json").write_bytes(orjson.dumps(lexicon))
    registry = Registry.load(tmp_path)
    loop = Nsid("com.example.loop")
    assert registry.has(POST)
    assert registry.validate_record(loop, {"$type": loop, "back": {"back": {}}})
    with pytest.raises(Invalid, match="Record/back/back must be an object"):
        registry.validate_record(loop, {"$type": loop, "back": {"back": 1}})


def test_a_folder_with_a_broken_lexicon_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"lexicon": 2}')
    with pytest.raises(Invalid):
        Registry.load(tmp_path)
