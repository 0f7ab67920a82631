"""Events, answers, lists, starter packs, publications and bookmarks: their lexicons as tables.

Spec: community.lexicon.{calendar,location,bookmarks}, app.bsky.graph.*, site.standard.publication
"""

from __future__ import annotations

from typing import Any, Final

from pod.model.event import Attendance, Event, Venue
from pod.model.gathering import Bookmark, Membership, PeopleList, Publication, StarterPack
from pod.records.data import Data
from pod.records.lens.flat import BLOB, REF, TEXT, TEXTS, Flat, Shape
from pod.records.lens.shape import Record, objects_at, text_at

_URI: Final = "community.lexicon.calendar.event#uri"
_GEO: Final = "community.lexicon.location.geo"
_ADDRESS: Final = "community.lexicon.location.address"
_VENUE_KEYS: Final = {
    "name": "name",
    "street": "street",
    "locality": "locality",
    "region": "region",
    "postal_code": "postalCode",
    "country": "country",
    "latitude": "latitude",
    "longitude": "longitude",
    "url": "uri",
}


def _venue(location: Record) -> Venue:
    return Venue(**{field: text_at(location, key) for field, key in _VENUE_KEYS.items()})


def _venues(record: Record, key: str) -> tuple[Venue, ...]:
    return tuple(map(_venue, objects_at(record, key)))


def _locations(venues: tuple[Venue, ...], old: Data) -> Data:
    """Locations as records hold them; those that stay are left as they are."""
    before = [item for item in old if isinstance(item, dict)] if isinstance(old, list) else []
    kept = {_venue(item): item for item in before}
    return [kept.get(venue) or _location(venue) for venue in venues]


def _location(venue: Venue) -> Record:
    kind = _URI if venue.url else _GEO if venue.latitude else _ADDRESS
    said = {key: getattr(venue, field) for field, key in _VENUE_KEYS.items()}
    return {"$type": kind, **{key: value for key, value in said.items() if value is not None}}


VENUES: Final = Shape(_venues, _locations)
_CREATED: Final = ("createdAt", TEXT)
_NAMED: Final = {"name": ("name", TEXT), "description": ("description", TEXT)}

KINDS: Final[dict[str, Flat[Any]]] = {
    kind.collection: kind
    for kind in (
        Flat(
            "community.lexicon.calendar.event",
            Event,
            {
                **_NAMED,
                "created_at": _CREATED,
                "starts_at": ("startsAt", TEXT),
                "ends_at": ("endsAt", TEXT),
                "mode": ("mode", TEXT),
                "status": ("status", TEXT),
                "venues": ("locations", VENUES),
            },
        ),
        Flat(
            "community.lexicon.calendar.rsvp",
            Attendance,
            {"subject": ("subject", REF), "status": ("status", TEXT)},
        ),
        Flat(
            "app.bsky.graph.list",
            PeopleList,
            {
                **_NAMED,
                "purpose": ("purpose", TEXT),
                "created_at": _CREATED,
                "avatar": ("avatar", BLOB),
            },
        ),
        Flat(
            "app.bsky.graph.listitem",
            Membership,
            {"subject": ("subject", TEXT), "group": ("list", TEXT), "created_at": _CREATED},
        ),
        Flat(
            "app.bsky.graph.starterpack",
            StarterPack,
            {**_NAMED, "group": ("list", TEXT), "created_at": _CREATED},
        ),
        Flat(
            "site.standard.publication",
            Publication,
            {**_NAMED, "url": ("url", TEXT), "icon": ("icon", BLOB)},
        ),
        Flat(
            "community.lexicon.bookmarks.bookmark",
            Bookmark,
            {"url": ("subject", TEXT), "created_at": _CREATED, "tags": ("tags", TEXTS)},
        ),
    )
}
"""The lens of each of these collections."""
