"""Object integrity proofs: an activity that carries its author's signature, whoever brings it.

Spec: https://w3id.org/fep/8b32 and https://www.w3.org/TR/vc-di-eddsa/#eddsa-jcs-2022
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.canonical import canonical
from adapters.activitypub.jsonld.context import DATA_INTEGRITY
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.signature.request import SKEW, Claim
from adapters.activitypub.signature.verify import KeyFinder, fits
from pod.errors import Invalid, Unauthenticated
from pod.keys import multibase
from pod.keys.ed25519 import Ed25519Key
from pod.model.ids import Iri

LIFETIME: Final = timedelta(days=7)
"""How old a proof may be: as long as ids of activities are remembered."""

_TYPE: Final = "DataIntegrityProof"
_SUITE: Final = "eddsa-jcs-2022"


def prove(document: dict[str, Any], key: Ed25519Key, method: str, now: datetime) -> dict[str, Any]:
    """The document with a proof by the key that is listed as ``method``."""
    held = document["@context"]
    context = [*(held if isinstance(held, list) else [held])]
    if DATA_INTEGRITY not in context:
        context.insert(1, DATA_INTEGRITY)
    secured = {**document, "@context": context}
    config = {
        "@context": context,
        "type": _TYPE,
        "cryptosuite": _SUITE,
        "created": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
    }
    proof = {**config, "proofValue": multibase.encode(key.sign(_hashes(secured, config)))}
    return {**secured, "proof": proof}


async def is_proven(document: Node, actor: Iri, keys: KeyFinder, now: datetime) -> bool:
    """Whether the document carries a proof by ``actor`` that holds; False too where it has none.

    Raises PeerUnavailable when the actor's key cannot be had at the moment.
    """
    for proof in list(read.nodes(document, "proof"))[:2]:
        method, value = read.iri(proof, "verificationMethod"), proof.get("proofValue")
        if method is None or not isinstance(value, str) or not _is_timely(proof, now):
            continue
        if not read.same_origin(method, actor):
            continue
        try:
            signature = multibase.decode(value)
            key = await keys.actor_key(method, fresh=False)
            claims = [Claim(method, "ed25519", base, signature) for base in _bases(document, proof)]
        except (Invalid, Unauthenticated):
            continue
        is_own = key.owner == actor and isinstance(key.public, Ed25519PublicKey)
        if is_own and any(fits(claim, key.public) for claim in claims):
            return True
    return False


def _is_timely(proof: Node, now: datetime) -> bool:
    """Whether the proof is of our kind and of these days."""
    if proof.get("type") != _TYPE or proof.get("cryptosuite") != _SUITE:
        return False
    if proof.get("proofPurpose") != "assertionMethod":
        return False
    created, expires = _time(proof.get("created")), _time(proof.get("expires"))
    if created is None or ("expires" in proof and expires is None):
        return False
    is_over = expires is not None and expires < now
    return not is_over and now - LIFETIME <= created <= now + SKEW


def _time(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _bases(document: Node, proof: Node) -> Iterator[bytes]:
    """What may have been signed: older implementations leave the context out of the proof."""
    unsecured = {key: value for key, value in document.items() if key != "proof"}
    config = {key: value for key, value in proof.items() if key != "proofValue"}
    yield _hashes(unsecured, config)
    if "@context" not in config and "@context" in document:
        yield _hashes(unsecured, {"@context": document["@context"], **config})


def _hashes(document: Node, config: Node) -> bytes:
    return b"".join(hashlib.sha256(canonical(part)).digest() for part in (config, document))
