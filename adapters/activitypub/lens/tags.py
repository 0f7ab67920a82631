"""The tags of a note, and whom it addresses by name.

Spec: https://www.w3.org/TR/activitystreams-vocabulary/#dfn-mention
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import html
from adapters.activitypub.lens.published import Published, View
from pod.model.note import Note
from pod.model.richtext import LinkTo, Mention, Tag


def tags(note: Note, published: Published, beside: Mapping[str, Any]) -> Iterator[View]:
    """Mentions and hashtags, each once: of the words, of the record, and of what stands beside."""
    seen: set[str] = set()
    for tag in _all(note, published, beside):
        if tag["href"] not in seen:
            seen.add(tag["href"])
            yield tag


def named(view: Node, found: Sequence[View]) -> list[View]:
    """The mentions of a view that its words do not make: they are kept beside the record."""
    known = {tag["href"] for tag in found}
    mentions = {
        href: {"type": "Mention", "href": href, "name": read.text(tag, "name") or handle(href)}
        for tag in read.nodes(view, "tag")
        if "Mention" in read.types(tag) and (href := read.iri(tag, "href")) is not None
    }
    return [tag for href, tag in mentions.items() if href not in known]


def people(
    note: Note, published: Published, found: Sequence[View], beside: Mapping[str, Any]
) -> list[str]:
    """Whom the note addresses by name: the mentioned, and the author it answers."""
    addressed = [tag["href"] for tag in found if tag["type"] == "Mention"]
    if note.reply is not None:
        parent = published.names.member(note.reply.parent.uri.removeprefix("at://").split("/")[0])
        if parent is not None:
            addressed.append(parent.webid)
    addressed += [person for person in beside.get("cc", []) if isinstance(person, str)]
    return [person for person in dict.fromkeys(addressed) if person != published.author.webid]


def handle(actor: str) -> str:
    """How an actor is named of whom only the id is known."""
    parts = urlsplit(actor)
    last = parts.path.rstrip("/").rpartition("/")[2].removeprefix("@") or parts.hostname or ""
    return f"@{last}@{parts.netloc}"


def _all(note: Note, published: Published, beside: Mapping[str, Any]) -> Iterator[View]:
    names = published.names
    for segment in note.text:
        for feature in segment.features:
            match feature:
                case Mention(did=did) if (member := names.member(did)) is not None:
                    yield {"type": "Mention", "href": member.webid, "name": f"@{member.acct}"}
                case LinkTo(uri=uri) if html.is_web(uri) and html.is_handle_text(segment.text):
                    yield {"type": "Mention", "href": uri, "name": segment.text}
                case Tag(tag=name):
                    yield {"type": "Hashtag", "href": names.tag_url(name), "name": f"#{name}"}
    for name in note.tags:
        yield {"type": "Hashtag", "href": names.tag_url(name), "name": f"#{name}"}
    yield from beside.get("tag", [])
