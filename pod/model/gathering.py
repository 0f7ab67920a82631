"""What members gather: people in lists, lists in starter packs, articles in publications, links."""

from __future__ import annotations

from dataclasses import dataclass

from pod.model.blob import BlobRef
from pod.model.ids import AtUri, Did


@dataclass(frozen=True, slots=True)
class PeopleList:
    """A list of people. ``purpose`` is a word of the graph lexicon."""

    name: str
    purpose: str
    created_at: str
    description: str | None = None
    avatar: BlobRef | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """That somebody is on a list."""

    subject: Did
    group: AtUri
    created_at: str


@dataclass(frozen=True, slots=True)
class StarterPack:
    """A list of people with whom somebody new may begin."""

    name: str
    group: AtUri
    created_at: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Publication:
    """A place where articles appear."""

    name: str
    url: str
    description: str | None = None
    icon: BlobRef | None = None


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A page elsewhere that somebody keeps."""

    url: str
    created_at: str
    tags: tuple[str, ...] = ()
