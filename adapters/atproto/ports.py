"""What the ATProto wing needs of others beyond the core: grants, passwords, identities, egress.

Spec: https://atproto.com/specs/xrpc
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from pod.access.agent import Credential
from pod.model.ids import Did, Handle, MemberId
from pod.model.member import Member


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    """A refresh token that is still good.

    ``id`` is the token's ``jti``; ``credential`` is what its access tokens may do; ``next_id`` is
    set once it was used: whoever uses it again within its grace gets the same successor.
    """

    id: str
    member: MemberId
    credential: Credential
    expires_at: datetime
    next_id: str | None = None


class Grants(Protocol):
    """Passwords and refresh tokens of members."""

    def password_hash(self, member: MemberId) -> str | None:
        """The encoded hash of the account password, None if there is none."""
        ...

    async def set_password_hash(self, member: MemberId, encoded: str) -> None: ...
    def refresh_grant(self, grant_id: str) -> RefreshGrant | None: ...
    async def add_refresh_grant(self, grant: RefreshGrant) -> None: ...
    async def rotate_refresh_grant(
        self, grant_id: str, successor: RefreshGrant, *, grace_until: datetime
    ) -> RefreshGrant | None:
        """Replace a grant in one step and return its successor, None if the grant is gone.

        A grant that already has a successor keeps it: that one is returned, not ``successor``.
        The used grant expires at ``grace_until`` or when it would have anyway, if that is sooner.
        """
        ...

    async def revoke_refresh_grant(self, grant_id: str) -> None: ...
    async def revoke_refresh_grants(self, member: MemberId) -> None:
        """Revoke every grant of a member."""
        ...


class Passwords(Protocol):
    """Slow hashing, away from the event loop."""

    async def hash(self, password: str) -> str: ...
    async def verify(self, encoded: str, password: str) -> bool: ...


class Preferences(Protocol):
    """Private application preferences, one JSON document per member."""

    def preferences(self, member: MemberId) -> bytes | None: ...
    async def put_preferences(self, member: MemberId, body: bytes) -> None: ...


class Identities(Protocol):
    """DIDs and handles of anybody, resolved over the network with a cache."""

    async def did_document(self, did: Did, *, fresh: bool = False) -> dict[str, Any] | None:
        """The DID document, None if there is none; raises PeerUnavailable."""
        ...

    async def resolve_handle(self, handle: Handle) -> Did | None:
        """The DID that a handle of another server points to."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """An upstream's answer; header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Egress(Protocol):
    """The single guarded way out."""

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        max_bytes: int,
    ) -> Answer:
        """Send a request; raises PeerUnavailable when no whole answer comes back in time."""
        ...


class RepoKeys(Protocol):
    """Signs in a member's name with the key of their DID document."""

    def sign_jwt(self, member: Member, signing_input: bytes) -> tuple[str, bytes]: ...
