"""Authorization header -> Agent: session tokens and the administrator's password.

Spec: https://atproto.com/specs/xrpc#authentication
"""

from __future__ import annotations

import hmac
from base64 import b64decode
from binascii import Error as BadBase64
from dataclasses import dataclass
from typing import Final

from adapters.atproto.session_tokens import Claims, SessionTokens
from pod.access.agent import PUBLIC, Agent, Credential
from pod.errors import Forbidden, Invalid, Unauthenticated
from pod.model.member import Member, Standing
from pod.ports import Reader

_SHUT_OUT: Final = frozenset({Standing.TAKENDOWN, Standing.SUSPENDED})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls; ``grant`` names the refresh token that was shown."""

    agent: Agent = PUBLIC
    member: Member | None = None
    grant: str | None = None


NOBODY: Final = Caller()


class Authenticator:
    """Tells who sent a request."""

    def __init__(self, tokens: SessionTokens, members: Reader, admin_password: str | None) -> None:
        self._tokens = tokens
        self._members = members
        self._admin = admin_password

    def access(self, header: bytes | None, *, full: bool, takendown_may: bool) -> Caller:
        """The member whose access token is shown; Unauthenticated, Invalid or Forbidden else.

        ``full`` asks for a session opened with the account's own password.
        """
        claims = self._tokens.verify(_bearer(header), "at+jwt")
        credential = claims.credential
        if credential is Credential.TAKENDOWN:
            allowed = takendown_may
        else:
            allowed = credential is Credential.SESSION or not full
        if credential is None or not allowed:
            raise Invalid("Bad token scope", name="InvalidToken")
        member = self._member(claims)
        if member.standing in _SHUT_OUT and not takendown_may:
            raise Unauthenticated("Account has been taken down", name="AccountTakedown")
        return Caller(Agent(credential, member.id, member.webid), member)

    def refresh(self, header: bytes | None, *, expired_too: bool) -> Caller:
        """The member and the grant of the refresh token that is shown."""
        claims = self._tokens.verify(_bearer(header), "refresh+jwt", expired_too=expired_too)
        return Caller(PUBLIC, self._member(claims), claims.grant)

    def optional(self, header: bytes | None, *, takendown_may: bool) -> Caller:
        """A member, the administrator, or nobody when no header was sent."""
        if header is None:
            return NOBODY
        kind, _, credentials = header.partition(b" ")
        if kind.lower() == b"basic":
            return self._administrator(credentials)
        return self.access(header, full=False, takendown_may=takendown_may)

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


def _bearer(header: bytes | None) -> str:
    if header is None:
        raise Unauthenticated(name="AuthMissing")
    parts = header.split(b" ")
    if len(parts) != 2:
        raise Invalid("Malformed authorization header", name="InvalidToken")
    if parts[0].lower() != b"bearer":
        raise Invalid("Unexpected authorization type", name="InvalidToken")
    return parts[1].decode("latin-1")
