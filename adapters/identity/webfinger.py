"""WebFinger: a fediverse address, a URL or a DID of a member leads to all their names.

Spec: RFC 7033 (https://www.rfc-editor.org/rfc/rfc7033), RFC 7565 (acct)
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from adapters.http.negotiate import AS2_PROFILE
from pod.model.ids import Iri, Origin
from pod.model.member import Member

OIDC_ISSUER: Final = "http://www.w3.org/ns/solid/terms#oidcIssuer"
PROFILE_PAGE: Final = "http://webfinger.net/rel/profile-page"
_SERVICE: Final = "https://www.w3.org/ns/activitystreams#Service"
_FEED: Final = "http://schemas.google.com/g/2010#updates-from"
_OWN_PAGES: Final = frozenset({"/", "/me", "/profile/card"})

Jrd = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ServerActor:
    """The actor that speaks for the server itself: ``acct:{username}@{host}`` leads to ``iri``."""

    username: str
    iri: Iri


def is_about(resource: str, member: Member) -> bool:
    """Whether a WebFinger resource names a member by another name than an address."""
    resource = unquote(resource)
    if resource in (member.did, f"at://{member.handle}", f"at://{member.did}"):
        return True
    return member.path(resource) in _OWN_PAGES


def jrd_of(member: Member, *, issuer: Origin, rels: Collection[str] = ()) -> Jrd:
    """What WebFinger says of a member; ``rels`` keeps only the links that were asked for."""
    links = [
        {"rel": "self", "type": "application/activity+json", "href": member.webid},
        {
            "rel": "self",
            "type": f'application/ld+json; profile="{AS2_PROFILE}"',
            "href": member.webid,
        },
        {"rel": PROFILE_PAGE, "type": "text/html", "href": f"{member.origin}/"},
        {"rel": "describedby", "type": "text/turtle", "href": member.webid},
        {"rel": OIDC_ISSUER, "href": issuer},
        {"rel": _FEED, "type": "application/atom+xml", "href": f"{member.origin}/feed.atom"},
    ]
    return {
        "subject": f"acct:{member.acct}",
        "aliases": [member.webid, f"{member.origin}/", member.did],
        "links": [link for link in links if not rels or link["rel"] in rels],
    }


def server_jrd(actor: ServerActor, host: str) -> Jrd:
    """What WebFinger says of the server's own actor."""
    return {
        "subject": f"acct:{actor.username}@{host}",
        "aliases": [actor.iri],
        "links": [
            {"rel": rel, "type": "application/activity+json", "href": actor.iri}
            for rel in ("self", _SERVICE)
        ],
    }


def is_about_server(resource: str, actor: ServerActor, host: str) -> bool:
    """Whether a WebFinger resource names the server's own actor, or the server (FEP-d556)."""
    resource = unquote(resource)
    origin = "/".join(actor.iri.split("/")[:3])
    if resource.removesuffix("/") == origin:
        return True
    return resource == actor.iri or resource.lower() == f"acct:{actor.username}@{host}".lower()
