"""The key that signs tokens which others verify by the key set of the server (JWKS)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import ec

from pod.keys.curves import SigningKey


class TokenKey:
    """An ES256 key as JSON Web Key and JSON Web Signature."""

    def __init__(self, key: SigningKey) -> None:
        """``key`` is on P-256."""
        self._key = key

    @cached_property
    def public_jwk(self) -> dict[str, str]:
        """The public key as a JWK, named by its thumbprint (RFC 7638)."""
        point = ec.EllipticCurvePublicKey.from_encoded_point(
            ec.SECP256R1(), self._key.public.point
        ).public_numbers()
        jwk = {
            "crv": "P-256",
            "kty": "EC",
            "x": _b64(point.x.to_bytes(32, "big")),
            "y": _b64(point.y.to_bytes(32, "big")),
        }
        kid = _b64(sha256(orjson.dumps(jwk, option=orjson.OPT_SORT_KEYS)).digest())
        return {**jwk, "kid": kid, "alg": self._key.jwt_alg, "use": "sig"}

    def signed(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
        """A compact JWS over claims; ``alg`` is added to the header."""
        head = {"alg": self._key.jwt_alg, **header}
        text = f"{_b64(orjson.dumps(head))}.{_b64(orjson.dumps(claims))}"
        return f"{text}.{_b64(self._key.sign(text.encode()))}"


def _b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
