"""OpenID Connect as Solid uses it: tokens are signed, bound to a key, and name a WebID.

Any pod can verify them; here they are good only while their session is, too.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from pod.errors import Invalid, Unauthenticated
from pod.keys.jose import header_of, verified
from pod.keys.token_key import TokenKey
from pod.model.ids import MemberId
from pod.model.member import Member
from pod.oauth.metadata import Metadata
from pod.oauth.ports import OAuthStore, Session
from pod.oauth.profile import ACCESS_LIFE, CONFIDENTIAL_LIFE, Issued, Terms
from pod.oauth.reach import Reach, without_reach
from pod.oauth.registration import ClientStore
from pod.ports import Clock, Reader

OPENID: Final = "openid"
WEBID: Final = "webid"
OFFLINE: Final = "offline_access"
AUDIENCE: Final = "solid"
ACCESS_TYPE: Final = "at+jwt"
_ITSELF: Final = "client"
_MAX_KNOWN: Final = 5_000
"""How many tokens are remembered whose signature was verified."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a token of ours says: for whom, by which app, how far it reaches (None: all over)."""

    member: MemberId
    client_id: str
    reach: Reach | None
    jkt: str


class OpenIdProfile:
    """Solid-OIDC: subjects are WebIDs, clients need not push, tokens are JWTs.

    Spec: https://solidproject.org/TR/oidc, https://openid.net/specs/openid-connect-core-1_0.html,
    RFC 9068
    """

    terms = Terms(
        pushed=False,
        nonce=False,
        silent=True,
        takes=frozenset({"claims", "id_token_hint", "max_age", "nonce"}),
        public=(timedelta(days=14), timedelta(days=365)),
        confidential=CONFIDENTIAL_LIFE,
    )
    scopes_supported = (OPENID, WEBID, OFFLINE)

    def __init__(
        self,
        issuer: str,
        keys: Callable[[], Sequence[TokenKey]],
        store: OAuthStore,
        clients: ClientStore,
        members: Reader,
        clock: Clock,
    ) -> None:
        """``keys`` are those that are published; the first one signs."""
        self._issuer = issuer
        self._keys = keys
        self._store = store
        self._clients = clients
        self._members = members
        self._clock = clock
        self._known: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def claims(self, scopes: Sequence[str]) -> bool:
        """Whether a WebID is asked for, or an identity."""
        return OPENID in scopes or WEBID in scopes

    def admit(self, client: Metadata) -> None:
        """Every client that has metadata is one."""

    async def known(self, scopes: Sequence[str]) -> list[str]:
        """Known scopes, each once; the rest is dropped."""
        return [scope for scope in dict.fromkeys(scopes) if scope in self.scopes_supported]

    async def granted(self, scopes: Sequence[str]) -> list[str]:
        """The scopes as they are, with the reach that the member gave."""
        return list(scopes)

    def refreshes(self, scopes: Sequence[str]) -> bool:
        """Whether the app may come back without its member."""
        return OFFLINE in scopes

    def subject(self, member: Member) -> str:
        """The member's WebID."""
        return member.webid

    def access_token(self, session: Session, member: Member, opaque: str) -> str:  # noqa: ARG002
        """A JWT that names its session."""
        assert session.jkt is not None
        told = self._about(member, session.client_id, session.jkt) | {
            "aud": AUDIENCE,
            "client_id": session.client_id,
            "scope": " ".join(without_reach(session.scope.split())),
            "exp": _seconds(session.expires_at),
            "jti": f"{session.id}.{session.generation}",
        }
        return self._signed(ACCESS_TYPE, told)

    def answer(self, session: Session, member: Member, access: str) -> Mapping[str, Any]:
        """Scope, WebID, and who it is that signed in."""
        assert session.jkt is not None
        scopes = without_reach(session.scope.split())
        told: dict[str, Any] = {"scope": " ".join(scopes), "webid": member.webid}
        if OPENID not in scopes:
            return told
        more: dict[str, Any] = {}
        if session.signed_in_at is not None:
            more["auth_time"] = _seconds(session.signed_in_at)
        if session.nonce is not None and session.generation == 0:
            more["nonce"] = session.nonce
        ends = session.expires_at
        return told | {
            "id_token": self._id_token(member, session.client_id, session.jkt, access, ends, more)
        }

    async def for_itself(self, client: Metadata, scopes: Sequence[str], jkt: str | None) -> Issued:
        """Tokens for the member who made the client: it acts as they do, without a session."""
        member = None if client.member is None else self._members.member(client.member)
        if member is None or not member.is_active or jkt is None:
            text = "Only clients that a member made get tokens for themselves"
            raise Invalid(text, name="unauthorized_client")
        ends = self._clock.now() + ACCESS_LIFE
        known = await self.known([*scopes, WEBID])
        told = self._about(member, client.client_id, jkt) | {
            "aud": AUDIENCE,
            "client_id": client.client_id,
            "scope": " ".join(known),
            "exp": _seconds(ends),
            "jti": f"{_ITSELF}.{secrets.token_urlsafe(16)}",
        }
        access = self._signed(ACCESS_TYPE, told)
        more: dict[str, Any] = {"scope": " ".join(known), "webid": member.webid}
        if OPENID in known:
            more["id_token"] = self._id_token(member, client.client_id, jkt, access, ends, {})
        life_s = int(ACCESS_LIFE.total_seconds())
        return Issued(access, "DPoP", expires_in_s=life_s, told=more)

    def check(self, token: str, jkt: str) -> Shown:
        """What an access token of ours says that came with a proof of its key.

        Raises Unauthenticated named ``invalid_token`` or ``invalid_dpop_proof``; a token of a
        session that was ended, or of a client that was deleted, is not good any more.
        """
        try:
            claims = self._verified(token)
        except Invalid as err:
            raise Unauthenticated("Invalid token", name="invalid_token") from err
        if claims.get("exp", 0) <= self._clock.now().timestamp():
            raise Unauthenticated("Token expired", name="invalid_token")
        shown = self._shown(claims)
        if shown is None:
            raise Unauthenticated("Invalid token", name="invalid_token")
        if shown.jkt != jkt:
            text = "DPoP proof does not match the token"
            raise Unauthenticated(text, name="invalid_dpop_proof")
        return shown

    def signed_for(self, token: str) -> dict[str, Any] | None:
        """The claims of any token of ours, also one that has expired; None for anything else."""
        try:
            key = self._key(header_of(token))
            return None if key is None else verified(token, key)
        except Invalid:
            return None

    def session_id(self, token: str) -> str | None:
        """The session that an access token of ours names."""
        claims = self.signed_for(token)
        return None if claims is None else str(claims.get("jti", "")).partition(".")[0]

    def published(self) -> dict[str, Any]:
        """The JWK set."""
        return {"keys": [key.public_jwk for key in self._keys()]}

    def _shown(self, claims: Mapping[str, Any]) -> Shown | None:
        named, _, _ = str(claims["jti"]).partition(".")
        client_id, jkt = claims["client_id"], claims["cnf"]["jkt"]
        if named == _ITSELF:
            client = self._clients.client(client_id)
            if client is None or client.member is None:
                return None
            return Shown(client.member, client_id, None, jkt)
        session = self._store.session(named)
        if session is None or session.client_id != client_id:
            return None
        return Shown(session.member, client_id, Reach.of(session.scope.split()), jkt)

    def _verified(self, token: str) -> dict[str, Any]:
        header = header_of(token)
        key = self._key(header)
        if key is None or header.get("typ") != ACCESS_TYPE:
            raise Invalid("not an access token of ours")
        known = self._known.get(token)
        if known is None:
            known = self._known[token] = verified(token, key)
            if len(self._known) > _MAX_KNOWN:
                self._known.popitem(last=False)
        return known

    def _key(self, header: Mapping[str, Any]) -> Mapping[str, str] | None:
        found = (key.public_jwk for key in self._keys())
        return next((jwk for jwk in found if jwk["kid"] == header.get("kid")), None)

    def _id_token(
        self,
        member: Member,
        client_id: str,
        jkt: str,
        access: str,
        ends: datetime,
        more: Mapping[str, Any],
    ) -> str:
        half = sha256(access.encode()).digest()[:16]
        told = self._about(member, client_id, jkt) | {
            "aud": [client_id, AUDIENCE],
            "exp": _seconds(ends),
            "at_hash": urlsafe_b64encode(half).rstrip(b"=").decode(),
        }
        return self._signed("JWT", {**told, **more})

    def _about(self, member: Member, client_id: str, jkt: str) -> dict[str, Any]:
        return {
            "iss": self._issuer,
            "sub": member.webid,
            "webid": member.webid,
            "azp": client_id,
            "iat": _seconds(self._clock.now()),
            "cnf": {"jkt": jkt},
        }

    def _signed(self, kind: str, claims: Mapping[str, Any]) -> str:
        key = self._keys()[0]
        return key.signed({"typ": kind, "kid": key.public_jwk["kid"]}, claims)


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
