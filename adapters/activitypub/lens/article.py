"""Article <-> AS2 Article, with a Note to show where articles are not known (`preview`).

Spec: https://www.w3.org/TR/activitystreams-vocabulary/#dfn-article and https://w3id.org/fep/b2b8
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Final

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import html, leaflet
from adapters.activitypub.lens.published import (
    INTERNAL,
    Published,
    Put,
    View,
    addressed,
    require_shown,
)
from pod.errors import Unprocessable
from pod.model.article import Article
from pod.model.richtext import Segment

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

EDITABLE: Final = frozenset({"name", "content", "source", "summary", "published"})
"""What a writer of the view may change."""

DERIVED: Final = frozenset(
    {"@context", "id", "type", "url", "attributedTo", "updated", "to", "cc", "tag", "image",
     "preview", "replies", "likes", "shares", INTERNAL}
)  # fmt: skip
"""What follows from the rest."""

_MARKDOWN_TYPE: Final = "text/markdown"


def get(article: Article, published: Published) -> View:
    """The article as AS2, without context."""
    return _view(article, published, published.annotation, published.override)


def put(view: Node, before: Article | None, published: Published, now: str) -> Put:
    """What an edited view means for the article: of its text Markdown goes before HTML.

    Raises Unprocessable for an article without title, Conflict for what cannot be kept.
    """
    is_new = before is None
    article = before or Article("", "", "markdown", read.text(view, "published") or now)
    shown = {} if is_new else get(article, published)
    override = {} if is_new else published.override
    changed = {key for key in EDITABLE if view.get(key) != shown.get(key)}
    if "name" in changed:
        article = replace(article, title=read.text(view, "name") or "")
    if "summary" in changed:
        article = replace(article, summary=read.text(view, "summary"))
    if "published" in changed and not is_new:
        article = replace(article, created_at=read.text(view, "published"))
    source = _markdown(view) if "source" in changed else None
    if source is not None:
        article, override = replace(article, content=source), {}
    elif "content" in changed:
        given = html.clean(read.text(view, "content") or "")
        article = replace(
            article, content=given if article.format == "markdown" else html.plain(given)
        )
        override = {} if _content(article, published) == given else {"content": given}
    if not article.title:
        raise Unprocessable("An article needs a name.")
    beside = {key: value for key, value in view.items() if key not in EDITABLE | DERIVED}
    if is_new:
        beside = addressed(view, beside)
    elif internal := published.internal:
        beside[INTERNAL] = internal
    again = _view(article, published, beside, override)
    skipped = {"source", "content"} if source is not None else {"source"}
    checked = (EDITABLE if is_new else view.keys()) - skipped
    written = {key: value for key, value in view.items() if key in checked}
    require_shown(written, shown, again)
    return Put(article, beside, override)


def _view(article: Article, published: Published, beside: View, override: View) -> View:
    author, names = published.author, published.names
    to, cc = published.audience(beside)
    view: View = {
        "id": published.id,
        "type": "Article",
        "url": published.id,
        "attributedTo": author.webid,
        "published": article.created_at or published.resource.created_at.isoformat(),
        "to": to,
        "cc": cc,
        "name": article.title,
        "content": override.get("content", _content(article, published)),
    }
    if article.summary and article.content:
        view["summary"] = article.summary
    if article.format == "markdown" and article.content:
        view["source"] = {"content": article.content, "mediaType": _MARKDOWN_TYPE}
    found: list[View] = [
        {"type": "Hashtag", "href": names.tag_url(tag), "name": f"#{tag}"} for tag in article.tags
    ]
    found += names.emoji(article.title, view["content"])
    if found:
        view["tag"] = found
    if article.cover is not None:
        view["image"] = {
            "type": "Image",
            "mediaType": article.cover.media_type,
            "url": published.blob_url(article.cover),
        }
    view["preview"] = _preview(article, view)
    if published.resource.updated_at > published.resource.created_at:
        view["updated"] = published.resource.updated_at.isoformat().replace("+00:00", "Z")
    view |= {name: f"{published.id}?c={name}" for name in ("replies", "likes", "shares")}
    return {**{key: value for key, value in beside.items() if key not in DERIVED}, **view}


def _preview(article: Article, view: View) -> View:
    """The article as a short note that leads to it."""
    link = f'<a href="{escape(view["url"])}">{escape(view["url"])}</a>'
    said = [f"<strong>{escape(article.title, quote=False)}</strong>"]
    said += [escape(article.summary, quote=False)] if article.summary else []
    content = "".join(f"<p>{part}</p>" for part in [*said, link])
    told = {"type": "Note", "attributedTo": view["attributedTo"], "published": view["published"]}
    return {**told, "content": content}


def _markdown(view: Node) -> str | None:
    source = read.node(view, "source")
    is_markdown = source is not None and source.get("mediaType") == _MARKDOWN_TYPE
    return read.text(source, "content") if source is not None and is_markdown else None


@cache
def _markdown_parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # for articles alone

    return MarkdownIt("commonmark")


def _content(article: Article, published: Published) -> str:
    if article.content and article.format == "markdown":
        return html.clean(_markdown_parser().render(article.content))
    if (blocks := leaflet.content(published)) is not None:
        return blocks
    return html.render((Segment(article.content or article.summary or ""),), published.names)
