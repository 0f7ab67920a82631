"""Laws of rich text: round trips, edits that change nothing, and whole characters always."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pod.model.richtext import Segment, cut, facets, graphemes, reanchor, segments
from tests.kit.nouns import segment_lists

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    [
        "e\u0301",
        "👨\u200d👩\u200d👧",
        "🏳️\u200d🌈",
        "\r\n",
        "あ",
        "@bob.test #tag https://a.example/",
    ]
)
texts = st.lists(words, max_size=5).map("".join)
numbers = st.integers(-2, 60)
wild_facets = st.lists(
    st.builds(
        lambda start, end: {
            "index": {"byteStart": start, "byteEnd": end},
            "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "t"}],
        },
        numbers,
        numbers,
    ),
    max_size=5,
)


def spans(found: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(f["index"]["byteStart"], f["index"]["byteEnd"]) for f in found]


@given(segment_lists)
def test_segments_survive_their_facets(parts: tuple[Segment, ...]) -> None:
    assert segments(*facets(parts)) == parts


@given(texts, wild_facets)
def test_no_facet_loses_a_letter_of_the_text(text: str, wild: list[dict[str, Any]]) -> None:
    parts = segments(text, wild)
    assert "".join(part.text for part in parts) == text
    assert all(part.text for part in parts)
    assert facets(parts)[0] == text


@given(texts, wild_facets)
def test_an_edit_that_changes_nothing_moves_no_facet(text: str, wild: list[dict[str, Any]]) -> None:
    _, valid = facets(segments(text, wild))
    assert reanchor(text, valid, text) == valid


@given(texts, wild_facets, texts)
def test_a_facet_that_survives_marks_the_same_words(
    old: str, wild: list[dict[str, Any]], new: str
) -> None:
    _, valid = facets(segments(old, wild))
    marked = {old.encode()[start:end].decode() for start, end in spans(valid)}
    for start, end in spans(reanchor(old, wild, new)):
        assert new.encode()[start:end].decode()
    for start, end in spans(reanchor(old, valid, new)):
        assert new.encode()[start:end].decode() in marked


@given(texts, wild_facets, texts)
def test_words_put_before_or_after_a_text_leave_its_facets_whole(
    text: str, wild: list[dict[str, Any]], more: str
) -> None:
    _, valid = facets(segments(text, wild))
    assert reanchor(text, valid, f"{text} {more}") == valid
    # A first letter that the text does not share leaves no doubt about where the old words went.
    before = f"{'b' if text.startswith('a') else 'a'}{more} "
    shift = len(before.encode())
    moved = reanchor(text, valid, before + text)
    assert spans(moved) == [(start + shift, end + shift) for start, end in spans(valid)]


@given(texts, st.integers(1, 40), st.integers(3, 90))
def test_a_cut_text_keeps_both_limits_and_only_whole_characters(
    text: str, max_graphemes: int, max_bytes: int
) -> None:
    short = cut(text, max_graphemes, max_bytes)
    assert len(short.encode()) <= max_bytes
    assert graphemes(short) <= max_graphemes
    assert short == text or text.startswith(short.removesuffix("…"))
    assert cut(short, max_graphemes, max_bytes) == short
