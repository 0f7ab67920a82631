"""Leaflet's blocks as HTML: headings, lists, quotes, code, links and marks within the words.

Fediverse servers take no pictures within words, so a picture is a link with its alternative text.

Spec: pub.leaflet.pages.linearDocument, pub.leaflet.blocks.* and pub.leaflet.richtext.facet
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from adapters.activitypub.lens import html
from adapters.activitypub.lens.published import Published
from pod.read import record_of
from pod.records.lens.shape import Record, blob_at, object_at, objects_at, ref_at, text_at

_LEAFLET: Final = "/repo/pub.leaflet.document/"
_STANDARD: Final = "/repo/site.standard.document/"
_DEPTH: Final = 8
_MARKS: Final = {
    "bold": "strong",
    "italic": "em",
    "underline": "u",
    "strikethrough": "del",
    "code": "code",
    "highlight": "em",
}
_LISTS: Final = {"children": "", "orderedListChildren": "ol", "unorderedListChildren": "ul"}
"""Where an item of a list has a list of its own, and of which kind; the same where none is said."""


def content(published: Published) -> str | None:
    """The text of an article that is kept in such blocks; None for all others."""
    path = published.resource.path
    if not published.resource.body or not path.startswith((_LEAFLET, _STANDARD)):
        return None
    record: Record | None = record_of(published.resource)
    if path.startswith(_STANDARD):
        record = object_at(record or {}, "content")
        if record is None or text_at(record, "$type") != "pub.leaflet.content":
            return None
    writer = _Writer(published)
    blocks = [
        object_at(item, "block") or {}
        for page in objects_at(record or {}, "pages")
        for item in objects_at(page, "blocks")
    ]
    return html.clean("".join(map(writer.block, blocks)) + writer.notes()) or None


class _Writer:
    """Writes one article; gathers its footnotes."""

    def __init__(self, published: Published) -> None:
        self._published = published
        self._notes: list[str] = []

    def notes(self) -> str:
        """The footnotes, in the order of their marks."""
        items = "".join(f"<li>{note}</li>" for note in self._notes)
        return f"<ol>{items}</ol>" if items else ""

    def block(self, block: Record) -> str:
        """A block as HTML; nothing for what has no words."""
        match _kind(block):
            case "header":
                return f"<p><strong>{self._words(block)}</strong></p>"
            case "blockquote":
                return f"<blockquote><p>{self._words(block)}</p></blockquote>"
            case "code" | "math" as kind:
                words = text_at(block, "plaintext" if kind == "code" else "tex") or ""
                return f"<pre><code>{escape(words, quote=False)}</code></pre>"
            case "unorderedList" | "orderedList" as kind:
                tag = "ul" if kind == "unorderedList" else "ol"
                return self._list(objects_at(block, "children"), tag, _start(block), _DEPTH)
            case "horizontalRule":
                return "<p>* * *</p>"
            case "image":
                return self._picture(block)
            case "imageGallery":
                return "".join(map(self._picture, objects_at(block, "images")))
            case "website" | "iframe" | "button":
                return self._link(block)
            case "bskyPost":
                ref = ref_at(block, "postRef")
                url = self._published.names.post_url(ref.uri) if ref is not None else ""
                return _anchor(url, url, "p")
            case _:
                return f"<p>{words}</p>" if (words := self._words(block)) else ""

    def _list(self, items: Sequence[Record], tag: str, start: str, depth: int) -> str:
        written = "".join(self._item(item, tag, depth) for item in items)
        return f"<{tag}{start}>{written}</{tag}>" if written else ""

    def _item(self, item: Record, tag: str, depth: int) -> str:
        checked = item.get("checked")
        mark = "☑ " if checked is True else "☐ " if checked is False else ""
        block = object_at(item, "content") or {}
        inner = self._picture(block) if _kind(block) == "image" else self._words(block)
        if depth > 0:
            for key, other in _LISTS.items():
                nested = objects_at(item, key) or objects_at(object_at(item, key) or {}, "children")
                inner += self._list(nested, other or tag, "", depth - 1)
        return f"<li>{mark}{inner}</li>"

    def _picture(self, block: Record) -> str:
        blob, alt = blob_at(block, "image"), text_at(block, "alt")
        url = self._published.blob_url(blob) if blob is not None else ""
        return _anchor(url, alt or "Picture", "p")

    def _link(self, block: Record) -> str:
        url = text_at(block, "src") or text_at(block, "url") or ""
        words = text_at(block, "title") or text_at(block, "text") or url
        more = text_at(block, "description") or ""
        return _anchor(url, words, "p") + (f"<p>{escape(more, quote=False)}</p>" if more else "")

    def _words(self, block: Record, key: str = "plaintext", facets: str = "facets") -> str:
        """Words with their marks; ranges that overlap or split a character are left out."""
        raw, parts, at = (text_at(block, key) or "").encode(), list[str](), 0
        for start, end, facet in sorted(_ranges(block, facets), key=lambda found: found[:2]):
            before, marked = _decoded(raw[at:start]), _decoded(raw[start:end])
            if start < at or end > len(raw) or before is None or marked is None:
                continue
            parts += [before, self._marked(marked, objects_at(facet, "features"))]
            at = end
        parts.append(_decoded(raw[at:]) or "")
        return "".join(parts)

    def _marked(self, words: str, features: Sequence[Record]) -> str:
        names = self._published.names
        for feature in features:
            match (text_at(feature, "$type") or "").partition("#")[2]:
                case mark if mark in _MARKS:
                    words = f"<{_MARKS[mark]}>{words}</{_MARKS[mark]}>"
                case "link":
                    words = _anchor(text_at(feature, "uri") or "", words, escaped=True)
                case "didMention" if did := text_at(feature, "did"):
                    words = _anchor(names.profile_url(did), words, escaped=True)
                case "atMention" if uri := text_at(feature, "atURI"):
                    words = _anchor(names.post_url(uri), words, escaped=True)
                case "footnote":
                    self._notes.append(self._words(feature, "contentPlaintext", "contentFacets"))
                    words = f"[{len(self._notes)}]"
        return words


def _kind(block: Record) -> str:
    return (text_at(block, "$type") or "").removeprefix("pub.leaflet.blocks.")


def _start(block: Record) -> str:
    first = block.get("startIndex")
    return f' start="{first}"' if isinstance(first, int) and first > 1 else ""


def _anchor(url: str, words: str, around: str = "", *, escaped: bool = False) -> str:
    """A link, or the words alone where the address is none of the web."""
    shown = words if escaped else escape(words, quote=False)
    shown = f'<a href="{escape(url)}">{shown}</a>' if html.is_web(url) else shown
    return f"<{around}>{shown}</{around}>" if around and shown else shown


def _ranges(block: Record, key: str) -> list[tuple[int, int, Record]]:
    found = []
    for facet in objects_at(block, key):
        index = object_at(facet, "index") or {}
        start, end = index.get("byteStart"), index.get("byteEnd")
        if isinstance(start, int) and isinstance(end, int) and 0 <= start < end:
            found.append((start, end, facet))
    return found


def _decoded(raw: bytes) -> str | None:
    """Bytes as HTML with its line breaks; None where they begin or end within a character."""
    try:
        return escape(raw.decode(), quote=False).replace("\n", "<br>")
    except UnicodeDecodeError:
        return None
