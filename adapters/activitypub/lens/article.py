"""Article -> AS2 Article; the record's own markup is shown as HTML, so the view is for reading.

Spec: https://www.w3.org/TR/activitystreams-vocabulary/#dfn-article
"""

from __future__ import annotations

from typing import Final

from markdown_it import MarkdownIt

from adapters.activitypub.jsonld.context import PUBLIC
from adapters.activitypub.lens import html
from adapters.activitypub.lens.published import Published, View
from pod.model.article import Article
from pod.model.richtext import Segment

_MARKDOWN: Final = MarkdownIt("commonmark")


def get(article: Article, published: Published) -> View:
    """The article as AS2, without context."""
    author = published.author
    view: View = {
        "id": published.id,
        "type": "Article",
        "url": published.id,
        "attributedTo": author.webid,
        "published": article.created_at or published.resource.created_at.isoformat(),
        "to": [PUBLIC],
        "cc": [f"{author.origin}/followers"],
        "name": article.title,
        "content": _content(article, published),
    }
    if article.summary and article.content:
        view["summary"] = article.summary
    if article.format == "markdown" and article.content:
        view["source"] = {"content": article.content, "mediaType": "text/markdown"}
    if article.tags:
        names = published.names
        view["tag"] = [
            {"type": "Hashtag", "href": names.tag_url(tag), "name": f"#{tag}"}
            for tag in article.tags
        ]
    if article.cover is not None:
        view["image"] = {
            "type": "Image",
            "mediaType": article.cover.media_type,
            "url": published.blob_url(article.cover),
        }
    if published.resource.updated_at > published.resource.created_at:
        view["updated"] = published.resource.updated_at.isoformat().replace("+00:00", "Z")
    view |= {name: f"{published.id}?c={name}" for name in ("replies", "likes", "shares")}
    return {**published.annotation, **view}


def _content(article: Article, published: Published) -> str:
    if article.content and article.format == "markdown":
        return html.clean(_MARKDOWN.render(article.content))
    return html.render((Segment(article.content or article.summary or ""),), published.names)
