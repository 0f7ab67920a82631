"""Rich text: where facets hold, where they go when the text is edited, how texts are cut."""

from __future__ import annotations

from typing import Any

import pytest

from pod.model.ids import Did
from pod.model.richtext import (
    LinkTo,
    Mention,
    Segment,
    Tag,
    cut,
    facets,
    graphemes,
    reanchor,
    segments,
)

LINK = {"$type": "app.bsky.richtext.facet#link", "uri": "https://a.example/"}
BOB = Did("did:web:bob.test")


def facet(start: object, end: object, *features: object) -> dict[str, Any]:
    return {"index": {"byteStart": start, "byteEnd": end}, "features": list(features or (LINK,))}


def marked(text: str, words: str) -> dict[str, Any]:
    start = len(text[: text.index(words)].encode())
    return facet(start, start + len(words.encode()))


def covered(text: str, kept: list[dict[str, Any]]) -> list[str]:
    spans = [(f["index"]["byteStart"], f["index"]["byteEnd"]) for f in kept]
    return [text.encode()[start:end].decode() for start, end in spans]


def test_a_facet_marks_bytes_not_characters() -> None:
    assert segments("é bob", [facet(3, 6)]) == (
        Segment("é "),
        Segment("bob", (LinkTo("https://a.example/"),)),
    )


@pytest.mark.parametrize(
    "bad",
    [
        facet(1, 3),
        facet(0, 1),
        facet(3, 3),
        facet(5, 3),
        facet(-1, 3),
        facet(3, 7),
        facet(True, "6"),
        facet(3, 6, {"$type": "com.example.unknown"}),
        facet(3, 6, None, "x", 1),
        {"index": {"byteStart": 3, "byteEnd": 6}, "features": 5},
        {"index": [3, 6], "features": [LINK]},
        {},
    ],
    ids=str,
)
def test_a_facet_that_makes_no_sense_is_left_out(bad: dict[str, Any]) -> None:
    assert segments("é bob", [bad]) == (Segment("é bob"),)


def test_of_two_facets_that_overlap_the_first_counts() -> None:
    kept = segments("abcdef", [facet(2, 5), facet(0, 3)])
    assert [part.text for part in kept] == ["abc", "def"]


@pytest.mark.parametrize(
    ("old", "words", "new"),
    [
        ("see here now", "here", "see here later"),
        ("see here now", "here", "don't see here now"),
        ("see here now", "here", "здесь see 👋 here?"),
        ("see here now", "here", "here"),
        ("one here", "here", "here one"),
        ("(here)", "here", "[here]"),
    ],
)
def test_a_facet_follows_its_words(old: str, words: str, new: str) -> None:
    assert covered(new, reanchor(old, [marked(old, words)], new)) == [words]


@pytest.mark.parametrize(
    ("old", "words", "new"),
    [
        ("see here now", "here", "see her now"),
        ("#cat", "#cat", "#cats"),
        ("a bob b", "bob", "a jimbob b"),
        ("x here y", "here", "here x here, and here"),
        ("here and here", "and here", "here"),
        ("here", "here", ""),
    ],
)
def test_a_facet_whose_words_are_gone_or_in_doubt_is_dropped(
    old: str, words: str, new: str
) -> None:
    assert reanchor(old, [marked(old, words)], new) == []


def test_a_facet_does_not_jump_to_words_that_were_never_marked() -> None:
    old = "bob and bob"
    assert reanchor(old, [facet(8, 11)], "bob and jim") == []


def test_unknown_parts_of_a_facet_move_along() -> None:
    whole = {**facet(0, 3, {"$type": "com.example.unknown"}), "more": 1}
    [moved] = reanchor("bob", [whole], "hi bob")
    assert moved == {**whole, "index": {"byteStart": 3, "byteEnd": 6}}


def test_graphemes_are_what_a_person_counts() -> None:
    assert graphemes("abc\r\n") == 4
    assert graphemes("🏳️\u200d🌈e\u0301") == 2


def test_a_short_text_is_not_cut() -> None:
    assert cut("a" * 300) == "a" * 300


def test_a_long_text_ends_in_an_ellipsis_between_characters() -> None:
    flag = "🏳️\u200d🌈"
    assert cut("a" * 301) == "a" * 299 + "…"
    assert cut("ab " * 200, max_graphemes=4) == "ab…"
    assert cut(flag * 300) == flag * 214 + "…"


def test_facets_are_the_inverse_of_segments() -> None:
    text = "é @bob #tag"
    parts = (
        Segment("é "),
        Segment("@bob", (Mention(BOB),)),
        Segment(" "),
        Segment("#tag", (Tag("tag"), LinkTo("https://a.example/"))),
    )
    assert facets(parts)[0] == text
    assert segments(*facets(parts)) == parts
