"""Profile <-> RDF: one person as as:Person, foaf:Person, vcard:Individual and schema:Person.

Each field shows under every vocabulary's name for it; an edit of any of them is an edit of all.

Spec: https://solid.github.io/webid-profile/ https://www.w3.org/TR/vcard-rdf/
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from pyoxigraph import Literal, NamedNode

from adapters.solid.lens.edit import Change, Changes, Lens, Place, Value, facts, iri, one_text
from adapters.solid.rdf.parse import Graph
from adapters.solid.rdf.vocab import AS, FOAF, LDP, OWL, PIM, RDF, SCHEMA, SOLID, VCARD, XSD
from pod.errors import Unprocessable
from pod.model.blob import BlobRef
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.profile import Profile
from pod.records.cid import cid_text

_NAMES: Final = (FOAF.name, AS.name, VCARD.fn, SCHEMA.name)
_NOTES: Final = (VCARD.note, SCHEMA.description)
_PAGES: Final = (FOAF.homepage, SCHEMA.url)
_PICTURES: Final = (FOAF.img, VCARD.hasPhoto, AS.icon, SCHEMA.image)


def show(profile: Profile, place: Place) -> Graph:
    """The profile part of a WebID document."""
    topic, author = place.topic, place.author
    name = Literal(profile.name) if profile.name is not None else None
    note = Literal(profile.description) if profile.description is not None else None
    website = profile.website
    page = (iri(website) or Literal(website)) if website is not None else None
    picture, banner = _picture(profile.avatar, author), _picture(profile.banner, author)
    pinned = place.speech.object_url(profile.pinned.uri) if profile.pinned else None
    return facts(
        topic,
        (RDF.type, AS.Service if profile.is_bot else AS.Person),
        (RDF.type, FOAF.Person),
        (RDF.type, VCARD.Individual),
        (RDF.type, SCHEMA.Person),
        *((predicate, name) for predicate in _NAMES),
        *((predicate, note) for predicate in _NOTES),
        *((predicate, page) for predicate in _PAGES),
        (SCHEMA.pronouns, Literal(profile.pronouns) if profile.pronouns is not None else None),
        *((predicate, picture) for predicate in _PICTURES),
        (AS.image, banner),
        (AS.featured, iri(pinned) if pinned else None),
    )


def identity(member: Member, issuer: Iri) -> Graph:
    """What a WebID document says beside the profile: storage, issuer, inbox, names."""
    topic, origin = NamedNode(member.webid), member.origin
    nickname = Literal(member.username)
    return [
        *facts(
            topic,
            (RDF.type, FOAF.Agent),
            (SOLID.oidcIssuer, NamedNode(issuer)),
            (PIM.storage, NamedNode(f"{origin}/data/")),
            (LDP.inbox, NamedNode(f"{origin}/inbox/")),
            (AS.outbox, NamedNode(f"{origin}/outbox")),
            (AS.followers, NamedNode(f"{origin}/followers")),
            (AS.following, NamedNode(f"{origin}/following")),
            (AS.preferredUsername, nickname),
            (FOAF.nick, nickname),
            (OWL.sameAs, iri(member.did)),
            (AS.alsoKnownAs, iri(member.did)),
        ),
    ]


def _picture(blob: BlobRef | None, author: Member) -> NamedNode | None:
    return NamedNode(author.url(f"/blobs/{cid_text(blob.cid)}")) if blob is not None else None


def edit(profile: Profile, changes: Changes, place: Place) -> Profile:  # noqa: ARG001  a lens's shape
    """The profile after an edit of its view; see `Lens.edit`."""
    for field, change in changes.items():
        read: Callable[[str, Change], Value | None] = _page if field == "website" else one_text
        value = read(field, change)
        if value is None and len(change.removed) < len(_MIRRORS[field]):
            raise Unprocessable(f"To remove the {field}, remove every name it shows under")
        text = value.value if value is not None else None
        if field == "website":
            profile = replace(profile, website=text)
        elif field == "name":
            profile = replace(profile, name=text)
        elif field == "description":
            profile = replace(profile, description=text)
        else:
            profile = replace(profile, pronouns=text)
    return profile


def _page(field: str, change: Change) -> Value | None:
    for value in change.added:
        is_text = isinstance(value, Literal) and value.datatype == XSD.string
        if not (is_text or isinstance(value, NamedNode)):
            raise Unprocessable(f"{value} cannot be the {field}")
    pages = {value.value: value for value in change.added}
    if len(pages) > 1:
        raise Unprocessable(f"A profile has one {field}")
    return next(iter(pages.values()), None)


_MIRRORS: Final = {
    "name": _NAMES,
    "description": _NOTES,
    "website": _PAGES,
    "pronouns": (SCHEMA.pronouns,),
}

LENS: Final = Lens[Profile](
    editable={predicate: field for field, mirrors in _MIRRORS.items() for predicate in mirrors},
    derived=frozenset(
        {*_PICTURES, AS.image, AS.featured, SOLID.oidcIssuer, PIM.storage, LDP.inbox, AS.outbox,
         AS.followers, AS.following, AS.preferredUsername, AS.alsoKnownAs}
    ),
    show=show,
    edit=edit,
    blank=lambda _: Profile(),
)  # fmt: skip
