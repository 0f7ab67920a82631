"""A member's posts as feeds: Atom, RSS 2.0 and JSON Feed.

Spec: RFC 4287, https://www.rssboard.org/rss-specification, https://www.jsonfeed.org/version/1.1/
"""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import format_datetime
from xml.etree import ElementTree as ET

import orjson
from markupsafe import Markup

from adapters.console.shown import Person, Picture, Post
from pod.model.ids import parse_datetime

_ATOM = "http://www.w3.org/2005/Atom"
_DUBLIN = "http://purl.org/dc/elements/1.1/"
ET.register_namespace("atom", _ATOM)
ET.register_namespace("dc", _DUBLIN)


def content(post: Post) -> str:
    """A post as HTML for a feed: words, pictures, card, quote."""
    parts = [Markup("<p>{}</p>").format(post.html)] if post.text else []
    if not post.sensitive:
        image = Markup('<p><img src="{}" alt="{}"></p>')
        parts += [image.format(picture.url, picture.alt) for picture in post.images]
    if post.card is not None:
        link = Markup('<p><a href="{}">{}</a></p>')
        parts.append(link.format(post.card.url, post.card.title))
    if post.quote is not None:
        quote = Markup('<blockquote><p><a href="{}">{}</a></p></blockquote>')
        parts.append(quote.format(post.quote.url, post.quote.text or "Quoted post"))
    return str(Markup("\n").join(parts))


def _media(post: Post) -> tuple[Picture, ...]:
    video = (post.video,) if post.video is not None else ()
    return () if post.sensitive else post.images + video


def atom(person: Person, posts: Sequence[Post]) -> bytes:
    """An Atom feed; an entry's id is the post's one URL."""
    origin = person.member.origin
    feed = ET.Element("feed", {"xmlns": _ATOM})
    _text(feed, "id", person.member.webid)
    _text(feed, "title", person.name)
    if person.bio_text:
        _text(feed, "subtitle", person.bio_text)
    _text(feed, "updated", max((_updated(post) for post in posts), default=_EPOCH))
    _author(feed, person)
    if person.avatar is not None:
        _text(feed, "icon", person.avatar.url)
    ET.SubElement(feed, "link", {"rel": "alternate", "type": "text/html", "href": f"{origin}/"})
    own = {"rel": "self", "type": "application/atom+xml", "href": f"{origin}/feed.atom"}
    ET.SubElement(feed, "link", own)
    for post in posts:
        entry = ET.SubElement(feed, "entry")
        _text(entry, "id", post.url)
        _text(entry, "title", post.title)
        _text(entry, "published", post.published.iso)
        _text(entry, "updated", _updated(post))
        language = {"xml:lang": post.lang} if post.lang else {}
        _text(entry, "content", content(post), {"type": "html", **language})
        link = {"rel": "alternate", "type": "text/html", "href": post.url}
        ET.SubElement(entry, "link", link)
        for media in _media(post):
            enclosure = {"rel": "enclosure", "type": media.media_type, "href": media.url}
            ET.SubElement(entry, "link", enclosure)
        for tag, _ in post.tags:
            ET.SubElement(entry, "category", {"term": tag})
    return _xml(feed)


_EPOCH = "1970-01-01T00:00:00Z"


def _updated(post: Post) -> str:
    return (post.edited or post.published).iso


def _author(parent: ET.Element, person: Person) -> None:
    author = ET.SubElement(parent, "author")
    _text(author, "name", person.name)
    _text(author, "uri", person.member.webid)


def rss(person: Person, posts: Sequence[Post]) -> bytes:
    """An RSS 2.0 feed."""
    origin = person.member.origin
    root = ET.Element("rss", {"version": "2.0"})
    channel = ET.SubElement(root, "channel")
    _text(channel, "title", person.name)
    _text(channel, "link", f"{origin}/")
    _text(channel, "description", person.bio_text or f"Posts of {person.name}")
    own = {"rel": "self", "type": "application/rss+xml", "href": f"{origin}/feed.rss"}
    ET.SubElement(channel, f"{{{_ATOM}}}link", own)
    if person.avatar is not None:
        image = ET.SubElement(channel, "image")
        _text(image, "url", person.avatar.url)
        _text(image, "title", person.name)
        _text(image, "link", f"{origin}/")
    for post in posts:
        item = ET.SubElement(channel, "item")
        _text(item, "guid", post.url, {"isPermaLink": "true"})
        _text(item, "link", post.url)
        _text(item, "title", post.title)
        _text(item, "description", content(post))
        at = parse_datetime(post.published.iso)
        _text(item, "pubDate", format_datetime(at, usegmt=True))
        _text(item, f"{{{_DUBLIN}}}creator", person.name)
        for tag, _ in post.tags:
            _text(item, "category", tag)
        for media in _media(post)[:1]:
            length = {"url": media.url, "type": media.media_type, "length": str(max(0, media.size))}
            ET.SubElement(item, "enclosure", length)
    return _xml(root)


def json(person: Person, posts: Sequence[Post]) -> bytes:
    """A JSON Feed 1.1."""
    origin = person.member.origin
    author = {"name": person.name, "url": person.member.webid}
    if person.avatar is not None:
        author["avatar"] = person.avatar.url
    return orjson.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": person.name,
            "home_page_url": f"{origin}/",
            "feed_url": f"{origin}/feed.json",
            "description": person.bio_text,
            "authors": [author],
            "items": [_item(post) for post in posts],
        }
    )


def _item(post: Post) -> dict[str, object]:
    item: dict[str, object] = {
        "id": post.url,
        "url": post.url,
        "content_html": content(post),
        "content_text": post.text,
        "date_published": post.published.iso,
        "date_modified": _updated(post),
        "tags": [tag for tag, _ in post.tags],
        "attachments": [
            {"url": media.url, "mime_type": media.media_type, "size_in_bytes": max(0, media.size)}
            for media in _media(post)
        ],
    }
    if post.lang:
        item["language"] = post.lang
    return item


def _text(
    parent: ET.Element, tag: str, text: str, attributes: dict[str, str] | None = None
) -> None:
    child = ET.SubElement(parent, tag, attributes or {})
    child.text = "".join(c for c in text if c in "\t\n\r" or (c >= " " and not _is_odd(c)))


def _is_odd(character: str) -> bool:
    """What XML 1.0 cannot hold, beyond the control characters."""
    return "\ud800" <= character <= "\udfff" or character in "\ufffe\uffff"


def _xml(root: ET.Element) -> bytes:
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
