"""The words of a note as HTML that fediverse servers keep, and such HTML as words with features.

``render(read(html)) == html`` for all HTML that `render` made: an edit that changes nothing
changes nothing.

Spec: https://docs.joinmastodon.org/spec/activitypub/#sanitization
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from html.parser import HTMLParser
from typing import Final, Protocol

import nh3

from pod.model.richtext import Feature, LinkTo, Mention, Segment, Tag

KEPT: Final = {
    "a", "b", "blockquote", "br", "code", "del", "em", "i", "li", "ol", "p", "pre", "s", "span",
    "strong", "u", "ul",
}  # fmt: skip
_ATTRIBUTES: Final = {
    "a": {"href", "class", "rel"},
    "span": {"class"},
    "ol": {"start", "reversed"},
    "li": {"value"},
}
_SCHEMES: Final = {"http", "https", "mailto", "at", "dat", "dweb", "ipfs", "ipns", "ssb",
                   "gopher", "xmpp", "magnet", "gemini"}  # fmt: skip
_CLASS: Final = re.compile(r"(?:h|p|u|dt|e)-[\w-]+|mention|hashtag|ellipsis|invisible")
_HEADINGS: Final = re.compile(r"<(/?)h[1-6](?:\s[^>]{0,500})?>", re.IGNORECASE)
_BLOCKS: Final = frozenset({"p", "blockquote", "pre", "ul", "ol"})
_WEB: Final = re.compile(
    r"https?://[A-Za-z0-9\u00a1-\ud7ff\uf900-\uffdc_.-]{1,253}(?::[0-9]{1,5})?(?:[/?#][^\s\x00-\x20\x7f\ud800-\udfff]*)?"
)
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufdd0-\ufdef\ufffe\uffff]|[\ud800-\udfff]")


class People(Protocol):
    """How persons are named in HTML: a pure rule for members of this pod and for other DIDs."""

    def profile_url(self, did: str) -> str:
        """Where a person is shown; the actor's id for members of this pod."""
        ...

    def did_at(self, url: str) -> str | None:
        """The inverse of `profile_url`."""
        ...

    def tag_url(self, tag: str) -> str:
        """Where a hashtag of the author leads."""
        ...

    def tag_at(self, url: str) -> str | None:
        """The inverse of `tag_url`."""
        ...


def clean(html: str) -> str:
    """Somebody's HTML with only what Mastodon keeps; headings become strong paragraphs."""
    html = _HEADINGS.sub(lambda m: "</strong></p>" if m.group(1) else "<p><strong>", html)
    return nh3.clean(
        html,
        tags=KEPT,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel=None,
        attribute_filter=_keep_classes,
    )


def render(text: Sequence[Segment], people: People) -> str:
    """Words with features as paragraphs, line breaks, links, mentions and hashtags."""
    html = "".join(
        _breaks(len(run.text)) if run.text[0] == "\n" else _with_feature(run, people)
        for run in _runs(text)
    )
    return f"<p>{html}</p>" if html else ""


def read(html: str, people: People) -> tuple[Segment, ...]:
    """The words and features of HTML, whoever wrote it."""
    reader = _Reader(people)
    reader.feed(clean(html))
    reader.close()
    return reader.segments()


def plain(html: str) -> str:
    """The words of HTML alone, for the names of things."""
    reader = _Reader(None)
    reader.feed(clean(html))
    reader.close()
    return "".join(segment.text for segment in reader.segments())


def is_web(url: str) -> bool:
    """Whether an address may stand in a link."""
    return _WEB.fullmatch(url) is not None


def is_handle_text(text: str) -> bool:
    """Whether the words of a link name a person rather than a page."""
    return re.fullmatch(r"@[^\s@]{1,100}(?:@[^\s@]{1,253})?", text) is not None


def _visible(text: str) -> str:
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _runs(text: Sequence[Segment]) -> Iterator[Segment]:
    """The text cut into words and line breaks; breaks have no features and are never neighbours."""
    breaks = ""
    for segment in text:
        for piece in re.split(r"(\n+)", _visible(segment.text)):
            if piece.startswith("\n"):
                breaks += piece
            elif piece:
                if breaks:
                    yield Segment(breaks)
                    breaks = ""
                yield Segment(piece, segment.features)
    if breaks:
        yield Segment(breaks)


def _breaks(count: int) -> str:
    return "</p><p>" * (count // 2) + "<br>" * (count % 2)


def _with_feature(run: Segment, people: People) -> str:
    words = escape(run.text, quote=False)
    for feature in run.features:
        match feature:
            case Mention(did=did):
                return _link(people.profile_url(did), words, 'class="u-url mention"')
            case Tag(tag=tag):
                return _link(people.tag_url(tag), words, 'class="mention hashtag" rel="tag"')
            case LinkTo(uri=uri) if is_web(uri):
                person = is_handle_text(run.text)
                kind = 'class="u-url mention"' if person else 'rel="nofollow noopener"'
                return _link(uri, words, kind)
    return words


def _link(href: str, words: str, attributes: str) -> str:
    return f'<a href="{escape(href)}" {attributes}>{words}</a>'


def _keep_classes(tag: str, attribute: str, value: str) -> str | None:
    if attribute != "class":
        return value
    kept = [name for name in value.split() if _CLASS.fullmatch(name)]
    return " ".join(kept) if kept and tag in ("a", "span") else None


class _Reader(HTMLParser):
    """Walks clean HTML and gathers segments."""

    def __init__(self, people: People | None) -> None:
        super().__init__(convert_charrefs=True)
        self._people = people
        self._found: list[Segment] = []
        self._link: dict[str, str] | None = None
        self._words: list[str] = []
        self._hidden: list[str] = []
        self._has_block = False

    def segments(self) -> tuple[Segment, ...]:
        """What was gathered, neighbours with the same features joined."""
        joined: list[Segment] = []
        for segment in self._found:
            if joined and not segment.features and not joined[-1].features:
                joined[-1] = Segment(joined[-1].text + segment.text)
            elif segment.text:
                joined.append(segment)
        return tuple(joined)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _BLOCKS:
            self._open_block()
        elif tag == "br":
            self._say("\n")
        elif tag == "li":
            self._say("\n• " if self._found else "• ")
        elif tag == "a":
            self._link, self._words = given, []
        elif tag == "span":
            self._hidden.append(given.get("class", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link is not None:
            link, self._link = self._link, None
            words = "".join(self._words)
            feature = self._feature(link, words)
            self._found.append(Segment(words, (feature,) if feature else ()))
        elif tag == "span" and self._hidden and self._hidden.pop() == "ellipsis":
            self._say("…")

    def handle_data(self, data: str) -> None:
        if "invisible" not in self._hidden:
            self._say(data.replace("\n", " "))

    def _open_block(self) -> None:
        if self._has_block:
            self._say("\n\n")
        self._has_block = True

    def _say(self, words: str) -> None:
        if self._link is not None:
            self._words.append(words)
        else:
            self._found.append(Segment(words))

    def _feature(self, link: dict[str, str], words: str) -> Feature | None:
        href, classes = link.get("href", ""), link.get("class", "").split()
        if self._people is None or not words:
            return None
        if "hashtag" in classes:
            tag = self._people.tag_at(href) or words.removeprefix("#")
            return Tag(tag) if tag else None
        if "mention" in classes and (did := self._people.did_at(href)) is not None:
            return Mention(did)
        return LinkTo(href) if is_web(href) else None
