"""Fediverse addresses: from ``name@host`` to the actor by WebFinger, and back from what is known.

Spec: RFC 7033, https://docs.joinmastodon.org/spec/webfinger/, https://w3id.org/fep/2c59
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

import orjson

from adapters.activitypub.federation import parse_domain
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import AS2, MEDIA_TYPE
from adapters.activitypub.wing import Wing
from pod.errors import Gone, Invalid, PeerUnavailable
from pod.model.ids import Iri, Origin

_ADDRESS: Final = re.compile(r"@?([^\s@/:?#]{1,256})@([^\s@/?#]{1,260})")
_JRD: Final = {"Accept": "application/jrd+json, application/json"}
_MAX_BYTES: Final = 64 * 1024


def parse_address(text: str) -> tuple[str, str]:
    """Name and host of ``@name@host``, ``name@host`` or ``acct:name@host``; raises Invalid."""
    found = _ADDRESS.fullmatch(text.strip().removeprefix("acct:"))
    if found is None:
        raise Invalid(f"{text.strip()[:100]} is not a fediverse address.")
    host, colon, port = found[2].partition(":")
    return found[1], parse_domain(host) + colon + port


async def find(wing: Wing, text: str) -> Iri:
    """The actor with an address, or with the id that is given instead.

    Raises Invalid for what is neither, Gone where nobody has the address, PeerUnavailable.
    """
    if text.strip().startswith(("https://", "http://")):
        iri = read.iri({"it": text.strip()}, "it")
        if iri is None:
            raise Invalid(f"{text.strip()[:100]} is not an address.")
        return iri
    name, host = parse_address(text)
    scheme = wing.server.partition("://")[0]
    local = wing.reader.member_by_origin(Origin(f"{scheme}://{host}"))
    if local is not None and local.is_active and local.username == name.lower():
        return local.webid
    resource = quote(f"acct:{name}@{host}", safe=":@")
    url = f"{scheme}://{host}/.well-known/webfinger?resource={resource}"
    fetched = await wing.egress.get(url, _headers, max_bytes=_MAX_BYTES)
    if fetched.status in (404, 410):
        raise Gone(f"There is no {name}@{host}.")
    if fetched.status != 200:
        raise PeerUnavailable(f"{host} answered with {fetched.status}.")
    return _self_link(fetched.body, f"{name}@{host}")


def address_of(wing: Wing, actor: Iri) -> str:
    """The address of an actor as it was last seen; the id itself of one who was never seen."""
    local = wing.local_actor(actor)
    if local is not None:
        return local.acct
    held = wing.cache.get(actor)
    document = orjson.loads(held[0]) if held is not None else {}
    said = read.text(document, "webfinger")
    if said is not None and _ADDRESS.fullmatch(said.removeprefix("acct:")):
        return said.removeprefix("acct:").removeprefix("@")
    name = read.text(document, "preferredUsername")
    return f"{name}@{urlsplit(actor).netloc}" if name else actor


def _headers(url: str) -> Mapping[str, str]:  # noqa: ARG001  not signed: WebFinger is public
    return _JRD


def _self_link(body: bytes, address: str) -> Iri:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as err:
        raise Invalid(f"The answer about {address} is not JSON.") from err
    links: Any = document.get("links") if isinstance(document, dict) else None
    for link in links if isinstance(links, list) else []:
        if not isinstance(link, dict) or link.get("rel") != "self":
            continue
        kind = str(link.get("type", ""))
        found = read.iri(link, "href")
        if found is not None and (kind == MEDIA_TYPE or AS2 in kind):
            return found
    raise Gone(f"{address} is not an address in the fediverse.")
