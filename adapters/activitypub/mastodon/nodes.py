"""What is read of a post or actor in more than one room: tags, for whom it is, its page.

Spec: https://docs.joinmastodon.org/entities/Status/#visibility
"""

from __future__ import annotations

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import PUBLIC
from adapters.activitypub.jsonld.read import Node


def tags(node: Node, kind: str) -> list[Node]:
    """The tags of a kind, also where it is told by its full name."""
    return [tag for tag in read.nodes(node, "tag") if kind in read.types(tag) or
            str(tag.get("type")).endswith(kind)]  # fmt: skip


def hashtags(node: Node) -> list[str]:
    """The hashtags of a post, in lower case, each once."""
    names = [
        (read.text(tag, "name") or "").removeprefix("#").lower() for tag in tags(node, "Hashtag")
    ]
    return list(dict.fromkeys(name for name in names if name))


def visibility(node: Node) -> str:
    """For whom a post is."""
    to = set(read.iris(node, "to"))
    if PUBLIC in read.recipients({"to": node.get("to")}):
        return "public"
    if PUBLIC in read.recipients(node):
        return "unlisted"
    mentioned = {read.iri(tag, "href") for tag in tags(node, "Mention")}
    cc = set(read.iris(node, "cc"))
    return "private" if any("followers" in each for each in (to | cc) - mentioned) else "direct"


def page_of(node: Node) -> str | None:
    """The page for people."""
    for part in read.nodes(node, "url"):
        if str(part.get("mediaType", "")).startswith("text/html"):
            return read.iri(part, "href")
    return read.iri(node, "url")
