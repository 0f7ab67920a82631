"""DPoP: proof that the sender of a request holds the key that its token is bound to (RFC 9449)."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

from pod.errors import Invalid, Unauthenticated
from pod.keys.jose import header_of, thumbprint, verified
from pod.ports import Clock

NONCE_EVERY_S: Final = 60
NONCE_LIFE_S: Final = 180
SKEW_S: Final = 5
_PORTS: Final = {"https": 443, "http": 80}
_MAX_SEEN: Final = 200_000


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that was accepted: the thumbprint of the sender's key."""

    jkt: str


class Proofs:
    """Checks proofs, hands out nonces, and remembers proofs for as long as their nonce is good.

    ``secret`` must be new with each start: what was seen before is then refused by its nonce.
    """

    def __init__(self, secret: bytes, clock: Clock) -> None:
        self._secret = secret
        self._clock = clock
        self._since = clock.now().timestamp() - SKEW_S
        self._seen: OrderedDict[str, float] = OrderedDict()

    def nonce(self) -> str:
        """The nonce that a client should use next; good for two to three minutes."""
        return self._nonce(self._period() + 1)

    def check(
        self,
        proof: str,
        method: str,
        url: str,
        token: str | None = None,
        *,
        wants_nonce: bool = True,
    ) -> Proof:
        """The proof of a request, for an access token if one goes with it.

        Where no nonce is wanted, a proof without one must have been made since we started, and may
        leave out the hash of the token: the clients of Solid that people have do.

        Raises Unauthenticated named ``invalid_dpop_proof`` or ``use_dpop_nonce``.
        """
        claims, key = _signed(proof)
        jti = claims.get("jti")
        if not isinstance(jti, str) or not jti:
            raise _refusal('DPoP "jti" missing')
        if claims.get("htm") != method:
            raise _refusal('DPoP "htm" mismatch')
        if _place(claims.get("htu")) != _place(url):
            raise _refusal('DPoP "htu" mismatch')
        self._check_time(claims, wants_nonce=wants_nonce)
        if wants_nonce or "ath" in claims:
            self._check_token(claims, token)
        jkt = thumbprint(key)
        if not self._is_new(f"{jkt} {jti}"):
            raise _refusal("DPoP proof replayed")
        return Proof(jkt)

    def _check_time(self, claims: dict[str, Any], *, wants_nonce: bool) -> None:
        issued = claims.get("iat")
        now = self._clock.now().timestamp()
        if not isinstance(issued, int | float) or abs(now - issued) > NONCE_LIFE_S:
            raise _refusal('DPoP "iat" is missing or too far from now')
        nonce = claims.get("nonce")
        if nonce is None and not wants_nonce and issued >= self._since:
            return
        if nonce is None:
            text = "Authorization server requires nonce in DPoP proof"
            raise Unauthenticated(text, name="use_dpop_nonce")
        period = self._period()
        if nonce not in [self._nonce(each) for each in (period - 1, period, period + 1)]:
            raise Unauthenticated('DPoP "nonce" mismatch', name="use_dpop_nonce")

    @staticmethod
    def _check_token(claims: dict[str, Any], token: str | None) -> None:
        said = claims.get("ath")
        if token is None:
            if said is not None:
                raise _refusal('DPoP "ath" claim not allowed')
        elif said != _b64(sha256(token.encode()).digest()):
            raise _refusal('DPoP "ath" mismatch')

    def _is_new(self, proof: str) -> bool:
        now = self._clock.now().timestamp()
        while self._seen and (len(self._seen) > _MAX_SEEN or next(iter(self._seen.values())) < now):
            self._seen.popitem(last=False)
        if proof in self._seen:
            return False
        # The iat of a proof may lie ahead of now, so it may come back for twice the time.
        self._seen[proof] = now + 2 * NONCE_LIFE_S
        return True

    def _period(self) -> int:
        return int(self._clock.now().timestamp()) // NONCE_EVERY_S

    def _nonce(self, period: int) -> str:
        return _b64(hmac.digest(self._secret, period.to_bytes(8, "big"), "sha256"))


def _signed(proof: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The claims of a proof and the public key in its header, which signed it."""
    try:
        header = header_of(proof)
        key = header.get("jwk")
        claims = verified(proof, key) if isinstance(key, dict) else None
    except Invalid as err:
        raise _refusal(f"Failed to verify DPoP proof: {err.safe_text}") from err
    if not isinstance(key, dict) or claims is None or header.get("typ") != "dpop+jwt":
        raise _refusal("Failed to verify DPoP proof: not a DPoP proof")
    return claims, key


def _place(url: object) -> tuple[str, str, int | None, str]:
    """Scheme, host, port and path: what the ``htu`` of a proof is compared by."""
    if not isinstance(url, str):
        raise _refusal('Invalid DPoP "htu" type')
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError as err:
        raise _refusal('DPoP "htu" is not a valid URL') from err
    if parts.scheme not in _PORTS or parts.username is not None or not parts.hostname:
        raise _refusal('DPoP "htu" is not a valid URL')
    return parts.scheme, parts.hostname, port, parts.path or "/"


def _refusal(text: str) -> Unauthenticated:
    return Unauthenticated(text, name="invalid_dpop_proof")


def _b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
