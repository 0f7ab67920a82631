"""Rich text: words with features, free of any protocol's offsets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mention:
    """The words name a person."""

    did: str


@dataclass(frozen=True, slots=True)
class LinkTo:
    """The words lead to a web address."""

    uri: str


@dataclass(frozen=True, slots=True)
class Tag:
    """The words are a hashtag; ``tag`` has no ``#``."""

    tag: str


Feature = Mention | LinkTo | Tag


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of text whose characters share the same features."""

    text: str
    features: tuple[Feature, ...] = ()
