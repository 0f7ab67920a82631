"""Followers for comparing: a digest of those at the receiving server goes with private posts.

Spec: https://w3id.org/fep/8fcf
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import urlsplit

from adapters.activitypub.jsonld.context import PUBLIC
from adapters.activitypub.lens.collection import collection
from adapters.activitypub.lens.published import View
from adapters.activitypub.wing import Wing
from pod.model.ids import Iri
from pod.model.member import Member

HEADER: Final = "Collection-Synchronization"

_PAGE: Final = 500


def header(wing: Wing, member: Member, inbox: Iri, body: bytes) -> dict[str, str]:
    """What goes with an activity for followers only: who of them is of the inbox's server."""
    collection_id = f"{member.origin}/followers"
    if PUBLIC.encode() in body or f'"{collection_id}"'.encode() not in body:
        return {}
    told = {
        "collectionId": collection_id,
        "url": f"{collection_id}_synchronization",
        "digest": digest(_followers_at(wing, member, inbox)),
    }
    return {HEADER: ", ".join(f'{name}="{value}"' for name, value in told.items())}


def followers_of(wing: Wing, member: Member, visitor: Iri) -> View:
    """The followers that a member has on the visitor's server."""
    found = list(_followers_at(wing, member, visitor))
    return collection(f"{member.origin}/followers_synchronization", len(found), items=found)


def _followers_at(wing: Wing, member: Member, of: Iri) -> Iterator[Iri]:
    host, after = urlsplit(of).netloc.lower(), ""
    while page := wing.followers.page(member.id, after=after, limit=_PAGE):
        yield from (each.actor for each in page if urlsplit(each.actor).netloc.lower() == host)
        after = page[-1].actor


def digest(ids: Iterable[str]) -> str:
    """The exclusive or of the hashes of ids, as hexadecimal."""
    total = 0
    for ident in ids:
        total ^= int.from_bytes(hashlib.sha256(ident.encode()).digest(), "big")
    return f"{total:064x}"
