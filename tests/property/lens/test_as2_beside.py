"""The laws of what stands beside a record: warnings, polls, long words, facts of pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.activitypub.blurhash import encode
from adapters.activitypub.jsonld.context import PUBLIC
from adapters.activitypub.lens import article, html, note, poll, readable
from adapters.activitypub.lens.published import Published, Put, beside
from pod.errors import Conflict, PodError, Unprocessable
from pod.model.article import Article
from pod.model.ids import Iri
from pod.model.note import Note
from pod.model.resource import EMPTY
from pod.model.richtext import Segment, graphemes
from pod.records.lens import note as note_records
from tests.kit.nouns import notes, segment_lists, unknown_keys, words
from tests.property.lens.test_as2_laws import NOW, published

URL = Iri("https://alice.example/repo/app.bsky.feed.post/3mtcccccccc2c")
warnings = st.none() | st.text(min_size=1, max_size=120)
options = st.lists(words, min_size=2, max_size=20, unique=True)
polls = st.none() | options.map(
    lambda names: {"oneOf": [{"type": "Note", "name": name} for name in names]}
)
long_words = st.lists(segment_lists, max_size=4).map(
    lambda parts: readable.joined([segment for part in parts for segment in part] * 9)
)


def said(warning: str | None, asked: dict[str, Any] | None) -> dict[str, Any]:
    return ({"summary": warning} if warning else {}) | (asked or {})


def after(put: Put) -> Published:
    """Where a note stands after a put."""
    return published(beside(put, published().resource.cid, EMPTY))


@given(long_words, warnings, polls)
def test_a_record_can_always_hold_the_words(
    text: tuple[Segment, ...], warning: str | None, asked: dict[str, Any] | None
) -> None:
    whole = "".join(s.text for s in readable.wrap(text, said(warning, asked), URL))
    assert graphemes(whole) <= 300
    assert len(whole.encode()) <= 3000


@given(segment_lists, warnings, polls)
def test_the_authors_own_words_are_found_again(
    text: tuple[Segment, ...], warning: str | None, asked: dict[str, Any] | None
) -> None:
    wrapped = readable.wrap(text, said(warning, asked), URL)
    if readable.MORE not in "".join(segment.text for segment in wrapped):
        assert readable.unwrap(wrapped, said(warning, asked)) == text


@given(long_words)
def test_words_that_are_too_many_end_in_a_link_to_the_whole(text: tuple[Segment, ...]) -> None:
    whole = "".join(segment.text for segment in text)
    cut = readable.wrap(text, {}, URL)
    if graphemes(whole) <= 300 and len(whole.encode()) <= 3000:
        assert cut == text
    else:
        assert cut[-1].text == readable.MORE
        assert "".join(segment.text for segment in cut[:-1]).rstrip() in whole


contents = st.sampled_from(
    [
        "<p>Plain</p>",
        "<p>a</p><ul><li>b</li></ul>",
        f"<p>{'long words ' * 60}</p>",
        "",
        "<p>Some :party: for :nobody:</p>",
    ]
)


FOLLOWERS = f"{published().author.origin}/followers"
audiences = st.sampled_from([([PUBLIC], [FOLLOWERS]), ([FOLLOWERS], [PUBLIC])])


@given(contents, warnings, polls, unknown_keys, audiences)
def test_a_new_note_reads_back_as_it_was_said(
    content: str,
    warning: str | None,
    asked: dict[str, Any] | None,
    unknown: dict[str, Any],
    to: tuple[list[str], list[str]],
) -> None:
    audience = dict(zip(("to", "cc"), to, strict=True))
    view = {"type": "Note", "content": content, **audience, **said(warning, asked), **unknown}
    put = note.put(view, None, published(), NOW)
    assert isinstance(put.noun, Note)
    shown = note.get(put.noun, after(put))
    assert (shown["to"], shown["cc"]) == to
    words = [tag["name"] for tag in shown.get("tag", []) if tag["type"] == "Emoji"]
    assert words == ([":party:"] if ":party:" in content else [])
    if words and not warning and not asked:
        assert put.noun.plain_text == "Some :party: for :nobody:"
    assert shown["content"] == content
    assert shown.get("summary") == warning
    assert shown["type"] == ("Question" if asked else "Note")
    assert poll.choices(shown) == poll.choices(asked or {})
    assert {key: shown[key] for key in unknown} == unknown
    assert bool(shown.get("sensitive")) == (warning is not None)
    again = note.put(shown, put.noun, after(put), NOW)
    assert again == put
    record = note_records.put(put.noun)
    assert note_records.get(record) == put.noun


@given(notes, warnings)
def test_a_warning_is_put_before_the_words_and_taken_away_again(
    noun: Note, warning: str | None
) -> None:
    first = note.put({**note.get(noun, published()), "summary": warning}, noun, published(), NOW)
    assert isinstance(first.noun, Note)
    shown = note.get(first.noun, after(first))
    assert shown.get("summary") == warning
    bare = {key: value for key, value in shown.items() if key != "summary"}
    second = note.put(bare, first.noun, after(first), NOW)
    assert isinstance(second.noun, Note)
    if readable.MORE not in first.noun.plain_text:
        assert replace(second.noun, labels=noun.labels) == noun
    assert "summary" not in second.annotation


def test_an_edit_on_the_other_network_keeps_warning_and_poll() -> None:
    view = {"type": "Question", "content": "<p>Which?</p>", "summary": "fruit",
            "oneOf": [{"type": "Note", "name": name} for name in ("Apples", "Pears")]}  # fmt: skip
    put = note.put(view, None, published(), NOW)
    assert isinstance(put.noun, Note)
    assert put.noun.plain_text == "[fruit]\n\nWhich?\n\n○ Apples\n○ Pears"
    edited = replace(put.noun, text=(Segment("All anew"),))
    shown = note.get(edited, after(put))
    assert (shown["content"], shown["summary"]) == ("<p>All anew</p>", "fruit")
    assert poll.choices(shown) == ["Apples", "Pears"]


facts = st.fixed_dictionaries(
    {},
    optional={
        "blurhash": st.just("LEHV6nWB2yk8pyo0adR*.7kCMdnj"),
        "focalPoint": st.lists(st.floats(-1, 1), min_size=2, max_size=2),
    },
)


@given(notes.filter(lambda noun: len({i.blob.cid for i in noun.images}) == len(noun.images)), facts)
def test_facts_of_pictures_that_no_record_holds_come_back(noun: Note, more: dict[str, Any]) -> None:
    view = note.get(noun, published())
    pictures = [{**item, **more} for item in view.get("attachment", [])]
    view |= {"attachment": pictures} if pictures else {}
    put = note.put(view, noun, published(), NOW)
    assert put.noun == noun
    shown = note.get(noun, after(put))
    assert shown.get("attachment", []) == pictures
    assert "_" not in shown
    assert note.put(shown, noun, after(put), NOW) == put


articles = st.builds(
    Article,
    title=words,
    content=st.sampled_from(["# A\n\nb *c*", "plain", "<p>x</p>\n"]),
    format=st.just("markdown"),
    created_at=st.just(NOW),
    summary=st.none() | words,
)


@given(articles, unknown_keys)
def test_an_article_written_back_unchanged_is_the_same(
    noun: Article, unknown: dict[str, Any]
) -> None:
    view = {**article.get(noun, published()), **unknown}
    put = article.put(view, noun, published(), NOW)
    assert (put.noun, put.annotation, put.override) == (noun, unknown, {})
    assert article.put(article.get(noun, after(put)), noun, after(put), NOW) == put


@given(words, st.sampled_from(["<p>a</p>", "<p>a</p><ul><li>b</li></ul>", "<pre>x\n\n y</pre>"]))
def test_a_new_article_reads_back_as_it_was_said(title: str, content: str) -> None:
    put = article.put({"name": title, "content": content}, None, published(), NOW)
    assert isinstance(put.noun, Article)
    shown = article.get(put.noun, after(put))
    assert (shown["name"], shown["content"]) == (title, content)
    assert html.plain(shown["preview"]["content"]).startswith(title.replace("\n", " "))


def test_an_article_without_a_name_and_words_that_cannot_be_kept_are_refused() -> None:
    with pytest.raises(Unprocessable):
        article.put({"content": "<p>x</p>"}, None, published(), NOW)
    with pytest.raises(Conflict):
        article.put({"name": "A", "content": "<script>x</script>"}, None, published(), NOW)


json = st.none() | st.integers() | st.text(max_size=5) | st.lists(st.text(max_size=3), max_size=2)


@given(st.dictionaries(st.sampled_from(sorted(note.EDITABLE | note.DERIVED | poll.KEYS)), json))
def test_no_new_note_breaks_the_lens(junk: dict[str, Any]) -> None:
    try:
        put = note.put(junk, None, published(), NOW)
    except PodError:
        return
    orjson.dumps(note.get(put.noun, after(put)))  # type: ignore[arg-type]


@given(st.tuples(*[st.floats(0, 1)] * 3), st.integers(1, 8), st.integers(1, 8))
def test_one_colour_is_a_blurhash_of_that_colour(
    colour: tuple[float, float, float], width: int, height: int
) -> None:
    made = encode([colour] * (width * height), width, height)
    assert len(made) == 28
    assert made[0] == "L"
