"""Profiles of the one authorisation server: what a protocol asks of a request and of its scopes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from pod.errors import Invalid
from pod.model.member import Member
from pod.oauth.permission_set import PermissionSets
from pod.oauth.scope import CHAT, EMAIL, GENERIC, is_known

ATPROTO: Final = "atproto"


class Profile(Protocol):
    """How one protocol uses the server. A request belongs to the first profile that claims it."""

    @property
    def scopes_supported(self) -> Sequence[str]:
        """Scope values that can be listed."""
        ...

    def claims(self, scopes: Sequence[str]) -> bool:
        """Whether a request for these scopes is this protocol's."""
        ...

    async def known(self, scopes: Sequence[str]) -> list[str]:
        """Those scopes that mean something; Invalid named ``invalid_scope`` for wrong ones."""
        ...

    async def granted(self, scopes: Sequence[str]) -> list[str]:
        """What tokens carry for scopes that were agreed to."""
        ...

    def subject(self, member: Member) -> str:
        """Who a token is about, as the protocol names people."""
        ...


class AtprotoProfile:
    """The AT Protocol: subjects are DIDs, scopes are granular, permission sets are opened.

    Spec: https://atproto.com/specs/oauth, https://atproto.com/specs/permission
    """

    scopes_supported = (ATPROTO, EMAIL, GENERIC, CHAT)

    def __init__(self, sets: PermissionSets) -> None:
        self._sets = sets

    def claims(self, scopes: Sequence[str]) -> bool:
        """Whether ``atproto`` is among the scopes."""
        return ATPROTO in scopes

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

    def subject(self, member: Member) -> str:
        """The member's DID."""
        return member.did
