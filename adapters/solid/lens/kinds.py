"""Relations, events, lists, publications and bookmarks <-> RDF, each as a table.

Spec: https://www.w3.org/TR/activitystreams-vocabulary/ https://schema.org/Event
https://www.w3.org/TR/vcard-rdf/#Group https://www.w3.org/2002/01/bookmark#
"""

from __future__ import annotations

from typing import Any, Final, cast

from pyoxigraph import Literal, NamedNode, Triple

from adapters.solid.lens.edit import Lens, Place, facts, iri, object_link
from adapters.solid.lens.flat import (
    LINK,
    MOMENT,
    PERSON,
    PICTURE,
    RECORD,
    TEXT,
    TEXTS,
    THING,
    Kind,
    Table,
    choice,
)
from adapters.solid.lens.generic import type_iri
from adapters.solid.rdf.parse import Graph
from adapters.solid.rdf.vocab import AS, BOOKMARK, DCT, RDF, SCHEMA, SIOC, VCARD
from pod.model.event import Attendance, Event
from pod.model.gathering import Bookmark, Membership, PeopleList, Publication, StarterPack
from pod.model.ids import AtUri, Did
from pod.model.note import StrongRef
from pod.model.relation import Relation, RelationKind
from pod.records.lens.relation import COLLECTIONS

_NAMES: Final = (AS.name, SCHEMA.name, DCT.title)
_GROUP_NAMES: Final = (VCARD.fn, AS.name, SCHEMA.name)
_PICTURES: Final = (AS.icon, SCHEMA.image)
_PUBLISHED: Final = (MOMENT, (AS.published,))
_NOTHING: Final = cast("StrongRef", "")
_EVENT: Final = "community.lexicon.calendar.event#"
_RSVP: Final = "community.lexicon.calendar.rsvp#"
_PURPOSE: Final = "app.bsky.graph.defs#"
_ACTS: Final[dict[RelationKind, tuple[NamedNode, ...]]] = {
    RelationKind.FOLLOW: (AS.Follow, SCHEMA.FollowAction),
    RelationKind.LIKE: (AS.Like, SCHEMA.LikeAction),
    RelationKind.REPOST: (AS.Announce, SCHEMA.ShareAction),
    RelationKind.BLOCK: (AS.Block,),
}


def _relation(kind: RelationKind) -> Lens[Any]:
    of_people = kind in (RelationKind.FOLLOW, RelationKind.BLOCK)
    table = Table(
        classes=_ACTS[kind],
        shown={"subject": (_LASTING[of_people], (AS.object,)), "created_at": _SINCE},
        by=(AS.actor,),
        more=_follows if kind is RelationKind.FOLLOW else lambda _, __: [],
    )
    return table.lens(lambda now: Relation(kind, Did("") if of_people else _NOTHING, now))


def _follows(relation: Any, place: Place) -> Graph:
    whom = iri(place.speech.profile_url(relation.subject))
    return facts(NamedNode(place.author.webid), (SIOC.follows, whom))


def _lasting(kind: Kind) -> Kind:
    return Kind(kind.show, kind.read, is_lasting=True)


_LASTING: Final = {True: PERSON, False: THING}
_SINCE: Final = (_lasting(MOMENT), (AS.published,))


def _places(event: Any, place: Place) -> Graph:
    """Where an event happens, each place a node of its own."""
    graph: Graph = []
    for number, venue in enumerate(event.venues):
        node = NamedNode(f"{place.topic.value}#place-{number}")
        address = NamedNode(f"{node.value}-address")
        where = iri(venue.url) if venue.url else None
        graph += facts(place.topic, (AS.location, node), (SCHEMA.location, node))
        graph += facts(
            node,
            (RDF.type, AS.Place),
            (RDF.type, SCHEMA.VirtualLocation if venue.url else SCHEMA.Place),
            *((name, _text(venue.name)) for name in (AS.name, SCHEMA.name)),
            *((name, _text(venue.latitude)) for name in (AS.latitude, SCHEMA.latitude)),
            *((name, _text(venue.longitude)) for name in (AS.longitude, SCHEMA.longitude)),
            (SCHEMA.url, where or _text(venue.url)),
        )
        parts = facts(
            address,
            (SCHEMA.streetAddress, _text(venue.street)),
            (SCHEMA.addressLocality, _text(venue.locality)),
            (SCHEMA.addressRegion, _text(venue.region)),
            (SCHEMA.postalCode, _text(venue.postal_code)),
            (SCHEMA.addressCountry, _text(venue.country)),
        )
        if parts:
            kind = Triple(address, RDF.type, SCHEMA.PostalAddress)
            graph += [Triple(node, SCHEMA.address, address), kind, *parts]
    return graph


def _text(value: str | None) -> Literal | None:
    return Literal(value) if value is not None else None


def _member(membership: Any, place: Place) -> Graph:
    group = object_link(membership.group, place)
    person = iri(place.speech.profile_url(membership.subject))
    return facts(group, (VCARD.hasMember, person), (AS.items, person)) if group else []


_ANSWER: Final = {
    "going": (AS.Accept, SCHEMA.RsvpResponseYes),
    "interested": (AS.TentativeAccept, SCHEMA.RsvpResponseMaybe),
    "notgoing": (AS.Reject, SCHEMA.RsvpResponseNo),
}


def _answer(attendance: Any, place: Place) -> Graph:
    act = _ANSWER.get(attendance.status.removeprefix(_RSVP))
    return facts(place.topic, (RDF.type, act[0] if act else None))


_MODES: Final = {
    f"{_EVENT}inperson": SCHEMA.OfflineEventAttendanceMode,
    f"{_EVENT}virtual": SCHEMA.OnlineEventAttendanceMode,
    f"{_EVENT}hybrid": SCHEMA.MixedEventAttendanceMode,
}
_STATES: Final = {
    f"{_EVENT}scheduled": SCHEMA.EventScheduled,
    f"{_EVENT}rescheduled": SCHEMA.EventRescheduled,
    f"{_EVENT}cancelled": SCHEMA.EventCancelled,
    f"{_EVENT}postponed": SCHEMA.EventPostponed,
    f"{_EVENT}planned": type_iri(f"{_EVENT}planned"),
}
_PURPOSES: Final = {
    _PURPOSE + word: type_iri(_PURPOSE + word)
    for word in ("curatelist", "modlist", "referencelist")
}

KINDS: Final[dict[str, Lens[Any]]] = {
    **{collection: _relation(kind) for kind, collection in COLLECTIONS.items()},
    "community.lexicon.calendar.event": Table(
        classes=(AS.Event, SCHEMA.Event),
        shown={
            "name": (TEXT, _NAMES),
            "description": (TEXT, (SCHEMA.description, DCT.description)),
            "created_at": _PUBLISHED,
            "starts_at": (MOMENT, (AS.startTime, SCHEMA.startDate)),
            "ends_at": (MOMENT, (AS.endTime, SCHEMA.endDate)),
            "mode": (choice(_MODES), (SCHEMA.eventAttendanceMode,)),
            "status": (choice(_STATES), (SCHEMA.eventStatus,)),
        },
        by=(AS.attributedTo, SCHEMA.organizer),
        more=_places,
        derived=frozenset({AS.location, SCHEMA.location}),
    ).lens(lambda now: Event("", now)),
    "community.lexicon.calendar.rsvp": Table(
        classes=(SCHEMA.RsvpAction,),
        shown={
            "subject": (THING, (AS.object, SCHEMA.event)),
            "status": (
                choice({_RSVP + word: term for word, (_, term) in _ANSWER.items()}),
                (SCHEMA.rsvpResponse,),
            ),
        },
        by=(AS.actor, SCHEMA.agent),
        more=_answer,
    ).lens(lambda _: Attendance(_NOTHING, f"{_RSVP}going")),
    "app.bsky.graph.list": Table(
        classes=(VCARD.Group, AS.Collection, SIOC.Usergroup),
        shown={
            "name": (TEXT, _GROUP_NAMES),
            "description": (TEXT, (VCARD.note, SCHEMA.description)),
            "purpose": (choice(_PURPOSES), (DCT.type,)),
            "created_at": _PUBLISHED,
            "avatar": (PICTURE, (VCARD.hasPhoto, *_PICTURES)),
        },
    ).lens(lambda now: PeopleList("", f"{_PURPOSE}curatelist", now)),
    "app.bsky.graph.listitem": Table(
        classes=(AS.Add,),
        shown={
            "subject": (PERSON, (AS.object,)),
            "group": (RECORD, (AS.target,)),
            "created_at": _SINCE,
        },
        by=(AS.actor,),
        more=_member,
    ).lens(lambda now: Membership(Did(""), AtUri(""), now)),
    "app.bsky.graph.starterpack": Table(
        classes=(AS.Collection, SCHEMA.Collection),
        shown={
            "name": (TEXT, _NAMES),
            "description": (TEXT, (SCHEMA.description, DCT.description)),
            "group": (RECORD, (SCHEMA.hasPart,)),
            "created_at": _PUBLISHED,
        },
    ).lens(lambda now: StarterPack("", AtUri(""), now)),
    "site.standard.publication": Table(
        classes=(SCHEMA.Blog, SIOC.Container),
        shown={
            "name": (TEXT, _NAMES),
            "url": (LINK, (SCHEMA.url,)),
            "description": (TEXT, (SCHEMA.description, DCT.description)),
            "icon": (PICTURE, _PICTURES),
        },
        by=(AS.attributedTo, SCHEMA.publisher),
    ).lens(lambda _: Publication("", "")),
    "community.lexicon.bookmarks.bookmark": Table(
        classes=(BOOKMARK.Bookmark, SCHEMA.BookmarkAction),
        shown={
            "url": (LINK, (BOOKMARK.recalls, SCHEMA.object)),
            "created_at": (MOMENT, (DCT.created, AS.published)),
            "tags": (TEXTS, (SCHEMA.keywords,)),
        },
        by=(AS.attributedTo, SCHEMA.agent),
    ).lens(lambda now: Bookmark("", now)),
}  # fmt: skip
"""The lens of each of these collections."""
