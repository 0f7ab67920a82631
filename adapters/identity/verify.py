"""Walks the identity knot: fetches what each name says, from who controls that name.

Spec: RFC 7033, https://atproto.com/specs/handle, https://www.w3.org/TR/did-core/#also-known-as,
https://w3id.org/fep/2c59
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

import orjson
import pyoxigraph

from adapters.http.negotiate import AS2_PROFILE, parse_media_type
from adapters.identity.knot import Claim, Kind, Knot
from pod.errors import Invalid


@dataclass(frozen=True, slots=True)
class Found:
    """A document and where it came from; ``authority`` says what vouches for it."""

    body: bytes
    media_type: str
    evidence: str
    authority: str


Get = Callable[[str, str], Awaitable[Found | None]]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where documents come from, each from the authority that controls the name.

    ``handle`` resolves a handle to a DID (as the body), ``did`` fetches a DID document, ``get``
    fetches a URL with an Accept header; each answers None where there is nothing. ``scheme`` is
    that of WebFinger look-ups.
    """

    handle: Callable[[str], Awaitable[Found | None]]
    did: Callable[[str], Awaitable[Found | None]]
    get: Get
    scheme: str = "https"


Said = tuple[Kind, str]

_AS2_ACCEPT: Final = f'application/activity+json, application/ld+json; profile="{AS2_PROFILE}"'
_RDF_ACCEPT: Final = "text/turtle, application/ld+json;q=0.5"
_SAME: Final = frozenset(
    {
        "http://www.w3.org/2002/07/owl#sameAs",
        "https://www.w3.org/ns/activitystreams#alsoKnownAs",
        "http://xmlns.com/foaf/0.1/account",
    }
)


async def verify(name: str, sources: Sources) -> Knot:
    """Walk the knot from any one name; raises Invalid where it is no name.

    Fetches one document per name. The first value of a kind is the knot's; another is a conflict.
    """
    knot = Knot()
    left = [start_of(name)]
    while left:
        kind, value = left.pop(0)
        if kind in knot.names:
            continue
        knot.names[kind] = value
        found = await _fetch(kind, value, sources)
        if found is None:
            continue
        for target, said in dict.fromkeys(_read(kind, value, found)):
            knot.claims.append(Claim(kind, target, said, found.evidence, found.authority))
            left.append((target, said))
    knot.names = {kind: knot.names[kind] for kind in Kind if kind in knot.names}
    return knot


def start_of(name: str) -> Said:
    """What kind of name a text is; raises Invalid."""
    name = name.strip()
    if name.startswith("did:"):
        return Kind.DID, name
    if name.startswith(("https://", "http://")):
        return Kind.ACTOR, name
    bare = name.removeprefix("acct:").removeprefix("at://").removeprefix("@")
    if "@" in bare:
        return Kind.ACCT, bare
    if "." in bare and " " not in bare and "/" not in bare:
        return Kind.HANDLE, bare.lower()
    raise Invalid("not a handle, DID, fediverse address or URL")


async def _fetch(kind: Kind, value: str, sources: Sources) -> Found | None:
    """The document that speaks for a name."""
    match kind:
        case Kind.HANDLE:
            return await sources.handle(value)
        case Kind.DID:
            return await sources.did(value)
        case Kind.ACCT:
            resource = quote(f"acct:{value}", safe=":@")
            url = f"{sources.scheme}://{value.rpartition('@')[2]}/.well-known/webfinger"
            accept = "application/jrd+json, application/json;q=0.9"
            return await sources.get(f"{url}?resource={resource}", accept)
        case Kind.ACTOR:
            return await sources.get(value, _AS2_ACCEPT)
        case Kind.WEBID:
            return await sources.get(value, _RDF_ACCEPT)


def _read(kind: Kind, value: str, found: Found) -> Iterator[Said]:
    """What the document of a name says of others."""
    match kind:
        case Kind.HANDLE:
            yield Kind.DID, found.body.decode("utf-8", "replace").strip()
        case Kind.DID:
            yield from _of_did(_json(found.body))
        case Kind.ACCT:
            yield from _of_acct(_json(found.body))
        case Kind.ACTOR:
            yield from _of_actor(value, _json(found.body))
        case Kind.WEBID:
            yield from _of_webid(value, found)


def _json(body: bytes) -> dict[str, Any]:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return data if isinstance(data, dict) else {}


def _texts(value: object) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [text for text in listed if isinstance(text, str)]


def _of_did(document: dict[str, Any]) -> Iterator[Said]:
    handles = 0
    for name in _texts(document.get("alsoKnownAs")):
        if name.startswith("at://") and not handles:
            handles += 1
            yield Kind.HANDLE, name.removeprefix("at://").lower()
        elif name.startswith(("https://", "http://")):
            yield Kind.ACTOR, name
            yield Kind.WEBID, name


def _of_acct(jrd: dict[str, Any]) -> Iterator[Said]:
    links = jrd.get("links")
    for link in links if isinstance(links, list) else []:
        if not isinstance(link, dict) or link.get("rel") != "self":
            continue
        media = parse_media_type(str(link.get("type")))
        if media is not None and media.essence == "application/activity+json":
            yield from ((Kind.ACTOR, href) for href in _texts(link.get("href")))
    for alias in _texts(jrd.get("aliases")):
        if alias.startswith("did:"):
            yield Kind.DID, alias


def _of_actor(iri: str, actor: dict[str, Any]) -> Iterator[Said]:
    if actor.get("id") != iri:
        return
    for name in _texts(actor.get("alsoKnownAs")):
        bare = name.removeprefix("at://")
        if bare.startswith("did:"):
            yield Kind.DID, bare
        elif bare != name:
            yield Kind.HANDLE, bare.lower()
    address = actor.get("webfinger")
    if isinstance(address, str):
        yield Kind.ACCT, address.removeprefix("acct:")
    elif isinstance(actor.get("preferredUsername"), str):
        yield Kind.ACCT, f"{actor['preferredUsername']}@{urlsplit(iri).netloc}"
    yield Kind.WEBID, iri


def _of_webid(iri: str, found: Found) -> Iterator[Said]:
    media = parse_media_type(found.media_type)
    format_ = pyoxigraph.RdfFormat.from_media_type(media.essence) if media else None
    if format_ is None:
        return
    try:
        triples = list(pyoxigraph.parse(found.body, format=format_, base_iri=iri))
    except SyntaxError:
        return
    node = pyoxigraph.NamedNode(iri)
    about_me = [triple for triple in triples if triple.subject == node]
    for triple in about_me:
        if triple.predicate.value in _SAME and isinstance(triple.object, pyoxigraph.NamedNode):
            name = triple.object.value.removeprefix("at://")
            if name.startswith("did:"):
                yield Kind.DID, name
    if about_me:
        yield Kind.ACTOR, iri
