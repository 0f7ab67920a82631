"""An event, where it happens, and who says that they come."""

from __future__ import annotations

from dataclasses import dataclass

from pod.model.note import StrongRef


@dataclass(frozen=True, slots=True)
class Venue:
    """Where an event happens: an address, a point (degrees as text), or somewhere on the web."""

    name: str | None = None
    street: str | None = None
    locality: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None
    latitude: str | None = None
    longitude: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens. ``mode`` and ``status`` are the words of the calendar lexicon."""

    name: str
    created_at: str
    description: str | None = None
    starts_at: str | None = None
    ends_at: str | None = None
    mode: str | None = None
    status: str | None = None
    venues: tuple[Venue, ...] = ()


@dataclass(frozen=True, slots=True)
class Attendance:
    """What somebody answers to an event: a word of the RSVP lexicon."""

    subject: StrongRef
    status: str
