"""Who signed a request: picks the scheme, finds the key, follows a rotated key once.

Spec: https://swicg.github.io/activitypub-http-signature/
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from adapters.activitypub.signature import cavage, rfc9421
from adapters.activitypub.signature.request import Claim, Request
from pod.errors import Unauthenticated
from pod.model.ids import Iri

REFETCH_AFTER: Final = timedelta(minutes=1)
"""A key younger than this is not fetched again when a signature does not fit it."""

PublicKey = RSAPublicKey | Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class ActorKey:
    """A public key and the actor who lists it."""

    key_id: str
    owner: Iri
    public: PublicKey
    fetched_at: datetime


class KeyFinder(Protocol):
    """Finds keys by their id."""

    async def actor_key(self, key_id: str, *, fresh: bool) -> ActorKey:
        """The key, from the cache unless ``fresh``; raises what `verify` raises."""
        ...


async def verify(claim: Claim, keys: KeyFinder, now: datetime) -> ActorKey:
    """The key that made the signature of a claim (see `read`); its owner is who asks.

    A signature that a cached key does not fit is tried once more with the key as it is now: keys
    are rotated. Raises Unauthenticated, Gone (the key was deleted) and PeerUnavailable.
    """
    key = await keys.actor_key(claim.key_id, fresh=False)
    if fits(claim, key.public):
        return key
    if now - key.fetched_at >= REFETCH_AFTER:
        key = await keys.actor_key(claim.key_id, fresh=True)
        if fits(claim, key.public):
            return key
    raise Unauthenticated("The signature does not fit the key.")


def read(request: Request, now: datetime) -> Claim:
    """The claim of a signed request, in whichever scheme; raises Unauthenticated."""
    if request.has("signature-input"):
        return rfc9421.read(request, now)
    if request.has("signature"):
        return cavage.read(request, now)
    raise Unauthenticated("A signature is required.")


def fits(claim: Claim, key: PublicKey) -> bool:
    """Whether the key made the signature, with the algorithm that was named for it."""
    if claim.algorithm not in (None, "rsa-sha256" if isinstance(key, RSAPublicKey) else "ed25519"):
        return False
    bases = (claim.base, claim.bare_base)
    return any(_is_by(key, claim.signature, base) for base in bases if base is not None)


def _is_by(key: PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(signature, message, PKCS1v15(), SHA256())
        else:
            key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def public_key(pem: str) -> PublicKey:
    """A key from PEM: RSA of 1,024 to 8,192 bits or Ed25519; raises Unauthenticated."""
    try:
        key = load_pem_public_key(pem.encode())
    except ValueError as err:
        raise Unauthenticated("The signer's key cannot be read.") from err
    if isinstance(key, RSAPublicKey) and 1024 <= key.key_size <= 8192:
        return key
    if isinstance(key, Ed25519PublicKey):
        return key
    raise Unauthenticated("The signer's key is of a kind we do not support.")
