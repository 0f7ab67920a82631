"""Words as safe HTML: rich text with its links, plain descriptions, Markdown, moments.

Spec: https://microformats.org/wiki/h-entry, https://html.spec.whatwg.org/#the-time-element
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlsplit

from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from pod.errors import Invalid
from pod.model.ids import Did, parse_datetime
from pod.model.richtext import LinkTo, Mention, Segment, Tag
from pod.ports import Reader

_ELSEWHERE: Final = "https://bsky.app/profile"
_BARE_LINK: Final = re.compile(r"https?://[^\s<>\"')\]]{3,2000}[^\s<>\"')\].,;:!?]")
_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False}).disable("image")


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as the ``<time>`` element wants it: ``iso`` for machines, ``text`` for people."""

    iso: str
    text: str


def moment(claimed: str | None, known: datetime) -> Moment:
    """The author's time where it can be read, else the time that the pod knows."""
    at = known
    if claimed is not None:
        try:
            at = parse_datetime(claimed)
        except Invalid:
            at = known
    iso = at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return Moment(iso, f"{at.day} {at:%B} {at.year:04}, {at:%H:%M} UTC")


class People:
    """Where mentions and hashtags of one author lead."""

    def __init__(self, reader: Reader, origin: str) -> None:
        self._reader = reader
        self._origin = origin

    def profile_url(self, did: str) -> str:
        """The page of a person: their own where they live here."""
        member = self._reader.member_by_did(Did(did))
        return member.webid if member is not None else f"{_ELSEWHERE}/{did}"

    def tag_url(self, tag: str) -> str:
        """The author's posts with a tag."""
        return f"{self._origin}/?tag={quote(tag, safe='')}"


def post_url(uri: str) -> str | None:
    """Where a post of another server can be read; None for what is no post's at-uri."""
    parts = uri.removeprefix("at://").split("/")
    if len(parts) != 3 or not parts[0].startswith("did:"):
        return None
    return f"{_ELSEWHERE}/{quote(parts[0], safe=':')}/post/{quote(parts[2], safe='')}"


def is_web(url: str) -> bool:
    """Whether a URL may stand in a link: http and https only."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def rich(text: Sequence[Segment], people: People) -> Markup:
    """Rich text as one run of HTML; line breaks become ``<br>``."""
    return Markup("").join(_segment(segment, people) for segment in text)


def _segment(segment: Segment, people: People) -> Markup:
    words = _lines(segment.text)
    for feature in segment.features:
        match feature:
            case Mention(did=did):
                return _link(people.profile_url(did), words, "u-url mention")
            case Tag(tag=tag):
                return _link(people.tag_url(tag), words, "p-category", "tag")
            case LinkTo(uri=uri) if is_web(uri):
                return _link(uri, words, "link", "nofollow noopener")
    return words


def _lines(text: str) -> Markup:
    return Markup("<br>\n").join(text.replace("\r\n", "\n").split("\n"))


def _link(href: str, words: Markup, classes: str, rel: str = "") -> Markup:
    extra = Markup(' rel="{}"').format(rel) if rel else Markup("")
    return Markup('<a class="{}" href="{}"{}>{}</a>').format(classes, href, extra, words)


def described(text: str) -> Markup:
    """A plain description with line breaks, its web addresses made links."""
    made = []
    at = 0
    for match in _BARE_LINK.finditer(text):
        made.append(_lines(text[at : match.start()]))
        shown = escape(match[0].split("://", 1)[1])
        made.append(_link(match[0], shown, "link", "nofollow noopener"))
        at = match.end()
    return Markup("").join([*made, _lines(text[at:])])


def markdown(text: str) -> Markup:
    """Markdown as HTML below a page's own title; raw HTML is shown as text, images are left out."""
    tokens = _MARKDOWN.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 1)}"
    html = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return Markup(html)  # noqa: S704  the renderer escapes, html is off


def paragraphs(text: str) -> Markup:
    """Plain text as paragraphs."""
    blocks = [block for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")) if block.strip()]
    return Markup("\n").join(Markup("<p>{}</p>").format(_lines(block)) for block in blocks)


def excerpt(text: str, length: int = 80) -> str:
    """The first words of a text on one line, for titles and descriptions."""
    line = " ".join(text.split())
    if len(line) <= length:
        return line
    return line[:length].rsplit(" ", 1)[0].rstrip(".,;:") + "…"
