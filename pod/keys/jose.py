"""Signed tokens of others (JWS): who signed them with which public key; never our own secrets.

The library is loaded with the first token: it is large, and a pod starts without.
"""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

import orjson

from pod.errors import Invalid
from pod.keys.curves import Curve, PublicKey, public_key

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
    if key.get("crv") == "P-256" and header_of(token)["alg"] == "ES256":
        return _verified_p256(token, key)
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


def _verified_p256(token: str, key: Mapping[str, Any]) -> dict[str, Any]:
    """What `verified` does, for the one algorithm that everybody uses, at a third of its cost."""
    signed, _, signature = token.rpartition(".")
    _, dot, payload = signed.partition(".")
    told = header_of(token)
    unfit = _PRIVATE & key.keys() or key.get("kty") != "EC" or key.get("use", "sig") != "sig"
    if (
        unfit
        or key.get("alg", "ES256") != "ES256"
        or "verify" not in key.get("key_ops", ["verify"])
    ):
        raise Invalid("the key is not a public one for ES256")
    if not dot or "." in payload or {"crit", "b64"} & told.keys():
        raise Invalid("malformed token")
    public = p256_key(str(key.get("x")), str(key.get("y")))
    if not public.verify(signed.encode(), _raw(signature), allow_high_s=True):
        raise Invalid("the signature could not be verified")
    try:
        claims = orjson.loads(_raw(payload))
    except orjson.JSONDecodeError as err:
        raise Invalid("malformed token") from err
    if not isinstance(claims, dict):
        raise Invalid("malformed token")
    return claims


@lru_cache(maxsize=4096)
def p256_key(x: str, y: str) -> PublicKey:
    """The P-256 key of a JWK's coordinates; Invalid."""
    point = _raw(x), _raw(y)
    if [len(each) for each in point] != [32, 32]:
        raise Invalid("malformed key")
    return public_key(Curve.P256, b"\x04" + b"".join(point))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _raw(text: str) -> bytes:
    try:
        return b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (BadBase64, ValueError) as err:
        raise Invalid("malformed token") from err


def thumbprint(key: Mapping[str, Any]) -> str:
    """The SHA-256 thumbprint of a public JWK (RFC 7638); Invalid if it is none."""
    if key.get("crv") == "P-256" and key.get("kty") == "EC":
        p256_key(str(key.get("x")), str(key.get("y")))
        named = {name: key[name] for name in ("crv", "kty", "x", "y")}
        return _text(sha256(orjson.dumps(named)).digest())
    from joserfc import jwk
    from joserfc.errors import JoseError

    try:
        return jwk.import_key(dict(key)).thumbprint()
    except (JoseError, ValueError, TypeError, KeyError) as err:
        raise Invalid("malformed key") from err
