"""A note: a short post, as all three networks know it."""

from __future__ import annotations

from dataclasses import dataclass

from pod.model.blob import Card, Image, Video
from pod.model.ids import AtUri
from pod.model.richtext import Segment

ADULT_LABELS = frozenset({"sexual", "nudity", "porn", "graphic-media"})
"""Self-labels after which other networks treat a post as sensitive."""


@dataclass(frozen=True, slots=True)
class StrongRef:
    """A record in one exact version. ``cid`` is text, as the record holds it."""

    uri: AtUri
    cid: str


@dataclass(frozen=True, slots=True)
class Reply:
    """Where a note stands in a thread."""

    root: StrongRef
    parent: StrongRef


@dataclass(frozen=True, slots=True)
class Note:
    """A short post. ``created_at`` is the author's claim, kept as written."""

    text: tuple[Segment, ...]
    created_at: str
    langs: tuple[str, ...] = ()
    reply: Reply | None = None
    images: tuple[Image, ...] = ()
    video: Video | None = None
    card: Card | None = None
    quote: StrongRef | None = None
    tags: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def plain_text(self) -> str:
        """The text without its features."""
        return "".join(segment.text for segment in self.text)

    @property
    def is_sensitive(self) -> bool:
        """Whether the author labelled it as not for everybody's eyes."""
        return not ADULT_LABELS.isdisjoint(self.labels)
