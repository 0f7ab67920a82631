"""Relation -> the activity that it is: Like, Announce, Follow or Block; the record's URL is its id.

A block is told to the blocked alone.

Spec: https://www.w3.org/TR/activitypub/#like-activity-outbox
"""

from __future__ import annotations

from typing import Final

from adapters.activitypub.jsonld.context import PUBLIC
from adapters.activitypub.lens.published import Published, View
from pod.model.ids import Iri
from pod.model.note import StrongRef
from pod.model.relation import Relation, RelationKind

_TYPES: Final = {
    RelationKind.LIKE: "Like",
    RelationKind.REPOST: "Announce",
    RelationKind.FOLLOW: "Follow",
    RelationKind.BLOCK: "Block",
}


def get(relation: Relation, published: Published) -> View | None:
    """The activity as AS2, without context; None where the other side is not in the fediverse."""
    names = published.names
    if isinstance(relation.subject, StrongRef):
        target = names.object_url(relation.subject.uri)
        other = names.member(relation.subject.uri.removeprefix("at://").split("/")[0])
    else:
        other = names.member(relation.subject)
        target = other.webid if other is not None else None
    if target is None or other is None:
        return None
    return told(relation, published, target, other.webid)


def told(relation: Relation, published: Published, target: Iri, other: Iri) -> View:
    """The activity about a target, which is another actor's or that actor."""
    view: View = {
        "id": published.id,
        "type": _TYPES[relation.kind],
        "actor": published.author.webid,
        "published": relation.created_at,
        "object": target,
    }
    if relation.kind is RelationKind.REPOST:
        followers = f"{published.author.origin}/followers"
        return {**view, "to": [PUBLIC], "cc": [followers, other]}
    return {**view, "to": [other]}
