"""What a recorded document says, read without any code of the pod, to hold the pod's reading to.

The rules are those of the servers that most people use: what Mastodon shows of a post or person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final

Node = dict[str, Any]

PUBLIC: Final = ("https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public")
ACTORS: Final = {"Person", "Group", "Service", "Application", "Organization"}
SHORT: Final = {"Note", "Question"}
LONG: Final = {"Article", "Page", "Video", "Audio", "Event", "Image"}
POSTS: Final = SHORT | LONG


def many(value: Any) -> list[Any]:
    """The values of a property that may be one or several."""
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        return list(value["items"])
    return [] if value is None else value if isinstance(value, list) else [value]


def address(value: Any) -> str:
    """The id of a value, be it told in full or named; of several the first."""
    value = value[0] if isinstance(value, list) and value else value
    if isinstance(value, dict):
        value = value.get("id") or value.get("href")
    return value if isinstance(value, str) else ""


def types(node: Any) -> set[str]:
    return set(many(node.get("type"))) if isinstance(node, dict) else set()


def author(node: Node) -> str:
    """Who wrote something: of several the person."""
    told = many(node.get("attributedTo")) or many(node.get("actor"))
    people = [each for each in told if "Person" in types(each)]
    return address((people or told or [""])[0])


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._unseen += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in ("script", "style") and self._unseen > 0

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.words.append(data)


def visible(html: str) -> str:
    """The words that a reader of HTML sees, without white space."""
    seen = _Seen()
    seen.feed(html)
    seen.close()
    return squeezed("".join(seen.words))


def squeezed(text: str) -> str:
    """Text without white space and characters that have no width."""
    return re.sub(r"[\s\u200b\u2060\ufeff\x00]+", "", text)


@dataclass(frozen=True)
class Post:
    """What a post says."""

    id: str
    author: str
    words: str
    warning: str
    sensitive: bool
    visibility: str
    published: str
    language: str | None
    media: list[str | None]
    options: list[tuple[str, int]] = field(default_factory=list)
    mentions: set[str] = field(default_factory=set)
    hashtags: set[str] = field(default_factory=set)
    emoji: set[str] = field(default_factory=set)
    page: str = ""


def post(node: Node) -> Post:
    """Read a post."""
    is_short = bool(types(node) & SHORT)
    summary = _text(node, "summary")
    content = _text(node, "content")
    words = _plain(node, content) if content else ""
    if not is_short:
        title = squeezed(_text(node, "name"))
        words = title + (words or ("" if visible(summary) == title else visible(summary)))
    tags = [tag for tag in many(node.get("tag")) if isinstance(tag, dict)]
    return Post(
        id=str(node.get("id")),
        author=author(node),
        words=words,
        warning=visible(summary) if is_short else "",
        sensitive=node.get("sensitive") is True or bool(is_short and visible(summary)),
        visibility=_visibility(node),
        published=str(node.get("published") or ""),
        language=_language(node),
        media=_media(node),
        options=[
            (str(each.get("name")), (each.get("replies") or {}).get("totalItems") or 0)
            for each in many(node.get("oneOf")) or many(node.get("anyOf"))
        ],
        mentions={tag["href"] for tag in tags if "Mention" in types(tag) and tag.get("href")},
        hashtags={
            str(tag["name"]).lstrip("#").lower()
            for tag in tags if "Hashtag" in types(tag) and tag.get("name")
        },
        emoji={
            str(tag["name"]).strip(":")
            for tag in tags
            if "Emoji" in types(tag) and _file((tag.get("icon") or {}).get("url"))
        },
        page=_page(node),
    )  # fmt: skip


@dataclass(frozen=True)
class Person:
    """What an actor says of themselves."""

    id: str
    username: str
    name: str
    about: str
    fields: list[tuple[str, str]]
    is_locked: bool
    is_group: bool
    has_picture: bool
    has_banner: bool
    page: str


def person(node: Node) -> Person:
    """Read an actor."""
    rows = [
        (squeezed(str(part.get("name"))), visible(str(part.get("value") or "")))
        for part in many(node.get("attachment"))
        if isinstance(part, dict) and "PropertyValue" in str(part.get("type"))
    ]
    return Person(
        id=str(node.get("id")),
        username=str(node.get("preferredUsername") or ""),
        name=squeezed(_text(node, "name")),
        about=visible(_text(node, "summary")),
        fields=rows,
        is_locked=node.get("manuallyApprovesFollowers") is True,
        is_group="Group" in types(node),
        has_picture=bool(_picture(node, "icon")),
        has_banner=bool(_picture(node, "image")),
        page=_page(node),
    )


def _text(node: Node, key: str) -> str:
    told = node.get(key)
    if isinstance(told, dict):
        told = told.get("@value")
    if isinstance(told, list):
        told = next((each for each in told if isinstance(each, str)), None)
    if told is None:
        mapped = node.get(f"{key}Map")
        told = next(iter(mapped.values()), None) if isinstance(mapped, dict) else None
    return told if isinstance(told, str) else ""


def _plain(node: Node, content: str) -> str:
    is_html = str(node.get("mediaType") or "text/html").startswith("text/html")
    return visible(content) if is_html else squeezed(content)


def _language(node: Node) -> str | None:
    """The language, where a post says one; Lemmy and PeerTube do so in words of their own."""
    mapped = node.get("contentMap")
    if isinstance(mapped, dict) and mapped:
        return str(next(iter(mapped)))
    told = node.get("language")
    named = str(told.get("identifier")) if isinstance(told, dict) else "und"
    return None if named == "und" else named


def _visibility(node: Node) -> str:
    to, cc = ([address(each) for each in many(node.get(key))] for key in ("to", "cc"))
    if set(to) & set(PUBLIC):
        return "public"
    if set(cc) & set(PUBLIC):
        return "unlisted"
    return "private" if any("followers" in each for each in to + cc) else "direct"


def _media(node: Node) -> list[str | None]:
    """The alt texts of pictures, films and sounds."""
    found: list[str | None] = []
    for part in many(node.get("attachment")):
        if not isinstance(part, dict):
            continue
        kind = str(part.get("mediaType") or "").partition("/")[0]
        is_media = types(part) & {"Image", "Video", "Audio"} or (
            "Document" in types(part) and kind in ("image", "video", "audio")
        )
        if is_media and _file(part.get("url") or part.get("href")):
            found.append(part.get("name") or part.get("summary") or None)
    return found


def _file(value: Any) -> str:
    """The first address of a file, which may be told as links."""
    first = (many(value) or [""])[0]
    told = first.get("href") or first.get("url") if isinstance(first, dict) else first
    return told if isinstance(told, str) and told.startswith("http") else ""


def _picture(node: Node, key: str) -> str:
    first = (many(node.get(key)) or [""])[0]
    return _file(first.get("url") or first.get("href")) if isinstance(first, dict) else _file(first)


def _page(node: Node) -> str:
    """The page for people: of several links the one that says it is HTML."""
    told = many(node.get("url"))
    for link in told:
        if isinstance(link, dict) and str(link.get("mediaType", "")).startswith("text/html"):
            return str(link.get("href") or "")
    return next((each for each in told if isinstance(each, str)), "")
