"""All nouns: what a record can mean to people."""

from __future__ import annotations

from dataclasses import dataclass

from pod.model.article import Article
from pod.model.note import Note
from pod.model.profile import Profile
from pod.model.relation import Relation


@dataclass(frozen=True, slots=True)
class Opaque:
    """A record of a lexicon that has no noun, or whose data does not fit its noun."""


Noun = Note | Article | Profile | Relation | Opaque
