"""Profile <-> RDF: one person as as:Person, foaf:Person, vcard:Individual and schema:Person.

Each field shows under every vocabulary's name for it; an edit of any of them is an edit of all.

Spec: https://solid.github.io/webid-profile/ https://www.w3.org/TR/vcard-rdf/
"""

from __future__ import annotations

from typing import Any, Final

from pyoxigraph import Literal, NamedNode

from adapters.solid.lens.edit import Place, facts, iri
from adapters.solid.lens.flat import LINK, PICTURE, TEXT, Table
from adapters.solid.paths import CARD, PREFERENCES, PRIVATE_INDEX, PUBLIC_INDEX
from adapters.solid.rdf.parse import Graph
from adapters.solid.rdf.vocab import AS, FOAF, LDP, OWL, PIM, RDF, SCHEMA, SOLID, VCARD
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.profile import Profile

_NAMES: Final = (FOAF.name, AS.name, VCARD.fn, SCHEMA.name)
_NOTES: Final = (VCARD.note, SCHEMA.description)
_PAGES: Final = (FOAF.homepage, SCHEMA.url)
_PICTURES: Final = (FOAF.img, VCARD.hasPhoto, AS.icon, SCHEMA.image)


def identity(member: Member, issuer: Iri) -> Graph:
    """What a WebID document says beside the profile: storage, issuer, inbox, names."""
    topic, origin = NamedNode(member.webid), member.origin
    nickname = Literal(member.username)
    accounts = [NamedNode(f"{topic.value}#{network}") for network in ("atproto", "fediverse")]
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
            (AS.alsoKnownAs, iri(f"at://{member.handle}")),
            (PIM.preferencesFile, NamedNode(member.url(PREFERENCES))),
            (SOLID.publicTypeIndex, NamedNode(member.url(PUBLIC_INDEX))),
            (SOLID.privateTypeIndex, NamedNode(member.url(PRIVATE_INDEX))),
            *((FOAF.account, account) for account in accounts),
        ),
        *_account(accounts[0], member.handle, "https://atproto.com/"),
        *_account(accounts[1], member.acct, "https://www.w3.org/TR/activitypub/"),
    ]


def _account(account: NamedNode, name: str, network: str) -> Graph:
    return facts(
        account,
        (RDF.type, FOAF.OnlineAccount),
        (FOAF.accountName, Literal(name)),
        (FOAF.accountServiceHomepage, NamedNode(network)),
    )


def card_facts(member: Member) -> Graph:
    """What only the alias document says: that it is about the person whose WebID is ``/me``."""
    card = NamedNode(member.url(CARD))
    me = NamedNode(f"{card.value}#me")
    return [
        *facts(card, (RDF.type, FOAF.PersonalProfileDocument)),
        *facts(card, (FOAF.maker, me), (FOAF.primaryTopic, me)),
        *facts(me, (OWL.sameAs, NamedNode(member.webid))),
    ]


def _more(profile: Any, place: Place) -> Graph:
    pinned = place.speech.object_url(profile.pinned.uri) if profile.pinned else None
    return facts(
        place.topic,
        (RDF.type, AS.Service if profile.is_bot else AS.Person),
        (AS.featured, iri(pinned) if pinned else None),
    )


_TABLE: Final = Table(
    classes=(FOAF.Person, VCARD.Individual, SCHEMA.Person),
    shown={
        "name": (TEXT, _NAMES),
        "description": (TEXT, _NOTES),
        "website": (LINK, _PAGES),
        "pronouns": (TEXT, (SCHEMA.pronouns,)),
        "avatar": (PICTURE, _PICTURES),
        "banner": (PICTURE, (AS.image,)),
    },
    by=(),
    more=_more,
    derived=frozenset(
        {AS.featured, SOLID.oidcIssuer, PIM.storage, LDP.inbox, AS.outbox, AS.followers,
         AS.following, AS.preferredUsername, AS.alsoKnownAs}
    ),
)  # fmt: skip
LENS: Final = _TABLE.lens(lambda _: Profile())
show: Final = _TABLE.show
"""The profile part of a WebID document."""
