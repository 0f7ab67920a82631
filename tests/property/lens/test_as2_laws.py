"""The laws of the AS2 lenses: reading and writing back changes nothing, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adapters.activitypub.lens import emoji, html, note, profile
from adapters.activitypub.lens.names import Names, object_id, read_object_path
from adapters.activitypub.lens.profile import ActorKeys, Presented
from adapters.activitypub.lens.published import Published
from pod.errors import Conflict, PodError, Unprocessable
from pod.model.emoji import Emoji
from pod.model.ids import Cid, Origin, Tid
from pod.model.member import Member
from pod.model.note import Note
from pod.model.profile import Profile
from pod.model.resource import (
    EMPTY,
    RECORD_TYPE,
    Annotation,
    Complement,
    Override,
    Resource,
    ResourcePath,
)
from tests.kit.members import START, a_member
from tests.kit.nouns import notes, profiles, unknown_keys

ALICE = a_member(1)
KEYS = ActorKeys("-----BEGIN PUBLIC KEY-----\n", "z6Mkabc")
POST = ResourcePath("/repo/app.bsky.feed.post/3mtcccccccc2c")
NOW = "2026-11-24T12:00:00.000Z"


class Town:
    """A reader of a pod with one member and no records."""

    def member_by_did(self, did: str) -> Member | None:
        return ALICE if did == ALICE.did else None

    def member_by_origin(self, origin: str) -> Member | None:
        return ALICE if origin == ALICE.origin else None

    def resource(self, member: object, path: object) -> None:
        return None


PARTY = Emoji("party", "party.png", "image/png", START)
EMOJI = partial(emoji.tags, {PARTY.name: PARTY}, Origin("https://pods.example"))
NAMES = Names(Town(), ALICE, emoji=EMOJI)  # type: ignore[arg-type]


def published(complement: Complement = EMPTY) -> Published:
    cid = Cid(bytes(36))
    resource = Resource(
        ALICE.id, POST, RECORD_TYPE, cid, 0, b"", Tid("3mtcccccccc2c"), START, START,
        complement=complement,
    )  # fmt: skip
    return Published(ALICE, resource, NAMES)


def beside(annotation: dict[str, Any], override: dict[str, Any] | None = None) -> Published:
    overrides = (Override("as2", orjson.dumps(override), Cid(bytes(36))),) if override else ()
    return published(Complement((Annotation("as2", orjson.dumps(annotation)),), overrides))


@given(notes)
def test_a_note_written_back_unchanged_is_the_same_note(noun: Note) -> None:
    place = published()
    put = note.put(note.get(noun, place), noun, place, NOW)
    assert (put.noun, put.annotation, put.override) == (noun, {}, {})


@given(notes, unknown_keys)
def test_properties_nobody_owns_are_kept_beside_the_note(
    noun: Note, unknown: dict[str, Any]
) -> None:
    put = note.put({**note.get(noun, published()), **unknown}, noun, published(), NOW)
    assert (put.noun, put.annotation) == (noun, unknown)
    again = beside(put.annotation) if put.annotation else published()
    shown = note.get(noun, again)
    assert {key: shown[key] for key in unknown} == unknown
    assert note.put(shown, noun, again, NOW) == put


content = st.sampled_from(
    ["<p>New words</p>", "<p>a<br>b</p><p>c</p>", "<p><b>bold</b></p>", "", "plain",
     '<p><a href="https://x.example/" rel="nofollow noopener">x</a></p>',
     "<ul><li>one</li></ul>", "<script>x</script><p>y</p>", "<p onclick=x>z</p>"]
)  # fmt: skip


@given(notes, content)
def test_edited_content_reads_back_or_is_refused(noun: Note, edited: str) -> None:
    place = published()
    view = {**note.get(noun, place), "content": edited}
    view.pop("contentMap", None)
    try:
        put = note.put(view, noun, place, NOW)
    except Conflict:
        assert html.clean(edited) != edited
        return
    shown = note.get(put.noun, beside({}, put.override))  # type: ignore[arg-type]
    assert shown["content"] == edited + note.fallback(put.noun, place)  # type: ignore[arg-type]
    assert replace(put.noun, text=noun.text, langs=noun.langs) == noun  # type: ignore[type-var]


@given(notes, st.text(max_size=9), st.booleans())
def test_alternative_texts_and_warnings_can_be_edited(noun: Note, alt: str, warn: bool) -> None:
    place = published()
    view = note.get(noun, place)
    assume(view.get("attachment"))
    for item in view["attachment"]:
        item.pop("name", None)
        if alt:
            item["name"] = alt
    view.pop("sensitive", None)
    if warn:
        view["sensitive"] = True
    urls = [item["url"] for item in view["attachment"]]
    assume(len(set(urls)) == len(urls))
    put = note.put(view, noun, place, NOW)
    shown = note.get(put.noun, place)  # type: ignore[arg-type]
    assert shown["attachment"] == view["attachment"]
    assert shown.get("sensitive") == view.get("sensitive")


@given(notes)
def test_a_note_made_from_its_view_looks_the_same(noun: Note) -> None:
    place = published()
    view = note.get(replace(noun, reply=None, quote=None, images=(), video=None, card=None), place)
    put = note.put(view, None, place, NOW)
    override = put.override
    again = beside(put.annotation, override)
    shown = note.get(put.noun, again)  # type: ignore[arg-type]
    for key in note.EDITABLE:
        assert shown.get(key) == view.get(key)


def test_a_foreign_attachment_is_refused() -> None:
    place = published()
    noun = Note((), NOW)
    view = {**note.get(noun, place), "attachment": [{"url": "https://x.example/a.png"}]}
    with pytest.raises(Unprocessable):
        note.put(view, noun, place, NOW)


def test_an_answer_to_another_server_is_kept_beside_the_note() -> None:
    place, noun = published(), Note((), NOW)
    target = "https://peer.example/notes/1"
    put = note.put({**note.get(noun, place), "inReplyTo": target}, noun, place, NOW)
    assert put.annotation == {"inReplyTo": target}
    assert note.get(noun, beside(put.annotation))["inReplyTo"] == target


@pytest.mark.parametrize("key", ["tag", "id", "attributedTo", "to", "likes", "type"])
def test_what_the_pod_decides_cannot_be_written(key: str) -> None:
    place, noun = published(), Note((), NOW)
    with pytest.raises(Conflict):
        note.put({**note.get(noun, place), key: "https://x.example/"}, noun, place, NOW)


def test_a_property_beside_the_profile_can_be_edited_and_dropped() -> None:
    complement = Complement((Annotation("as2", b'{"x-a":1,"x-b":2}'),))
    place, noun = presented(complement), Profile()
    view = {**profile.get(noun, place, KEYS), "x-a": 3}
    del view["x-b"]
    assert profile.put(view, noun, place, KEYS).annotation == {"x-a": 3}
    with pytest.raises(Conflict):
        profile.put({**view, "inbox": "https://x.example/"}, noun, place, KEYS)


json = st.none() | st.integers() | st.text(max_size=5) | st.lists(st.text(max_size=3), max_size=2)


@given(notes, st.dictionaries(st.sampled_from(sorted(note.EDITABLE | note.DERIVED)), json))
def test_no_view_breaks_the_lens(noun: Note, junk: dict[str, Any]) -> None:
    try:
        note.put({**note.get(noun, published()), **junk}, noun, published(), NOW)
    except PodError:
        return


def presented(complement: Complement = EMPTY) -> Presented:
    resource = replace(published(complement).resource, path=ResourcePath("/repo/x/self"))
    return Presented(ALICE, resource, NAMES, Origin("https://pods.example"))


@given(profiles)
def test_a_profile_written_back_unchanged_is_the_same_profile(noun: Profile) -> None:
    put = profile.put(profile.get(noun, presented(), KEYS), noun, presented(), KEYS)
    assert (put.noun, put.annotation, put.override) == (noun, {}, {})


@given(profiles, st.booleans(), unknown_keys)
def test_settings_and_unknown_properties_are_kept_beside_the_profile(
    noun: Profile, by_hand: bool, unknown: dict[str, Any]
) -> None:
    view = {
        **profile.get(noun, presented(), KEYS), **unknown, "manuallyApprovesFollowers": by_hand,
    }  # fmt: skip
    put = profile.put(view, noun, presented(), KEYS)
    assert put.noun == noun
    complement = Complement((Annotation("as2", orjson.dumps(put.annotation)),))
    shown = profile.get(noun, presented(complement), KEYS)
    assert shown == view
    assert profile.holds_follows(complement) == by_hand


@given(profiles, content)
def test_an_edited_summary_reads_back_or_is_refused(noun: Profile, edited: str) -> None:
    view = {**profile.get(noun, presented(), KEYS), "summary": edited}
    try:
        put = profile.put(view, noun, presented(), KEYS)
    except Conflict:
        assert html.clean(edited) != edited
        return
    overrides = (Override("as2", orjson.dumps(put.override), Cid(bytes(36))),)
    again = presented(Complement((), overrides))
    shown = profile.get(put.noun, again, KEYS)  # type: ignore[arg-type]
    assert shown["summary"] == edited


@given(st.integers(1, 999_999_999))
def test_an_object_id_names_its_path_and_life(generation: int) -> None:
    path = ALICE.path(object_id(ALICE, POST, generation))
    assert path is not None
    assert read_object_path(path) == (POST, generation)
