"""What the ATProto wing needs of others beyond the core: grants, passwords, identities, egress.

Spec: https://atproto.com/specs/xrpc
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from pod.access.grant import AppPassword, RefreshGrant
from pod.model.ids import Did, Handle, MemberId, Nsid
from pod.model.invite import Invite
from pod.model.moderation import Report
from pod.ports import Tx
from pod.records.data import Data


class Lexicons(Protocol):
    """Checks what comes in against the lexicon of its method; raises Invalid."""

    def validate_params(
        self, nsid: Nsid, query: Iterable[tuple[str, str]]
    ) -> Mapping[str, bool | int | str | list[bool | int | str]]:
        """The parameters, typed, with defaults; unknown ones are left out."""
        ...

    def validate_input(self, nsid: Nsid, json: Any) -> Data:
        """The JSON body as record data."""
        ...


class Reports(Protocol):
    """Complaints for the administrator."""

    async def add(self, report: Report) -> None: ...


class Grants(Protocol):
    """Refresh tokens and app passwords of members."""

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

    def app_passwords(self, member: MemberId) -> list[AppPassword]:
        """The app passwords of a member, by name."""
        ...

    async def add_app_password(self, made: AppPassword) -> None:
        """Keep a new app password; Conflict if the member has one of that name."""
        ...

    async def delete_app_password(self, member: MemberId, name: str) -> None:
        """Delete an app password and end the sessions that it began."""
        ...


class Invites(Protocol):
    """Codes that let somebody sign up where sign-up is not open to all."""

    def invite(self, code: str) -> Invite | None: ...
    def invites_for(self, account: str) -> list[Invite]:
        """What an account may give away, oldest first."""
        ...

    def invited_by(self, did: Did) -> Invite | None:
        """The invitation that an account signed up with."""
        ...

    def page(
        self, *, by_use: bool, after: tuple[int, str] | None, limit: int
    ) -> tuple[list[Invite], tuple[int, str] | None]:
        """A page of all, newest or most used first, and what the next page comes after."""
        ...

    async def add(self, invites: Sequence[Invite]) -> None: ...
    async def disable(self, codes: Iterable[str], accounts: Iterable[str]) -> None:
        """Let nobody sign up any more with these codes, nor with any of these accounts."""
        ...

    def take(self, tx: Tx, code: str, did: Did, at: datetime) -> None:
        """Use one in the transaction of a sign-up; Invalid (``InvalidInviteCode``)."""
        ...


class Passwords(Protocol):
    """Slow hashing, away from the event loop."""

    async def hash(self, password: str) -> str: ...
    async def verify(self, encoded: str | None, password: str) -> bool:
        """Whether a password is right; None (nobody of that name) is never, and takes as long."""
        ...


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


class Answered(Protocol):
    """What an upstream answered; header names are looked up in any case."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


class Egress(Protocol):
    """The single guarded way out; raises Forbidden, TooLarge or PeerUnavailable."""

    async def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, max_bytes: int | None = None
    ) -> Answered: ...
    async def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        max_bytes: int | None = None,
    ) -> Answered: ...
