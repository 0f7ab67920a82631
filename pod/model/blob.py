"""A reference to bytes: what a record says about a blob it shows."""

from __future__ import annotations

from dataclasses import dataclass

from pod.model.ids import Cid


@dataclass(frozen=True, slots=True)
class BlobRef:
    """Bytes by content, with the media type and size that the record claims for them."""

    cid: Cid
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Image:
    """A picture with its text alternative; width and height give the aspect ratio, if known."""

    blob: BlobRef
    alt: str = ""
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Video:
    """A film with its text alternative."""

    blob: BlobRef
    alt: str = ""
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A preview of something elsewhere on the web."""

    uri: str
    title: str = ""
    description: str = ""
    thumb: BlobRef | None = None
