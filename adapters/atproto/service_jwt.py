"""Service tokens: a member's word to another service, signed with the key of their DID document.

Spec: https://atproto.com/specs/xrpc#inter-service-authentication-jwt
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from typing import Any, Final

import orjson

from pod.keys.curves import SigningKey
from pod.model.ids import Did

LIFE_S: Final = 60


def service_jwt(
    key: SigningKey,
    *,
    issuer: Did,
    audience: str,
    now_s: int,
    lxm: str | None,
    life_s: int = LIFE_S,
) -> str:
    """A token for one audience (a DID, or a DID with a service fragment) and one method.

    ``lxm`` None makes a token for any method, which callers keep to a minute.
    """
    head = {"typ": "JWT", "alg": key.jwt_alg}
    claims: dict[str, Any] = {"iat": now_s, "iss": issuer, "aud": audience, "exp": now_s + life_s}
    if lxm is not None:
        claims["lxm"] = lxm
    claims["jti"] = secrets.token_hex(16)
    signed = _b64(orjson.dumps(head)) + b"." + _b64(orjson.dumps(claims))
    return (signed + b"." + _b64(key.sign(signed))).decode()


def _b64(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")
