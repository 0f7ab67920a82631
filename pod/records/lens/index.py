"""Which lens reads which collection: record <-> noun, the core's own half of every translation."""

from __future__ import annotations

from typing import Final

from pod.errors import Conflict
from pod.model.article import Article
from pod.model.note import Note
from pod.model.noun import Noun, Opaque
from pod.model.profile import Profile
from pod.model.relation import Relation
from pod.records.lens import article, note, profile, relation
from pod.records.lens.kinds import KINDS
from pod.records.lens.shape import Record

ARTICLES: Final = frozenset({article.WHITEWIND, article.STANDARD, article.LEAFLET})


def get(collection: str, record: Record) -> Noun:
    """The noun that a record means; Opaque for unknown lexicons and for data that does not fit."""
    found: Noun | None = None
    if collection == note.COLLECTION:
        found = note.get(record)
    elif collection == profile.COLLECTION:
        found = profile.get(record)
    elif collection in relation.KINDS:
        found = relation.get(relation.KINDS[collection], record)
    elif collection in ARTICLES:
        found = article.get(collection, record)
    elif collection in KINDS:
        found = KINDS[collection].get(record)
    return found if found is not None else Opaque()


def put(collection: str, noun: Noun, source: Record | None = None) -> Record:
    """The record that means ``noun`` in a collection, changing only what differs from ``source``.

    Raises Conflict when the collection is not the noun's, Unprocessable when its lexicon cannot
    hold the noun.
    """
    match noun:
        case Note() if collection == note.COLLECTION:
            return note.put(noun, source)
        case Profile() if collection == profile.COLLECTION:
            return profile.put(noun, source)
        case Relation() if relation.KINDS.get(collection) is noun.kind:
            return relation.put(noun, source)
        case Article() if collection in ARTICLES:
            return article.put(collection, noun, source)
        case Opaque() if source is not None:
            return source
        case _ if collection in KINDS and isinstance(noun, KINDS[collection].noun):
            return KINDS[collection].put(noun, source)
        case _:
            raise Conflict(f"A {type(noun).__name__.lower()} cannot be kept in {collection}.")


def subject_of(collection: str, record: Record) -> str | None:
    """What a relation points at (a DID or an at-uri), or a note answers; None for all else."""
    if collection == note.COLLECTION:
        return note.parent_uri(record)
    if collection not in relation.KINDS:
        return None
    found = relation.get(relation.KINDS[collection], record)
    return found.subject_uri if found is not None else None
