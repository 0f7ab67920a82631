"""Signed tokens of others (JWS): who signed them with which public key; never our own secrets.

The library is loaded with the first token: it is large, and a pod starts without.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from binascii import Error as BadBase64
from collections.abc import Mapping
from typing import Any, Final

import orjson

from pod.errors import Invalid

ALGORITHMS: Final = (
    "ES256",
    "ES384",
    "ES512",
    "ES256K",
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
)
"""Signature algorithms that are accepted: all with a public key."""

MAX_TOKEN: Final = 8_192
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def header_of(token: str) -> dict[str, Any]:
    """The header of a compact JWS, unverified; Invalid if it is none or names no good algorithm."""
    try:
        head = token.split(".", 1)[0]
        header = orjson.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (BadBase64, ValueError) as err:
        raise Invalid("malformed token") from err
    if len(token) > MAX_TOKEN or not isinstance(header, dict):
        raise Invalid("malformed token")
    if header.get("alg") not in ALGORITHMS:
        raise Invalid("unsupported algorithm")
    return header


def verified(token: str, key: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of a compact JWS, if the public JWK ``key`` signed it; Invalid otherwise."""
    from joserfc import jwk, jws
    from joserfc.errors import JoseError

    registry = jws.JWSRegistry(algorithms=list(ALGORITHMS))
    # An RSA key in the header takes more than the usual 512 bytes.
    registry.max_header_length = MAX_TOKEN
    try:
        if _PRIVATE & key.keys() or key.get("kty") == "oct":
            raise Invalid("the key is not a public one")
        signed = jws.deserialize_compact(token, jwk.import_key(dict(key)), registry=registry)
        claims = orjson.loads(signed.payload)
    except (JoseError, ValueError, TypeError, KeyError) as err:
        raise Invalid("the signature could not be verified") from err
    if not isinstance(claims, dict):
        raise Invalid("malformed token")
    return claims


def thumbprint(key: Mapping[str, Any]) -> str:
    """The SHA-256 thumbprint of a public JWK (RFC 7638); Invalid if it is none."""
    from joserfc import jwk
    from joserfc.errors import JoseError

    try:
        return jwk.import_key(dict(key)).thumbprint()
    except (JoseError, ValueError, TypeError, KeyError) as err:
        raise Invalid("malformed key") from err
