"""Relation -> the activity that it is: Like, Announce, Follow or Block; the record's URL is its id.

A block is told to the blocked alone.

Spec: https://www.w3.org/TR/activitypub/#like-activity-outbox
"""

from __future__ import annotations

from typing import Final

from adapters.activitypub.jsonld.context import PUBLIC
from adapters.activitypub.lens.published import Published, View
from pod.model.ids import Iri
from pod.model.member import Member
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
    view = told(relation.kind, published.id, published.author, target, other.webid)
    return {**view, "published": relation.created_at}


def told(kind: RelationKind, ident: Iri, author: Member, target: Iri, other: Iri) -> View:
    """The activity about a target, which is another actor's or that actor."""
    view: View = {"id": ident, "type": _TYPES[kind], "actor": author.webid, "object": target}
    if kind is RelationKind.REPOST:
        followers = f"{author.origin}/followers"
        return {**view, "to": [PUBLIC], "cc": [followers, other]}
    return {**view, "to": [other]}
