"""Words become HTML that says the same words, and nothing but links and line breaks besides."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.console.words import (
    People,
    described,
    excerpt,
    is_web,
    markdown,
    moment,
    paragraphs,
    post_url,
    rich,
)
from pod.model.richtext import LinkTo, Mention, Segment, Tag
from storage.in_memory import MemoryStore
from tests.kit.pages import Page

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PEOPLE = People(MemoryStore(), "https://alice.example")

words = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), min_size=1, max_size=30)
features = st.one_of(
    st.builds(Mention, st.just("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa")),
    st.builds(LinkTo, words | words.map(lambda text: f"https://x.example/{text}")),
    st.builds(Tag, words),
)
segments = st.lists(
    st.builds(Segment, words, st.lists(features, max_size=2).map(tuple)), max_size=6
)
spiky = st.text(st.sampled_from("<>&\"'/: .abhtps\n"), max_size=60)


@given(segments)
def test_rich_text_keeps_its_words_and_makes_only_links_and_breaks(text: list[Segment]) -> None:
    page = Page(f"<main>{rich(text, PEOPLE)}</main>")
    said = "".join(segment.text for segment in text)
    assert page.elements[0].text.replace("\n", "") == said.replace("\n", "")
    assert {element.tag for element in page.elements} <= {"main", "a", "br"}
    assert all(is_web(link.attributes["href"]) for link in page.all("a"))


@given(spiky | words)
def test_a_description_is_only_words_and_web_links(text: str) -> None:
    page = Page(f"<main>{described(text)}</main>")
    assert {element.tag for element in page.elements} <= {"main", "a", "br"}
    assert all(is_web(link.attributes["href"]) for link in page.all("a"))
    assert not [e for e in page.elements if set(e.attributes) - {"class", "href", "rel"}]


@given(spiky | words)
def test_paragraphs_and_markdown_never_carry_markup_of_the_writer(text: str) -> None:
    Page(f"<main>{paragraphs(text)}</main>")
    page = Page(f"<main>{markdown(text + '<script>x</script><img src=x onerror=y>')}</main>")
    assert not page.all("script")
    assert not page.all("img")


def test_addresses_in_a_description_are_links_without_their_punctuation() -> None:
    html = described("See https://a.example/b?c=d, (https://e.example) or http://f.example.")
    page = Page(f"<main>{html}</main>")
    targets = [link.attributes["href"] for link in page.all("a")]
    assert targets == ["https://a.example/b?c=d", "https://e.example", "http://f.example"]


@pytest.mark.parametrize(
    ("claimed", "iso"),
    [
        ("2026-11-24T12:00:00.123Z", "2026-11-24T12:00:00Z"),
        ("2026-11-24T12:00:00+02:00", "2026-11-24T10:00:00Z"),
        ("yesterday", "2026-01-02T03:04:05Z"),
        (None, "2026-01-02T03:04:05Z"),
    ],
)
def test_the_authors_time_counts_where_it_can_be_read(claimed: str | None, iso: str) -> None:
    assert moment(claimed, NOW).iso == iso


@given(st.datetimes(timezones=st.just(UTC)))
def test_any_time_has_words(at: datetime) -> None:
    assert moment(None, at).text.endswith(" UTC")


@given(st.text(max_size=300), st.integers(10, 100))
def test_an_excerpt_is_one_short_line(text: str, length: int) -> None:
    line = excerpt(text, length)
    assert len(line) <= length + 1
    assert "\n" not in line


@pytest.mark.parametrize("uri", ["at://alice.example/x/y", "https://x", "at://did:plc:a", ""])
def test_what_is_no_at_uri_of_a_record_leads_nowhere(uri: str) -> None:
    assert post_url(uri) is None
