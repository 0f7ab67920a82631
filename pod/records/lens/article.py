"""Long texts of three lexicons <-> Article: WhiteWind, standard.site and Leaflet.

Spec: com.whtwnd.blog.entry, site.standard.document, pub.leaflet.document (as their apps write them)

WhiteWind holds Markdown and is editable. standard.site keeps ``textContent`` beside a union of
blocks, Leaflet only blocks: there title, summary and tags are editable, the text is read.
"""

from __future__ import annotations

from typing import Final

from pod.errors import Conflict
from pod.model.article import Article
from pod.records.lens.shape import (
    Record,
    blob_at,
    blob_data,
    object_at,
    objects_at,
    set_or_drop,
    text_at,
    texts_at,
)

WHITEWIND: Final = "com.whtwnd.blog.entry"
STANDARD: Final = "site.standard.document"
LEAFLET: Final = "pub.leaflet.document"


def get(collection: str, record: Record) -> Article | None:
    """The article that a record means, or None where it has neither title nor text."""
    if collection == WHITEWIND:
        content = text_at(record, "content")
        if content is None:
            return None
        return Article(
            title=text_at(record, "title") or "",
            content=content,
            format="markdown",
            created_at=text_at(record, "createdAt"),
            summary=text_at(record, "subtitle"),
        )
    title = text_at(record, "title")
    if title is None:
        return None
    content = text_at(record, "textContent") if collection == STANDARD else _leaflet_text(record)
    return Article(
        title=title,
        content=content or "",
        format="plain",
        created_at=text_at(record, "publishedAt"),
        summary=text_at(record, "description"),
        tags=texts_at(record, "tags"),
        cover=blob_at(record, "coverImage"),
    )


def put(collection: str, article: Article, source: Record | None = None) -> Record:
    """The record that means ``article``; of ``source`` only what differs is written anew.

    Raises Conflict when the text is kept in blocks of the lexicon's own app and would change.
    """
    record: Record = dict(source) if source is not None else {"$type": collection}
    before = get(collection, record)
    is_whitewind = collection == WHITEWIND
    keys: dict[str, str] = {
        "title": "title",
        "created_at": "createdAt" if is_whitewind else "publishedAt",
        "summary": "subtitle" if is_whitewind else "description",
    }
    for field, key in keys.items():
        value = getattr(article, field)
        if before is None or value != getattr(before, field):
            set_or_drop(record, key, value)
    if before is None or article.content != before.content:
        _put_content(collection, record, article.content)
    if not is_whitewind and (before is None or article.tags != before.tags):
        set_or_drop(record, "tags", list(article.tags) or None)
    if not is_whitewind and (before is None or article.cover != before.cover):
        set_or_drop(record, "coverImage", blob_data(article.cover) if article.cover else None)
    if get(collection, record) != article:
        raise Conflict("The lexicon of this article cannot hold the change.")
    return record


def _put_content(collection: str, record: Record, content: str) -> None:
    if collection == WHITEWIND:
        record["content"] = content
    elif collection == STANDARD and "content" not in record:
        set_or_drop(record, "textContent", content or None)
    elif content:
        raise Conflict("The text of this article is kept in blocks that only its own app edits.")


def _leaflet_text(record: Record) -> str:
    return "\n\n".join(
        text
        for page in objects_at(record, "pages")
        for item in objects_at(page, "blocks")
        if (text := text_at(object_at(item, "block") or {}, "plaintext"))
    )
