"""The laws of the lenses between records and nouns (design page, section 1)."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod.errors import Conflict, Unprocessable
from pod.model.note import Note
from pod.model.noun import Noun, Opaque
from pod.model.richtext import Segment
from pod.records.cbor import encode
from pod.records.lens import index, note, profile, relation
from pod.records.lens.kinds import KINDS
from tests.kit.nouns import (
    by_collection,
    images,
    kinds,
    notes,
    profiles,
    relations,
    unknown_keys,
    videos,
)

FOREIGN_FACET = {
    "index": {"byteStart": 0, "byteEnd": 2},
    "features": [{"$type": "app.example.facet#spoiler", "level": 3}],
}

cases = st.one_of(
    notes.map(lambda n: (note.COLLECTION, n)),
    profiles.map(lambda p: (profile.COLLECTION, p)),
    relations.map(lambda r: (relation.COLLECTIONS[r.kind], r)),
    kinds,
)


@given(cases)
def test_what_is_put_is_what_is_got(case: tuple[str, Noun]) -> None:
    collection, noun = case
    assert index.get(collection, index.put(collection, noun)) == noun


@given(cases, unknown_keys)
def test_writing_a_noun_back_unchanged_gives_the_same_bytes(
    case: tuple[str, Noun], unknown: dict[str, object]
) -> None:
    collection, noun = case
    record = {**index.put(collection, noun), **unknown}
    again = index.put(collection, index.get(collection, record), record)
    assert encode(again) == encode(record)


@given(st.data(), unknown_keys)
def test_an_edit_changes_only_what_its_noun_shows(
    data: st.DataObject, unknown: dict[str, object]
) -> None:
    strategy = data.draw(st.sampled_from([notes, profiles]))
    before, after = data.draw(strategy), data.draw(strategy)
    collection = note.COLLECTION if isinstance(before, Note) else profile.COLLECTION
    record = {**index.put(collection, before), **unknown}
    edited = index.put(collection, after, record)
    assert index.get(collection, edited) == after
    assert {k: v for k, v in edited.items() if k.startswith("x-")} == unknown


@given(kinds, st.data(), unknown_keys)
def test_an_edit_of_a_table_noun_touches_the_keys_of_its_field_only(
    case: tuple[str, Noun], data: st.DataObject, unknown: dict[str, object]
) -> None:
    collection, before = case
    after = data.draw(by_collection[collection])
    record = {**index.put(collection, before), **unknown}
    field = data.draw(st.sampled_from([f.name for f in fields(before)]))
    meant = replace(before, **{field: getattr(after, field)})
    edited = index.put(collection, meant, record)
    key, _ = KINDS[collection].keys[field]
    assert index.get(collection, edited) == meant
    assert {k: v for k, v in edited.items() if k != key} == {
        k: v for k, v in record.items() if k != key
    }


@given(notes, notes)
def test_one_field_can_be_edited_without_touching_the_others(one: Note, other: Note) -> None:
    record = note.put(one)
    for field in fields(Note):
        if field.name in ("images", "video", "card", "quote"):
            continue
        edited = note.put(replace(one, **{field.name: getattr(other, field.name)}), record)
        if field.name != "text":
            assert edited.get("text") == record.get("text")
            assert edited.get("facets") == record.get("facets")
        assert edited.get("embed") == record.get("embed")


@given(st.lists(images, min_size=1, max_size=4, unique_by=lambda i: i.blob.cid), st.text())
def test_editing_one_alternative_text_keeps_what_clients_added_to_the_images(
    pictures: list, alt: str
) -> None:
    record = note.put(Note((), "2026-01-01T00:00:00Z", images=tuple(pictures)))
    record["embed"]["images"][0]["x-focus"] = "left"
    record["embed"]["x-layout"] = 1
    shown = note.get(record)
    assert shown is not None
    changed = (replace(shown.images[0], alt=alt), *shown.images[1:])
    edited = note.put(replace(shown, images=changed), record)
    assert edited["embed"]["images"][0]["x-focus"] == "left"
    assert edited["embed"]["images"][0]["alt"] == alt
    assert edited["embed"]["x-layout"] == 1


def test_a_facet_of_an_unknown_kind_survives_an_edit_behind_it() -> None:
    record = {
        "$type": note.COLLECTION,
        "text": "ab cd",
        "createdAt": "2026-01-01T00:00:00Z",
        "facets": [FOREIGN_FACET],
    }
    shown = note.get(record)
    assert shown is not None
    edited = note.put(replace(shown, text=(Segment("ab xyz"),)), record)
    assert edited["facets"] == [FOREIGN_FACET]


def test_an_edit_of_the_text_keeps_what_clients_added_to_facets_that_stay() -> None:
    link = {"$type": "app.bsky.richtext.facet#link", "uri": "https://a.example/", "x-seen": True}
    facet = {
        "$type": "app.bsky.richtext.facet",
        "index": {"byteStart": 3, "byteEnd": 5, "x-unit": "byte"},
        "features": [link],
    }
    record = {
        "$type": note.COLLECTION,
        "text": "ab cd",
        "createdAt": "2026-01-01T00:00:00Z",
        "facets": [facet],
    }
    shown = note.get(record)
    assert shown is not None
    edited = note.put(replace(shown, text=(Segment("xyz "), shown.text[1])), record)
    moved = {**facet, "index": {"byteStart": 4, "byteEnd": 6, "x-unit": "byte"}}
    assert edited["facets"] == [moved]


@given(images, videos)
def test_a_note_that_no_post_can_hold_is_refused(image: object, video: object) -> None:
    with pytest.raises(Unprocessable):
        note.put(Note((), "2026-01-01T00:00:00Z", images=(image,), video=video))
    with pytest.raises(Unprocessable):
        note.put(Note((), "2026-01-01T00:00:00Z", images=(image,) * 5))


@given(unknown_keys)
def test_an_unknown_lexicon_is_opaque_and_goes_back_as_it_was(record: dict) -> None:
    assert index.get("com.example.thing", record) == Opaque()
    assert index.put("com.example.thing", Opaque(), record) == record


def test_a_noun_cannot_be_kept_in_a_collection_of_another_kind() -> None:
    with pytest.raises(Conflict):
        index.put("app.bsky.feed.like", Note((), "2026-01-01T00:00:00Z"))


@given(st.sampled_from([note.COLLECTION, *relation.KINDS, "com.whtwnd.blog.entry"]), unknown_keys)
def test_data_that_does_not_fit_its_lexicon_is_opaque_never_an_error(
    collection: str, record: dict
) -> None:
    assert index.get(collection, record) == Opaque()


def test_a_facet_of_two_kinds_is_not_doubled_by_an_edit() -> None:
    link = {"$type": "app.bsky.richtext.facet#link", "uri": "https://a.example/"}
    spoiler = {"$type": "app.example.facet#spoiler", "level": 3}
    index_ = {"byteStart": 0, "byteEnd": 2}
    record = {
        "$type": note.COLLECTION,
        "text": "ab cd",
        "createdAt": "2026-01-01T00:00:00Z",
        "facets": [{"index": index_, "features": [link, spoiler]}],
    }
    shown = note.get(record)
    assert shown is not None
    edited = note.put(replace(shown, text=(shown.text[0], Segment(" xyz"))), record)
    features = [f for facet in edited["facets"] for f in facet["features"]]
    assert sorted(f["$type"] for f in features) == sorted([link["$type"], spoiler["$type"]])
