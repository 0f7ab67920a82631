"""Words to HTML and back: the law for our own, and the forms that peers send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.activitypub.lens import html
from pod.model.richtext import LinkTo, Mention, Segment, Tag


class People:
    """A town with one member."""

    def profile_url(self, did: str) -> str:
        if did == "did:plc:alice":
            return "https://alice.example/me"
        return "https://elsewhere.example/" + did

    def did_at(self, url: str) -> str | None:
        if url == "https://alice.example/me":
            return "did:plc:alice"
        prefix = "https://elsewhere.example/"
        return url.removeprefix(prefix) if url.startswith(prefix) else None

    def tag_url(self, tag: str) -> str:
        return "https://alice.example/?tag=" + tag.encode().hex()

    def tag_at(self, url: str) -> str | None:
        prefix = "https://alice.example/?tag="
        return bytes.fromhex(url.removeprefix(prefix)).decode() if url.startswith(prefix) else None


TOWN = People()
words = st.text(max_size=12) | st.sampled_from(
    ["\n", "\n\n", "a\n\n\nb", " ", "\t", "<p>&amp;</p>", "@bob@peer.example", "#tag", "\r\n", "•"]
)
urls = st.sampled_from(
    ["https://coop.example/harvest?a=1&b=2#c", "http://x.test:8080", "https://é.example/ü\"'",
     "javascript:alert(1)", "https://alice.example/me", "not a url", "https://a b"]
)  # fmt: skip
features = (
    st.builds(Mention, st.sampled_from(["did:plc:alice", "did:plc:bob"]))
    | st.builds(LinkTo, urls)
    | st.builds(Tag, st.text(min_size=1, max_size=6))
)
texts = st.lists(
    st.builds(Segment, words, st.lists(features, max_size=2).map(tuple)), max_size=6
).map(tuple)


@given(texts)
def test_html_that_we_made_reads_back_to_itself(text: tuple[Segment, ...]) -> None:
    made = html.render(text, TOWN)
    assert html.render(html.read(made, TOWN), TOWN) == made


visible = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn")) | st.sampled_from("\n\t"))


@given(visible)
def test_plain_words_survive(text: str) -> None:
    assert html.plain(html.render((Segment(text),), TOWN)) == text


def test_control_characters_do_not_survive() -> None:
    assert html.plain(html.render((Segment("a\x00\x1f\r\nb\x7f"),), TOWN)) == "a\nb"


@given(texts)
def test_what_we_make_is_clean(text: tuple[Segment, ...]) -> None:
    made = html.render(text, TOWN)
    assert html.plain(html.clean(made)) == html.plain(made)
    assert "javascript:" not in _hrefs(made)


def _hrefs(made: str) -> str:
    return " ".join(part.split('"')[1] for part in made.split("<a href=")[1:])


def test_a_note_looks_as_mastodon_expects() -> None:
    text = (
        Segment("Thanks "),
        Segment("@alice", (Mention("did:plc:alice"),)),
        Segment(" & see "),
        Segment("coop.example", (LinkTo("https://coop.example/?a=1&b"),)),
        Segment("\n\nBye\n"),
        Segment("#Sun", (Tag("Sun"),)),
    )
    assert html.render(text, TOWN) == (
        '<p>Thanks <a href="https://alice.example/me" class="u-url mention">@alice</a> &amp; see '
        '<a href="https://coop.example/?a=1&amp;b" rel="nofollow noopener">coop.example</a></p>'
        '<p>Bye<br><a href="https://alice.example/?tag=53756e" class="mention hashtag" rel="tag">'
        "#Sun</a></p>"
    )


def test_mastodons_html_is_read_with_its_features() -> None:
    theirs = (
        '<p><span class="h-card" translate="no"><a href="https://alice.example/me" '
        'class="u-url mention">@<span>alice</span></a></span> look: '
        '<a href="https://news.example/a/long/path" target="_blank" rel="nofollow">'
        '<span class="invisible">https://</span><span class="ellipsis">news.example/a/lo</span>'
        '<span class="invisible">ng/path</span></a></p>'
        '<p><a href="https://peer.example/tags/sun" class="mention hashtag" rel="tag">'
        "#<span>Sun</span></a></p>"
    )
    assert html.read(theirs, TOWN) == (
        Segment("@alice", (Mention("did:plc:alice"),)),
        Segment(" look: "),
        Segment("news.example/a/lo…", (LinkTo("https://news.example/a/long/path"),)),
        Segment("\n\n"),
        Segment("#Sun", (Tag("Sun"),)),
    )


def test_a_mention_of_a_fediverse_actor_stays_a_mention() -> None:
    made = html.render(
        (Segment("@bob@peer.example", (LinkTo("https://peer.example/users/bob"),)),), TOWN
    )
    assert 'class="u-url mention"' in made


@pytest.mark.parametrize(
    ("dirty", "kept"),
    [
        ("<script>alert(1)</script>hi", "hi"),
        ('<a href="javascript:alert(1)" onclick="x()">x</a>', "<a>x</a>"),
        ('<p class="mention evil" style="x">a</p>', "<p>a</p>"),
        ('<span class="mention evil p-x">a</span>', '<span class="mention p-x">a</span>'),
        ("<h2 id=x>T</h2>b", "<p><strong>T</strong></p>b"),
        ("<img src=x onerror=y>", ""),
        ('<ol start="3"><li value="4">a</li></ol>', '<ol start="3"><li value="4">a</li></ol>'),
    ],
)
def test_only_what_mastodon_keeps_is_kept(dirty: str, kept: str) -> None:
    assert html.clean(dirty) == kept


@given(st.text(max_size=300))
def test_no_html_breaks_the_reader(dirty: str) -> None:
    html.read(dirty, TOWN)


def test_lists_and_quotes_become_lines() -> None:
    theirs = "<ul><li>one</li><li>two</li></ul><blockquote><p>said</p></blockquote>"
    assert html.plain(theirs) == "• one\n• two\n\n\n\nsaid"
