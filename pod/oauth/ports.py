"""What the authorisation server keeps, and what it needs of others: a store and a way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from pod.model.ids import MemberId, Nsid

SIGN_IN_LASTS: Final = timedelta(days=7)
"""After that an app may only be let in with the password again."""


@dataclass(frozen=True, slots=True)
class ClientAuth:
    """How a client proved who it is; ``key`` is the thumbprint of its own key, None if public."""

    method: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class PushedRequest:
    """An authorisation request on its way. ``device`` and ``member`` are set as it proceeds.

    ``parameters`` were checked; ``code_hash`` is set once the member agreed. A client that did not
    push it, but sent a browser with it, has proved nothing yet.
    """

    id: str
    client_id: str
    auth: ClientAuth
    jkt: str | None
    parameters: Mapping[str, str]
    created_at: datetime
    expires_at: datetime
    device: str | None = None
    member: MemberId | None = None
    code_hash: str | None = None
    signed_in_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """What a member allowed a client: one row until it is over, renewed with each refresh.

    Access and refresh tokens name it with its ``generation``; deleting it ends them all.
    ``requested`` is the scope that was agreed to, ``scope`` the same with permission sets opened.
    ``jkt`` is the key that its tokens are bound to, None where whoever bears them is believed.
    ``ends_at`` is when it is over unless it is renewed, None for never. ``nonce`` came with the
    request, for the first ID token.
    """

    id: str
    member: MemberId
    client_id: str
    client_name: str
    auth: ClientAuth
    jkt: str | None
    requested: str
    scope: str
    created_at: datetime
    renewed_at: datetime
    expires_at: datetime
    generation: int = 0
    code_hash: str | None = None
    ends_at: datetime | None = None
    signed_in_at: datetime | None = None
    nonce: str | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A member who is signed in on a device."""

    member: MemberId
    at: datetime


class OAuthStore(Protocol):
    """Requests, sessions, and what may be used only once."""

    def request(self, request_id: str) -> PushedRequest | None: ...
    async def put_request(self, request: PushedRequest) -> None: ...
    async def delete_request(self, request_id: str) -> None: ...
    def request_of_code(self, code_hash: str) -> PushedRequest | None: ...
    async def take_request(self, code_hash: str) -> PushedRequest | None:
        """The request of a code, deleted in the same step: a code is good once."""
        ...

    def session(self, session_id: str) -> Session | None: ...
    def sessions(self, member: MemberId) -> list[Session]:
        """The sessions of a member, the newest first."""
        ...

    async def add_session(self, session: Session) -> None: ...
    async def renew_session(self, renewed: Session) -> bool:
        """Replace a session whose generation is one lower; False if it moved on meanwhile."""
        ...

    async def end_session(self, session_id: str) -> None: ...
    async def end_sessions(self, member: MemberId) -> None:
        """End all sessions of a member, and sign them out of every browser."""
        ...

    async def end_sessions_of_code(self, code_hash: str) -> None: ...
    async def use_once(self, key: str, until: datetime) -> bool:
        """Whether ``key`` was not used before; it counts as used until the time given."""
        ...

    def consented(self, member: MemberId, client_id: str) -> str:
        """The scope that a member has agreed to give a client before, or the empty string."""
        ...

    async def put_consent(self, member: MemberId, client_id: str, scope: str) -> None: ...


class DeviceStore(Protocol):
    """Who is signed in on which browser; ``device`` is the hash of its cookie."""

    def signed_in(self, device: str) -> Sequence[SignedIn]: ...
    async def sign_in(self, device: str, successor: str, member: MemberId, at: datetime) -> None:
        """Sign a member in, and move the device and its open requests to a new cookie."""
        ...

    async def sign_out(self, device: str, member: MemberId) -> None: ...


class SchemaCache(Protocol):
    """Lexicon schemas that were resolved before."""

    def schema(self, nsid: Nsid) -> tuple[dict[str, Any], datetime] | None: ...
    async def put_schema(self, nsid: Nsid, schema: dict[str, Any], at: datetime) -> None: ...


class Document(Protocol):
    """An answer of another server; header names are looked up in any case."""

    @property
    def url(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


class Egress(Protocol):
    """The guarded way out; raises Forbidden, Invalid, TooLarge or PeerUnavailable."""

    async def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, max_bytes: int | None = None
    ) -> Document: ...
