"""Service tokens: somebody's word to a service, signed with the key of their DID document.

Spec: https://atproto.com/specs/xrpc#inter-service-authentication-jwt
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final

import orjson

from adapters.atproto.did.document import read_document
from adapters.atproto.ports import Identities
from pod.errors import Invalid, PeerUnavailable, Unauthenticated
from pod.keys.curves import SigningKey, verify
from pod.model.ids import Did, parse_did
from pod.ports import Clock

LIFE_S: Final = 60
_KEYS: Final = {"": "atproto", "atproto_labeler": "atproto_label"}
"""The key that signs for each service of a DID."""
_OTHERS: Final = frozenset({"at+jwt", "refresh+jwt", "dpop+jwt"})


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


class ServiceTokens:
    """Verifies tokens that are made for this server, whose DID is ``audience``."""

    def __init__(self, identities: Identities, audience: Did, clock: Clock) -> None:
        self._identities = identities
        self._audience = audience
        self._clock = clock

    async def verify(self, token: str, lxm: str) -> Did:
        """Who signed a token for a method; Unauthenticated with the name that tells why not."""
        head, claims = _parts(token)
        if head.get("typ") in _OTHERS:
            raise Unauthenticated(f'Invalid jwt type "{head["typ"]}"', name="BadJwtType")
        issuer, expires = claims.get("iss"), claims.get("exp")
        if not isinstance(issuer, str) or not isinstance(expires, int | float):
            raise Unauthenticated("poorly formatted jwt", name="BadJwt")
        if expires <= self._clock.now().timestamp():
            raise Unauthenticated("jwt expired", name="JwtExpired")
        if str(claims.get("aud")).partition("#")[0] != self._audience:
            text = "jwt audience does not match service did"
            raise Unauthenticated(text, name="BadJwtAudience")
        if claims.get("lxm") != lxm:
            text = f'bad jwt lexicon method ("lxm"). must match: {lxm}'
            raise Unauthenticated(text, name="BadJwtLexiconMethod")
        did, _, service = issuer.partition("#")
        # A key that changed lately may be cached still: then the document is asked for once more.
        for fresh in (False, True):
            if await self._is_signed(token, head, did, service, fresh=fresh):
                return Did(did)
        text = "jwt signature does not match jwt issuer"
        raise Unauthenticated(text, name="BadJwtSignature")

    async def _is_signed(
        self, token: str, head: dict[str, Any], did: str, service: str, *, fresh: bool
    ) -> bool:
        try:
            document = await self._identities.did_document(parse_did(did), fresh=fresh)
            key = read_document(Did(did), document).keys.get(_KEYS.get(service, ""))
        except (Invalid, PeerUnavailable) as err:
            raise Unauthenticated("could not resolve iss did", name="BadJwtIssuer") from err
        message, _, signature = token.rpartition(".")
        alg = head.get("alg")
        if key is None or alg not in ("ES256", "ES256K"):
            return False
        try:
            # Others sign without the low-S rule, which is for repositories.
            return verify(key, message.encode(), _bytes(signature), allow_high_s=True)
        except Invalid:
            return False


def is_service_token(authorization: bytes | None) -> bool:
    """Whether an Authorization header shows a token for one method rather than a session's."""
    try:
        _, claims = _parts((authorization or b"").partition(b" ")[2].decode("latin-1"))
    except Unauthenticated:
        return False
    return "lxm" in claims


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    parts = token.split(".")
    try:
        head, claims = (orjson.loads(_bytes(part)) for part in parts[:2])
    except (ValueError, Invalid) as err:
        raise Unauthenticated("poorly formatted jwt", name="BadJwt") from err
    if len(parts) != 3 or not isinstance(head, dict) or not isinstance(claims, dict):
        raise Unauthenticated("poorly formatted jwt", name="BadJwt")
    return head, claims


def _bytes(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as err:
        raise Invalid("not base64url") from err


def _b64(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")
