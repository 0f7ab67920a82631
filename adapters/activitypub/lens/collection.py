"""Ordered collections and their pages.

Spec: https://www.w3.org/TR/activitystreams-core/#collections
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from adapters.activitypub.lens.published import View


def collection(collection_id: str, total: int, *, items: Sequence[Any] | None = None) -> View:
    """A whole collection; without ``items`` it only leads to its first page."""
    view: View = {"id": collection_id, "type": "OrderedCollection", "totalItems": total}
    if items is not None:
        return {**view, "orderedItems": list(items)}
    return {**view, "first": f"{collection_id}?page="}


def page(collection_id: str, at: str, items: Sequence[Any], following: str | None) -> View:
    """One page; ``at`` and ``following`` are opaque positions, None after the last."""
    view: View = {
        "id": f"{collection_id}?page={quote(at)}",
        "type": "OrderedCollectionPage",
        "partOf": collection_id,
        "orderedItems": list(items),
    }
    if following is not None:
        view["next"] = f"{collection_id}?page={quote(following)}"
    return view


def counted(collection_id: str, total: int, items: Sequence[Any] | None = None) -> View:
    """A collection without pages; without ``items`` only is told how many there are."""
    view: View = {"id": collection_id, "type": "Collection", "totalItems": total}
    return view if items is None else {**view, "items": list(items)}


def with_first_page(
    collection_id: str, total: int, items: Sequence[Any], following: str | None
) -> View:
    """A collection with its first page in it, as Mastodon wants those of replies."""
    first = part(collection_id, None, items, following)
    return {**counted(collection_id, total), "first": first}


def part(collection_id: str, at: str | None, items: Sequence[Any], following: str | None) -> View:
    """A page of a collection that has a query already."""
    view: View = {
        "id": f"{collection_id}&page={quote(at)}" if at else f"{collection_id}&page=0",
        "type": "CollectionPage",
        "partOf": collection_id,
        "items": list(items),
    }
    return {**view, "next": f"{collection_id}&page={quote(following)}"} if following else view
