"""Profiles of the one authorisation server: what a protocol asks of a request and of its scopes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Protocol

from pod.errors import Invalid
from pod.model.member import Member
from pod.oauth.metadata import Metadata
from pod.oauth.permission_set import PermissionSets
from pod.oauth.ports import Session
from pod.oauth.scope import CHAT, EMAIL, GENERIC, is_known

ATPROTO: Final = "atproto"
ACCESS_LIFE: Final = timedelta(minutes=20)
PUBLIC_LIFE: Final = (timedelta(days=14), timedelta(days=14))
CONFIDENTIAL_LIFE: Final = (timedelta(days=91), timedelta(days=730))
"""How long a session lasts without a refresh, and at all."""

Life = tuple[timedelta, timedelta]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a protocol asks of its clients, and how long its tokens last.

    ``pushed``: requests come by PAR only. ``pkce``: with a challenge; without, one that came is
    still held to. ``bound``: tokens belong to a DPoP key. ``nonce``: proofs carry our nonce.
    ``takes`` are the parameters of requests that only this protocol knows; ``silent`` lets public
    clients with an https redirect do without a new consent. Sessions last ``public`` or
    ``confidential`` (idle, in all), access tokens ``access``; None is for ever.
    """

    pushed: bool = True
    pkce: bool = True
    bound: bool = True
    nonce: bool = True
    silent: bool = False
    takes: frozenset[str] = frozenset()
    access: timedelta | None = ACCESS_LIFE
    public: Life | None = PUBLIC_LIFE
    confidential: Life | None = CONFIDENTIAL_LIFE

    def life(self, client: Metadata) -> Life | None:
        """How long a session of a client lasts."""
        return self.confidential if client.is_confidential else self.public


UNKNOWN: Final = Terms(bound=False, nonce=False)
"""The terms of a client that registered, for a code or token that is not known (any more)."""

STRICT: Final = Terms()
"""The terms of the AT Protocol, and of requests that are nobody's."""


@dataclass(frozen=True, slots=True)
class Issued:
    """The answer to a client: its tokens, how long they last, and what else is told of them."""

    access: str
    token_type: str
    refresh: str | None = None
    expires_in_s: int | None = None
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def scope(self) -> str:
        """The scope that the tokens carry."""
        return str(self.told["scope"])

    @property
    def subject(self) -> str:
        """Who they are about."""
        return str(self.told["sub"])

    @property
    def body(self) -> dict[str, Any]:
        """The whole answer as it is sent."""
        body = {"access_token": self.access, "token_type": self.token_type, **self.told}
        if self.expires_in_s is not None:
            body["expires_in"] = self.expires_in_s
        return body if self.refresh is None else body | {"refresh_token": self.refresh}


class Profile(Protocol):
    """How one protocol uses the server. A request belongs to the first profile that claims it."""

    @property
    def terms(self) -> Terms:
        """What it asks of clients."""
        ...

    @property
    def scopes_supported(self) -> Sequence[str]:
        """Scope values that can be listed."""
        ...

    def claims(self, scopes: Sequence[str]) -> bool:
        """Whether a request for these scopes is this protocol's."""
        ...

    def admit(self, client: Metadata) -> None:
        """Pass for clients whose metadata this protocol accepts; raises Invalid."""
        ...

    async def known(self, scopes: Sequence[str]) -> list[str]:
        """Those scopes that mean something; Invalid named ``invalid_scope`` for wrong ones."""
        ...

    async def granted(self, scopes: Sequence[str]) -> list[str]:
        """What tokens carry for scopes that were agreed to."""
        ...

    def refreshes(self, scopes: Sequence[str]) -> bool:
        """Whether a session of these scopes has a refresh token, where the client takes any."""
        ...

    def subject(self, member: Member) -> str:
        """Who a token is about, as the protocol names people."""
        ...

    def access_token(self, session: Session, member: Member, opaque: str) -> str:
        """The access token of a session: ``opaque``, or one of the protocol's own kind."""
        ...

    def answer(self, session: Session, member: Member, access: str) -> Mapping[str, Any]:
        """What the answer with a token says besides (``scope``, ``sub``, ``id_token``...)."""
        ...

    async def for_itself(self, client: Metadata, scopes: Sequence[str], jkt: str | None) -> Issued:
        """The answer to a client that asks for a token of its own (``client_credentials``).

        Raises Invalid named ``unauthorized_client`` where the protocol has no such thing.
        """
        ...


class AtprotoProfile:
    """The AT Protocol: subjects are DIDs, scopes are granular, permission sets are opened.

    Spec: https://atproto.com/specs/oauth, https://atproto.com/specs/permission
    """

    terms = STRICT
    scopes_supported = (ATPROTO, EMAIL, GENERIC, CHAT)

    def __init__(self, sets: PermissionSets) -> None:
        self._sets = sets

    def claims(self, scopes: Sequence[str]) -> bool:
        """Whether ``atproto`` is among the scopes."""
        return ATPROTO in scopes

    def admit(self, client: Metadata) -> None:
        """A client that keeps the rules of the AT Protocol."""
        if client.rules != ATPROTO:
            text = "This client's metadata are not those of an AT Protocol client"
            raise Invalid(text, name="invalid_client_metadata")

    async def known(self, scopes: Sequence[str]) -> list[str]:
        """Known scopes, each once; unknown ones are dropped, ``openid`` is refused."""
        if "openid" in scopes:
            raise Invalid("OpenID Connect is not compatible with atproto", name="invalid_scope")
        kept = [scope for scope in dict.fromkeys(scopes) if is_known(scope)]
        await self._sets.open(kept)
        return kept

    async def granted(self, scopes: Sequence[str]) -> list[str]:
        """The scopes with permission sets opened."""
        return await self._sets.open(scopes)

    def refreshes(self, scopes: Sequence[str]) -> bool:  # noqa: ARG002  whatever they are
        """Always."""
        return True

    def subject(self, member: Member) -> str:
        """The member's DID."""
        return member.did

    def access_token(self, session: Session, member: Member, opaque: str) -> str:  # noqa: ARG002
        """Tokens are opaque."""
        return opaque

    def answer(self, session: Session, member: Member, access: str) -> Mapping[str, Any]:  # noqa: ARG002
        """Scope and DID."""
        return {"scope": session.scope, "sub": self.subject(member)}

    async def for_itself(
        self,
        client: Metadata,  # noqa: ARG002  no client has anything of its own
        scopes: Sequence[str],  # noqa: ARG002
        jkt: str | None,  # noqa: ARG002
    ) -> Issued:
        """Nothing."""
        raise Invalid("Clients act for members only", name="unauthorized_client")
