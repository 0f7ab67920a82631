"""Session tokens: access and refresh JWTs (HS256), made and verified by this server alone.

Spec: https://atproto.com/specs/xrpc#authentication, RFC 7519, RFC 9068 (``at+jwt``)
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

import orjson

from pod.access.agent import Credential
from pod.errors import Invalid
from pod.model.ids import Did
from pod.ports import Clock

ACCESS_LIFE: Final = timedelta(minutes=120)
REFRESH_LIFE: Final = timedelta(days=90)
REFRESH_GRACE: Final = timedelta(hours=2)

SCOPES: Final = {
    Credential.SESSION: "com.atproto.access",
    Credential.APP_PASSWORD: "com.atproto.appPass",
    Credential.APP_PASSWORD_PRIVILEGED: "com.atproto.appPassPrivileged",
    Credential.TAKENDOWN: "com.atproto.takendown",
}
REFRESH_SCOPE: Final = "com.atproto.refresh"
_CREDENTIALS: Final = {scope: credential for credential, scope in SCOPES.items()}

TokenKind = Literal["at+jwt", "refresh+jwt"]


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. ``credential`` is None for refresh tokens, which name a grant."""

    did: Did
    credential: Credential | None
    grant: str | None


def new_grant_id() -> str:
    """A fresh id for a refresh token: 256 random bits."""
    return secrets.token_urlsafe(32)


class SessionTokens:
    """Makes and verifies tokens with one secret; ``audience`` is the server's DID."""

    def __init__(self, secret: bytes, audience: Did, clock: Clock) -> None:
        self._secret = secret
        self._audience = audience
        self._clock = clock
        self._heads = {kind: _head(kind) for kind in ("at+jwt", "refresh+jwt")}

    def access(self, did: Did, credential: Credential) -> str:
        """An access token, good for two hours."""
        return self._sign("at+jwt", did, ACCESS_LIFE, {"scope": SCOPES[credential]})

    def refresh(self, did: Did, grant_id: str) -> str:
        """A refresh token for a grant, good for ninety days unless the grant ends earlier."""
        return self._sign(
            "refresh+jwt", did, REFRESH_LIFE, {"scope": REFRESH_SCOPE, "jti": grant_id}
        )

    def verify(self, token: str, kind: TokenKind, *, expired_too: bool = False) -> Claims:
        """Check a token; Invalid named ``InvalidToken`` or ``ExpiredToken``."""
        head, dot, rest = token.partition(".")
        payload, dot2, signature = rest.partition(".")
        if not (dot and dot2) or not token.isascii():
            raise Invalid("Token could not be verified", name="InvalidToken")
        signed = f"{head}.{payload}".encode()
        if head != self._heads[kind] or not hmac.compare_digest(self._mac(signed), signature):
            raise Invalid("Token could not be verified", name="InvalidToken")
        claims: dict[str, Any] = orjson.loads(urlsafe_b64decode(payload + "=="))
        if claims["aud"] != self._audience:
            raise Invalid("Token could not be verified", name="InvalidToken")
        if claims["exp"] <= self._clock.now().timestamp() and not expired_too:
            raise Invalid("Token has expired", name="ExpiredToken")
        return Claims(Did(claims["sub"]), _CREDENTIALS.get(claims["scope"]), claims.get("jti"))

    def _sign(self, kind: TokenKind, did: Did, life: timedelta, more: dict[str, str]) -> str:
        now = int(self._clock.now().timestamp())
        claims = {"aud": self._audience, "sub": did, "iat": now}
        body = claims | {"exp": now + int(life.total_seconds())} | more
        signed = f"{self._heads[kind]}.{_b64(orjson.dumps(body))}"
        return f"{signed}.{self._mac(signed.encode())}"

    def _mac(self, signed: bytes) -> str:
        return _b64(hmac.digest(self._secret, signed, "sha256"))


def _head(kind: str) -> str:
    return _b64(orjson.dumps({"typ": kind, "alg": "HS256"}))


def _b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
