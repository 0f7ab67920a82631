"""All nouns: what a record can mean to people."""

from __future__ import annotations

from dataclasses import dataclass

from pod.model.article import Article
from pod.model.event import Attendance, Event
from pod.model.gathering import Bookmark, Membership, PeopleList, Publication, StarterPack
from pod.model.note import Note
from pod.model.profile import Profile
from pod.model.relation import Relation


@dataclass(frozen=True, slots=True)
class Opaque:
    """A record of a lexicon that has no noun, or whose data does not fit its noun."""


Gathering = PeopleList | Membership | StarterPack | Publication | Bookmark
Noun = Note | Article | Profile | Relation | Event | Attendance | Gathering | Opaque
