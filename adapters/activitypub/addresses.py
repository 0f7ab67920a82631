"""Fediverse addresses: from ``name@host`` to the actor by WebFinger, and back from what is known.

Spec: RFC 7033, https://docs.joinmastodon.org/spec/webfinger/, https://w3id.org/fep/2c59
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

import orjson

from adapters.activitypub.jsonld import read
from adapters.activitypub.remote.webfinger import ask, parse_address
from adapters.activitypub.wing import Wing
from pod.errors import Invalid
from pod.model.ids import Iri, Origin

_MOST_NAMES: Final = 2
"""How many addresses a search goes through: what was asked for, and the name it goes by."""


async def find(wing: Wing, text: str) -> Iri:
    """The actor with an address, or with the id that is given instead.

    A host may say that the person goes by another address, whose own host must agree then. Raises
    Invalid for what is no address, Gone where nobody has it, PeerUnavailable, Forbidden, TooLarge.
    """
    if text.strip().startswith(("https://", "http://")):
        iri = read.iri({"it": text.strip()}, "it")
        if iri is None:
            raise Invalid(f"{text.strip()[:100]} is not an address.")
        return iri
    address, scheme = parse_address(text), wing.server.partition("://")[0]
    for _ in range(_MOST_NAMES):
        local = wing.reader.member_by_origin(Origin(f"{scheme}://{address.host}"))
        if local is not None and local.is_active and local.username == address.name.lower():
            return local.webid
        finger = await ask(wing.egress, scheme, address)
        if finger.subject.is_same(address):
            return finger.actor
        address = finger.subject
    raise Invalid(f"{text.strip()[:100]} leads from one address to the next.")


def address_of(wing: Wing, actor: Iri) -> str:
    """The address of an actor as it was last seen; the id itself of one who was never seen."""
    local = wing.local_actor(actor)
    if local is not None:
        return local.acct
    held = wing.cache.get(actor)
    document = orjson.loads(held[0]) if held is not None else {}
    said = read.text(document, "webfinger")
    if said is not None:
        with suppress(Invalid):
            return str(parse_address(said))
    name = read.text(document, "preferredUsername")
    return f"{name}@{urlsplit(actor).netloc}" if name else actor
