"""app.bsky.graph.{follow,block} and app.bsky.feed.{like,repost} <-> Relation.

Spec: those lexicons; a follow or block has a DID as subject, a like or repost a strong reference
"""

from __future__ import annotations

from typing import Final

from pod.model.ids import Did
from pod.model.note import StrongRef
from pod.model.relation import Relation, RelationKind
from pod.records.lens.shape import Record, object_at, ref_at, ref_data, set_or_drop, text_at

COLLECTIONS: Final = {
    RelationKind.FOLLOW: "app.bsky.graph.follow",
    RelationKind.BLOCK: "app.bsky.graph.block",
    RelationKind.LIKE: "app.bsky.feed.like",
    RelationKind.REPOST: "app.bsky.feed.repost",
}
KINDS: Final = {collection: kind for kind, collection in COLLECTIONS.items()}


def get(kind: RelationKind, record: Record) -> Relation | None:
    """The relation that a record of a kind means, or None when subject or time does not fit."""
    created_at = text_at(record, "createdAt")
    subject: Did | StrongRef | None
    if kind in (RelationKind.FOLLOW, RelationKind.BLOCK):
        did = text_at(record, "subject")
        subject = Did(did) if did is not None else None
    else:
        subject = ref_at(record, "subject")
    if subject is None or created_at is None:
        return None
    return Relation(kind, subject, created_at, ref_at(record, "via"))


def put(relation: Relation, source: Record | None = None) -> Record:
    """The record that means ``relation``; of ``source`` only what differs is written anew."""
    before = get(relation.kind, source) if source is not None else None
    record: Record = dict(source) if source is not None else {"$type": COLLECTIONS[relation.kind]}
    if before is None or relation.subject != before.subject:
        subject = relation.subject
        record["subject"] = (
            ref_data(subject, object_at(record, "subject"))
            if isinstance(subject, StrongRef)
            else subject
        )
    if before is None or relation.created_at != before.created_at:
        record["createdAt"] = relation.created_at
    if before is None or relation.via != before.via:
        set_or_drop(record, "via", ref_data(relation.via) if relation.via else None)
    return record
