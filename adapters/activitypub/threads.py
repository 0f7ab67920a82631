"""What a new post of a member refers to on other servers: whom it answers, whom it quotes.

The author of what is answered is mentioned, so that the answer reaches them from any client.

Spec: https://www.w3.org/TR/activitypub/#delivery
"""

from __future__ import annotations

from typing import Final

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import quote
from adapters.activitypub.lens.published import INTERNAL, View
from adapters.activitypub.wing import Wing
from pod.errors import Forbidden, Gone, Invalid, PeerUnavailable
from pod.model.ids import Iri

_NAMES_OF_THREADS: Final = ("context", "conversation")


async def referring(wing: Wing, view: Node) -> tuple[Node, View]:
    """A new post with the mention of whom it answers, and what to keep beside its record.

    Raises PeerUnavailable, Gone and Invalid where what it refers to cannot be had, but for an
    answer whose client says itself whom it is for.
    """
    parent, target = read.iri(view, "inReplyTo"), quote.quoted(view)
    beside: View = {}
    if parent is not None and not wing.is_local(parent):
        try:
            document, author = await authored(wing, parent)
        except (Gone, Invalid, Forbidden, PeerUnavailable):
            if not _names_somebody(view):
                raise
        else:
            view = _mentioning(wing, view, author)
            beside |= {
                k: document[k] for k in _NAMES_OF_THREADS if isinstance(document.get(k), str)
            }
    if target is not None and not wing.is_local(target):
        _, author = await authored(wing, target)
        beside[INTERNAL] = {"quoteAuthor": author}
    return view, beside


def _mentioning(wing: Wing, view: Node, author: Iri) -> Node:
    if author in {read.iri(tag, "href") for tag in read.nodes(view, "tag")}:
        return view
    mention = {"type": "Mention", "href": author, "name": wing.actors.handle(author)}
    return {**view, "tag": [*read.nodes(view, "tag"), mention]}


def _names_somebody(view: Node) -> bool:
    is_named = any("Mention" in read.types(tag) for tag in read.nodes(view, "tag"))
    return is_named or "mention" in (read.text(view, "content") or "")


async def authored(wing: Wing, object_id: Iri) -> tuple[Node, Iri]:
    """An object of another server, and its author, of whom an inbox is known then."""
    document = await wing.actors.document(object_id)
    author = read.author(document)
    if author is None or not read.same_origin(author, object_id):
        raise Invalid("The post does not say who wrote it.")
    await wing.actors.actor(author)
    return document, author
