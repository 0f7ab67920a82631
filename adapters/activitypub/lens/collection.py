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


def counted(collection_id: str, total: int, items: Sequence[Any]) -> View:
    """A collection of what others did, of which only the newest are shown."""
    return {
        "id": collection_id,
        "type": "Collection",
        "totalItems": total,
        "items": list(items),
    }
