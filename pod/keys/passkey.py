"""Passkeys (WebAuthn): what a browser says of a credential, checked; attestation is not asked for.

Spec: https://www.w3.org/TR/webauthn-3/ sections 7.1 and 7.2
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode
from binascii import Error as BadBase64
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Literal

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pod.errors import Invalid

ALGORITHMS: Final = (-7, -257)
"""COSE numbers of what is accepted: ES256 and RS256, which every authenticator has one of."""

_PRESENT: Final = 0x01
_HEAD: Final = 37


@dataclass(frozen=True, slots=True)
class Site:
    """Whose passkeys these are: an origin, as browsers report it, and the host behind it."""

    origin: str

    @property
    def id(self) -> str:
        """The relying party id."""
        return self.origin.split("://", 1)[1].split(":")[0]


def new_public_key(told: dict[str, str], site: Site, challenge: str) -> bytes:
    """The public key (DER) of a credential that was just made; raises Invalid.

    ``told`` holds base64url texts: ``client_data``, ``authenticator_data``, ``public_key``.
    """
    _check(told, site, challenge, "webauthn.create")
    public_key = _bytes(told, "public_key")
    _load(public_key)
    return public_key


def check_assertion(
    told: dict[str, str], site: Site, challenge: str, public_key: bytes, count: int
) -> int:
    """The new signature count of a credential that was used; raises Invalid.

    ``told`` holds ``client_data``, ``authenticator_data`` and ``signature``. A count that does not
    grow means that the key was copied.
    """
    authenticator_data = _check(told, site, challenge, "webauthn.get")
    signed = authenticator_data + sha256(_bytes(told, "client_data")).digest()
    signature = _bytes(told, "signature")
    key = _load(public_key)
    try:
        if isinstance(key, EllipticCurvePublicKey):
            key.verify(signature, signed, ECDSA(SHA256()))
        else:
            key.verify(signature, signed, PKCS1v15(), SHA256())
    except InvalidSignature as err:
        raise Invalid("That passkey is not right.") from err
    now = int.from_bytes(authenticator_data[33:37], "big")
    if (now or count) and now <= count:
        raise Invalid("That passkey seems to have been copied.")
    return now


def _check(
    told: dict[str, str],
    site: Site,
    challenge: str,
    kind: Literal["webauthn.create", "webauthn.get"],
) -> bytes:
    """The authenticator data, if client and authenticator speak of this challenge and site."""
    try:
        client: Any = orjson.loads(_bytes(told, "client_data"))
    except orjson.JSONDecodeError as err:
        raise Invalid("That passkey is not right.") from err
    said = client.get("challenge") if isinstance(client, dict) else None
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), challenge.encode()):
        raise Invalid("That took too long. Please try again.")
    if client.get("type") != kind or client.get("origin") != site.origin:
        raise Invalid("That passkey is for another site.")
    data = _bytes(told, "authenticator_data")
    if len(data) < _HEAD or data[:32] != sha256(site.id.encode()).digest():
        raise Invalid("That passkey is for another site.")
    if not data[32] & _PRESENT or client.get("crossOrigin") is True:
        raise Invalid("Nobody touched the passkey.")
    return data


def _load(public_key: bytes) -> EllipticCurvePublicKey | RSAPublicKey:
    try:
        key = load_der_public_key(public_key)
    except (ValueError, UnsupportedAlgorithm) as err:
        raise Invalid("That kind of passkey is not supported.") from err
    if isinstance(key, EllipticCurvePublicKey) and key.curve.name == "secp256r1":
        return key
    if isinstance(key, RSAPublicKey) and 2_048 <= key.key_size <= 4_096:
        return key
    raise Invalid("That kind of passkey is not supported.")


def _bytes(told: dict[str, str], name: str) -> bytes:
    text = told.get(name, "")
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (BadBase64, ValueError) as err:
        raise Invalid("That passkey is not right.") from err
