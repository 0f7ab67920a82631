"""Authorization header -> Agent: session tokens, apps' tokens, the administrator's password.

Spec: https://atproto.com/specs/xrpc#authentication, https://atproto.com/specs/oauth
"""

from __future__ import annotations

import hmac
from base64 import b64decode
from binascii import Error as BadBase64
from dataclasses import dataclass
from typing import Final

from adapters.atproto.service_jwt import ServiceTokens, is_service_token
from adapters.atproto.session_tokens import Claims, SessionTokens
from pod.access.agent import PUBLIC, Agent, Credential
from pod.errors import Forbidden, Invalid, Unauthenticated
from pod.model.ids import Did
from pod.model.member import Member, Standing
from pod.oauth.profile import ATPROTO
from pod.oauth.scope import Scopes
from pod.oauth.server import AuthorizationServer
from pod.ports import Reader

_SHUT_OUT: Final = frozenset({Standing.TAKENDOWN, Standing.SUSPENDED})


@dataclass(frozen=True, slots=True)
class Shown:
    """What a request shows of its sender; ``url`` is where it went, as a DPoP proof names it."""

    authorization: bytes | None
    proof: str | None = None
    method: str = "GET"
    url: str = ""

    @property
    def is_dpop(self) -> bool:
        """Whether the token is bound to a key."""
        return (self.authorization or b"")[:5].lower() == b"dpop "


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls.

    ``grant`` names the refresh token that was shown; ``issuer`` signed the token of a service, or
    of somebody who has an account elsewhere, that was shown.
    """

    agent: Agent = PUBLIC
    member: Member | None = None
    grant: str | None = None
    issuer: Did | None = None


NOBODY: Final = Caller()


class Authenticator:
    """Tells who sent a request."""

    def __init__(
        self,
        tokens: SessionTokens,
        oauth: AuthorizationServer,
        members: Reader,
        services: ServiceTokens,
        *,
        admin_password: str | None,
        moderation: Did | None,
    ) -> None:
        """``moderation`` is the service whose word is the administrator's in moderation."""
        self._tokens = tokens
        self._oauth = oauth
        self._members = members
        self._services = services
        self._admin = admin_password
        self._moderation = moderation

    def access(self, shown: Shown, *, full: bool, takendown_may: bool) -> Caller:
        """The member whose access token is shown; Unauthenticated, Invalid or Forbidden else.

        ``full`` asks for a session opened with the account's own password, or for an app's token:
        that is held to its scopes instead.
        """
        if shown.is_dpop:
            return self._app(shown, takendown_may=takendown_may)
        claims = self._tokens.verify(_bearer(shown.authorization), "at+jwt")
        credential = claims.credential
        if credential is Credential.TAKENDOWN:
            allowed = takendown_may
        else:
            allowed = credential is Credential.SESSION or not full
        if credential is None or not allowed:
            raise Invalid("Bad token scope", name="InvalidToken")
        member = self._member(claims)
        _check_standing(member, takendown_may=takendown_may)
        return Caller(Agent(credential, member.id, member.webid), member)

    def nonce(self) -> str:
        """The nonce for the next DPoP proof of a client."""
        return self._oauth.proofs.nonce()

    def refresh(self, shown: Shown, *, expired_too: bool) -> Caller:
        """The member and the grant of the refresh token that is shown."""
        claims = self._tokens.verify(
            _bearer(shown.authorization), "refresh+jwt", expired_too=expired_too
        )
        return Caller(PUBLIC, self._member(claims), claims.grant)

    def optional(self, shown: Shown, *, takendown_may: bool) -> Caller:
        """A member, the administrator, or nobody when no header was sent."""
        if shown.authorization is None:
            return NOBODY
        kind, _, credentials = shown.authorization.partition(b" ")
        if kind.lower() == b"basic":
            return self._administrator(credentials)
        return self.access(shown, full=False, takendown_may=takendown_may)

    def administrator(self, shown: Shown) -> Caller:
        """The administrator; Unauthenticated."""
        kind, _, credentials = (shown.authorization or b"").partition(b" ")
        if kind.lower() != b"basic":
            raise Unauthenticated
        return self._administrator(credentials)

    async def moderator(self, shown: Shown, method: str) -> Caller:
        """The administrator, or the moderation service of the settings."""
        kind, _, _ = (shown.authorization or b"").partition(b" ")
        if kind.lower() != b"bearer" or self._moderation is None:
            return self.administrator(shown)
        issuer = await self._services.verify(_bearer(shown.authorization), method)
        if issuer.partition("#")[0] != self._moderation:
            raise Unauthenticated("Untrusted issuer", name="UntrustedIss")
        return Caller(Agent(Credential.ADMIN), issuer=issuer)

    async def service(self, shown: Shown, method: str) -> Caller:
        """Whoever signed the token for a method that is shown; nobody if none is."""
        if shown.authorization is None:
            return NOBODY
        return Caller(issuer=await self._services.verify(_bearer(shown.authorization), method))

    async def access_or_service(self, shown: Shown, method: str) -> Caller:
        """A member, by an access token or by a token for the method that they signed."""
        if shown.is_dpop or not is_service_token(shown.authorization):
            return self.access(shown, full=False, takendown_may=False)
        issuer = await self._services.verify(_bearer(shown.authorization), method)
        member = self._members.member_by_did(issuer)
        if member is None or member.standing is Standing.DELETED:
            raise Forbidden("Account not found", name="AccountNotFound")
        _check_standing(member, takendown_may=False)
        return Caller(Agent(Credential.SESSION, member.id, member.webid), member, issuer=issuer)

    def _app(self, shown: Shown, *, takendown_may: bool) -> Caller:
        token = (shown.authorization or b"")[5:].strip().decode("latin-1")
        session = self._oauth.bearer(token, shown.proof, shown.method, shown.url)
        member = self._members.member(session.member)
        is_ours = ATPROTO in session.requested.split()
        if not is_ours or member is None or member.standing is Standing.DELETED:
            raise Unauthenticated("Invalid token", name="invalid_token")
        _check_standing(member, takendown_may=takendown_may)
        scopes = Scopes(session.scope)
        return Caller(Agent(Credential.OAUTH, member.id, member.webid, scopes=scopes), member)

    def _member(self, claims: Claims) -> Member:
        member = self._members.member_by_did(claims.did)
        if member is None or member.standing is Standing.DELETED:
            raise Forbidden("Account not found", name="AccountNotFound")
        return member

    def _administrator(self, credentials: bytes) -> Caller:
        try:
            user, _, password = b64decode(credentials, validate=True).partition(b":")
        except BadBase64 as err:
            raise Unauthenticated from err
        if self._admin is None or user != b"admin":
            raise Unauthenticated
        if not hmac.compare_digest(password, self._admin.encode()):
            raise Unauthenticated
        return Caller(Agent(Credential.ADMIN))


def _check_standing(member: Member, *, takendown_may: bool) -> None:
    if member.standing in _SHUT_OUT and not takendown_may:
        raise Unauthenticated("Account has been taken down", name="AccountTakedown")


def _bearer(header: bytes | None) -> str:
    if header is None:
        raise Unauthenticated(name="AuthMissing")
    parts = header.split(b" ")
    if len(parts) != 2:
        raise Invalid("Malformed authorization header", name="InvalidToken")
    if parts[0].lower() != b"bearer":
        raise Invalid("Unexpected authorization type", name="InvalidToken")
    return parts[1].decode("latin-1")
