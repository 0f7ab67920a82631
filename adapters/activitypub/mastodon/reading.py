"""What an app shows of a post's words, whichever kind of thing it is.

Notes and questions are shown as they are. What is longer, or no text at all (articles, pages of
forums, films, sounds, events), has its title first, a link to the whole, and no content warning:
there ``summary`` is a short form of the words.

Spec: https://docs.joinmastodon.org/spec/activitypub/#payloads
"""

from __future__ import annotations

from html import escape
from typing import Final

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import html
from adapters.activitypub.mastodon.nodes import page_of
from adapters.activitypub.mastodon.words import html_of_plain

LONG: Final = frozenset({"Article", "Page", "Video", "Audio", "Event", "Image"})
POSTS: Final = LONG | {"Note", "Question"}
_PLAIN: Final = ("text/plain", "text/markdown")


def words(node: Node) -> str:
    """The words of a post as clean HTML."""
    content = read.text(node, "content") or ""
    if (read.text(node, "mediaType") or "").startswith(_PLAIN):
        content = html_of_plain(content)
    if read.types(node).isdisjoint(LONG):
        return html.clean(content)
    title = html.plain(read.text(node, "name") or "")
    summary = read.text(node, "summary") or ""
    if not content and html.plain(summary) != title:
        content = f"<p>{summary}</p>"
    if title:
        page = escape(page_of(node) or read.id_of(node) or "")
        shown = escape(title, quote=False)
        content = f'<p><strong><a href="{page}">{shown}</a></strong></p>{content}'
    return html.clean(content)


def warning(node: Node) -> str:
    """What a post warns of, as plain words."""
    is_short = read.types(node).isdisjoint(LONG)
    return html.plain(read.text(node, "summary") or "") if is_short else ""


def language(node: Node) -> str | None:
    """The language of a post: of its words, or as Lemmy and PeerTube name it."""
    mapped = node.get("contentMap")
    if isinstance(mapped, dict) and mapped:
        return str(next(iter(mapped)))
    named = read.text(read.node(node, "language") or {}, "identifier")
    return named if named != "und" else next(iter(read.text_map(node, "content")), None)
