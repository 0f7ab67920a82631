"""How the people of the suite sign in: one function, whatever the server.

Spec: RFC 9449 (DPoP), Solid-OIDC with client credentials
"""

from __future__ import annotations

import base64
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey


@dataclass
class Proofs:
    """A key, and the DPoP proofs that it signs."""

    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))

    def proof(self, method: str, url: str, *, key: ECKey | None = None, **claims: Any) -> str:
        """A proof for one request; ``claims`` replace the usual ones."""
        signer = key or self.key
        usual = {
            "htm": method,
            "htu": url.split("?")[0].split("#")[0],
            "jti": secrets.token_hex(16),
            "iat": int(time.time()),
        }
        header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": self.key.as_dict(private=False)}
        return jwt.encode(header, {**usual, **claims}, signer)


def configuration(issuer: str) -> dict[str, Any]:
    """The OpenID configuration of an issuer."""
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    found = httpx.get(url, timeout=30).raise_for_status().json()
    assert isinstance(found, dict)
    return found


def ask_token(
    issuer: str, proofs: Proofs, identifier: str, secret: str, **more: str
) -> httpx.Response:
    """The answer to a request for a token by client credentials."""
    endpoint = configuration(issuer)["token_endpoint"]
    basic = base64.b64encode(f"{identifier}:{secret}".encode()).decode()
    form = {"grant_type": "client_credentials", "scope": "webid", **more}
    nonce: dict[str, str] = {}
    for _ in range(2):
        proof = proofs.proof("POST", endpoint, **nonce)
        headers = {"Authorization": f"Basic {basic}", "DPoP": proof}
        answer = httpx.post(endpoint, data=form, headers=headers, timeout=30)
        if answer.status_code == 200 or "dpop-nonce" not in answer.headers:
            break
        nonce = {"nonce": answer.headers["dpop-nonce"]}
    return answer


@dataclass
class Session:
    """A token bound to a key, good for every request that the key signs."""

    issuer: str
    identifier: str
    secret: str
    proofs: Proofs = field(default_factory=Proofs)
    token: str = ""
    until: float = 0.0

    def renewed(self) -> str:
        """The token, asked for again when it is about to end."""
        if time.monotonic() > self.until:
            answer = ask_token(self.issuer, self.proofs, self.identifier, self.secret)
            told = answer.raise_for_status().json()
            self.token = told["access_token"]
            self.until = time.monotonic() + min(told.get("expires_in", 600) * 0.8, 240)
        return self.token

    def __call__(self, method: str, url: str) -> dict[str, str]:
        """The headers of a request."""
        token = self.renewed()
        return {"Authorization": f"DPoP {token}", "DPoP": self.proofs.proof(method, url)}
