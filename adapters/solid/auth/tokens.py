"""Whose token a request shows: access tokens bound to a key, of this server or of another issuer.

Spec: https://solidproject.org/TR/oidc#resource, RFC 9449 section 7, RFC 9068 section 4
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from binascii import Error as BadBase64
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Protocol, TypeGuard
from urllib.parse import urlsplit

import orjson

from adapters.solid.auth.issuers import Issuers
from pod.access.agent import Agent, Credential
from pod.errors import Invalid, PodError, Unauthenticated
from pod.keys.dpop import Proof
from pod.keys.jose import MAX_TOKEN, header_of, verified
from pod.model.ids import Iri, MemberId, Origin
from pod.oauth.reach import Reach
from pod.ports import Clock, Reader

AUDIENCE: Final = "solid"
SKEW_S: Final = 60
_TYPES: Final = frozenset({None, "JWT", "at+jwt", "application/at+jwt"})
_OF_ID_TOKENS: Final = frozenset({"at_hash", "nonce"})
"""Claims that only ID tokens have; those are for apps and open nothing."""

_MAX_KNOWN: Final = 5_000


class OwnToken(Protocol):
    """What a token of this server says."""

    @property
    def member(self) -> MemberId: ...
    @property
    def client_id(self) -> str: ...
    @property
    def reach(self) -> Reach | None: ...


class OwnTokens(Protocol):
    """The authorisation server of this house."""

    def solid(self, token: str, proof: str, method: str, url: str) -> OwnToken:
        """What a token of its own says, shown with its proof; Unauthenticated."""
        ...

    def proof(self, proof: str, method: str, url: str, token: str) -> Proof:
        """The proof that came with any token; Unauthenticated."""
        ...


@dataclass(frozen=True, slots=True)
class _Known:
    """A token of another issuer that was found to be good."""

    agent: Agent
    jkt: str
    ends: float


class SolidTokens:
    """Turns tokens into agents."""

    def __init__(
        self, issuer: str, own: OwnTokens, members: Reader, issuers: Issuers, clock: Clock
    ) -> None:
        self._issuer = issuer
        self._own = own
        self._members = members
        self._issuers = issuers
        self._clock = clock
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    async def agent(self, token: str, proof: str | None, method: str, url: str) -> Agent:
        """Who shows a token with a request to ``url``.

        Raises Unauthenticated named ``invalid_token``, ``invalid_dpop_proof`` or
        ``use_dpop_nonce``.
        """
        if proof is None:
            raise Unauthenticated("DPoP proof required", name="invalid_dpop_proof")
        claims = _claims(token)
        if claims.get("iss") == self._issuer:
            return self._of_here(self._own.solid(token, proof, method, url))
        jkt = self._own.proof(proof, method, url, token).jkt
        known = await self._of_elsewhere(token, claims)
        if known.jkt != jkt:
            text = "DPoP proof does not match the token"
            raise Unauthenticated(text, name="invalid_dpop_proof")
        return known.agent

    def _of_here(self, shown: OwnToken) -> Agent:
        member = self._members.member(shown.member)
        if member is None or not member.is_active:
            raise _refusal("this account is not available")
        return Agent(
            Credential.OAUTH,
            member.id if shown.reach is None else None,
            member.webid,
            client=Iri(shown.client_id),
            issuer=Iri(self._issuer),
            reach=shown.reach,
        )

    async def _of_elsewhere(self, token: str, claims: dict[str, Any]) -> _Known:
        name = sha256(token.encode()).digest()
        known = self._known.get(name)
        if known is not None and known.ends > self._clock.now().timestamp():
            return known
        try:
            found = await self._verified(token, claims)
        except PodError as err:
            raise _refusal(err.safe_text) from err
        self._known[name] = found
        if len(self._known) > _MAX_KNOWN:
            self._known.popitem(last=False)
        return found

    async def _verified(self, token: str, claims: dict[str, Any]) -> _Known:
        header = header_of(token)
        issuer, webid = claims.get("iss"), claims.get("webid")
        if header.get("typ") not in _TYPES or _OF_ID_TOKENS & claims.keys():
            raise Invalid("this is not an access token")
        if not isinstance(issuer, str) or not isinstance(webid, str):
            raise Invalid("iss or webid is missing")
        self._check(claims)
        if self._members.member_by_origin(_origin(webid)) is not None:
            raise Invalid("this WebID is vouched for here")
        verified(token, await self._issuers.key(issuer, header.get("kid")))
        if not await self._issuers.trusts(webid, issuer):
            raise Invalid("the WebID does not name this issuer")
        client = claims.get("azp", claims.get("client_id"))
        agent = Agent(
            Credential.OAUTH,
            iri=Iri(webid),
            client=Iri(client) if isinstance(client, str) else None,
            issuer=Iri(issuer),
        )
        return _Known(agent, claims["cnf"]["jkt"], float(claims["exp"]))

    def _check(self, claims: dict[str, Any]) -> None:
        """What can be told without asking anybody."""
        now = self._clock.now().timestamp()
        named = claims.get("aud")
        if AUDIENCE not in (named if isinstance(named, list) else [named]):
            raise Invalid("the token is for another audience")
        exp, iat, nbf = (claims.get(name) for name in ("exp", "iat", "nbf"))
        if not _is_number(exp) or exp <= now:
            raise Invalid("the token has expired")
        if not _is_number(iat) or iat > now + SKEW_S:
            raise Invalid("the token is from the future")
        if nbf is not None and (not _is_number(nbf) or nbf > now + SKEW_S):
            raise Invalid("the token is not good yet")
        cnf = claims.get("cnf")
        if not isinstance(cnf, dict) or not isinstance(cnf.get("jkt"), str):
            raise Invalid("the token is bound to no key")


def is_jwt(token: str) -> bool:
    """Whether a token has the form of a signed one."""
    return token.count(".") == 2


def _claims(token: str) -> dict[str, Any]:
    """What a token says of itself, unverified."""
    try:
        body = token.split(".")[1]
        claims = orjson.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (BadBase64, ValueError, IndexError) as err:
        raise _refusal("malformed token") from err
    if len(token) > MAX_TOKEN or not isinstance(claims, dict):
        raise _refusal("malformed token")
    return claims


def _origin(url: str) -> Origin:
    try:
        parts = urlsplit(url)
    except ValueError as err:
        raise Invalid("the WebID is not a URL") from err
    return Origin(f"{parts.scheme}://{parts.netloc.lower()}")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refusal(text: str) -> Unauthenticated:
    return Unauthenticated(text, name="invalid_token")
