"""WebFinger of other servers: who has an address, and whether an actor's claim of one holds.

Spec: RFC 7033, RFC 7565, https://docs.joinmastodon.org/spec/webfinger/, https://w3id.org/fep/2c59
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import orjson

from adapters.activitypub.federation import parse_domain
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.context import AS2, MEDIA_TYPE
from adapters.activitypub.ports import Egress
from pod.errors import Gone, Invalid, PeerUnavailable, PodError
from pod.model.ids import Iri

_ADDRESS: Final = re.compile(r"@?([^\s@/:?#]{1,256})@([^\s@/?#]{1,260})")
_JRD: Final = {"Accept": "application/jrd+json, application/json"}
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_PORTS: Final = 65_536
_HTTPS: Final = "443"
_MAX_BYTES: Final = 64 * 1024


class Address(NamedTuple):
    """``name@host``, the host as on the wire, with its port where it is not the usual one."""

    name: str
    host: str

    def is_same(self, other: Address) -> bool:
        """Whether both name the same person: capitals make no difference."""
        return self.name.lower() == other.name.lower() and self.host == other.host

    def __str__(self) -> str:
        return f"{self.name}@{self.host}"


@dataclass(frozen=True, slots=True)
class Finger:
    """What a server says of an address: whose it is, and under which address it goes itself."""

    subject: Address
    actor: Iri


def parse_address(text: str) -> Address:
    """``@name@host``, ``name@host`` or ``acct:name@host``; raises Invalid."""
    bare = text.strip()
    found = _ADDRESS.fullmatch(bare[5:] if bare[:5].lower() == "acct:" else bare)
    if found is None:
        raise Invalid(f"{bare[:100]} is not a fediverse address.")
    host, colon, port = found[2].partition(":")
    if colon and not (_PORT.fullmatch(port) and int(port) < _PORTS):
        raise Invalid(f"{bare[:100]} is not a fediverse address.")
    at_port = f":{port}" if port not in ("", _HTTPS) else ""
    return Address(found[1], parse_domain(host) + at_port)


async def ask(egress: Egress, scheme: str, address: Address) -> Finger:
    """Ask the address's own host; redirects are followed as `egress` follows them.

    Raises Gone where nobody has the address, Invalid for an answer that is none, TooLarge,
    Forbidden and PeerUnavailable.
    """
    resource = quote(f"acct:{address}", safe=":@")
    url = f"{scheme}://{address.host}/.well-known/webfinger?resource={resource}"
    fetched = await egress.get(url, _headers, max_bytes=_MAX_BYTES)
    if fetched.status in (404, 410):
        raise Gone(f"There is no {address}.")
    if fetched.status != 200:
        raise PeerUnavailable(f"{address.host} answered with {fetched.status}.")
    return _read(fetched.body, address)


async def holds(egress: Egress, scheme: str, claimed: str, actor: Iri) -> bool:
    """Whether the host of an address that an actor claims says the same."""
    try:
        address = parse_address(claimed)
        finger = await ask(egress, scheme, address)
    except PodError:
        return False
    return finger.actor == actor and finger.subject.is_same(address)


def _headers(url: str) -> Mapping[str, str]:  # noqa: ARG001  not signed: WebFinger is public
    return _JRD


def _read(body: bytes, address: Address) -> Finger:
    """The body decides, not its media type: static hosts send what they like."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as err:
        raise Invalid(f"The answer about {address} is not JSON.") from err
    told: dict[str, Any] = document if isinstance(document, dict) else {}
    subject, links = told.get("subject"), told.get("links")
    if not isinstance(subject, str):
        raise Invalid(f"The answer about {address} does not say whom it is about.")
    for link in links if isinstance(links, list) else []:
        if not isinstance(link, dict) or link.get("rel") != "self":
            continue
        kind, found = str(link.get("type", "")), read.iri(link, "href")
        if found is not None and (kind == MEDIA_TYPE or AS2 in kind):
            return Finger(parse_address(subject), found)
    raise Gone(f"{address} is not an address in the fediverse.")
