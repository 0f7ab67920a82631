"""A call of an XRPC method, how methods are declared, and what they may answer.

Spec: https://atproto.com/specs/xrpc
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

from adapters.atproto.auth import NOBODY, Caller
from adapters.atproto.xrpc.services import Services
from pod.access.agent import Agent, Credential
from pod.errors import Unauthenticated
from pod.model.ids import Nsid
from pod.model.member import Member

JSON_LIMIT: Final = 150 * 1024
"""Bytes of a JSON body, unless the method says otherwise."""

JSON: Final = "application/json"
CAR: Final = "application/vnd.ipld.car"


class Auth(Enum):
    """Who may call a method.

    `MODERATOR` is the administrator or the configured moderation service. `SERVICE` admits anybody,
    and holds who shows a token for the method to it: the caller then has an ``issuer``.
    """

    NONE = auto()
    OPTIONAL = auto()
    ACCESS = auto()
    FULL = auto()
    REFRESH = auto()
    REFRESH_EXPIRED = auto()
    ADMIN = auto()
    MODERATOR = auto()
    SERVICE = auto()
    ACCESS_OR_SERVICE = auto()


@dataclass(slots=True)
class Call:
    """One request, authenticated and checked against the method's lexicon.

    ``params`` are coerced; ``body`` is the JSON input as record data (links are `Link`), or None;
    ``stream(limit)`` gives the raw body of methods that take bytes, declared as ``media_type``.
    ``client`` is the address that the request came from.
    """

    nsid: Nsid
    headers: Mapping[bytes, bytes]
    query_string: bytes
    caller: Caller = NOBODY
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    stream: Callable[[int], AsyncIterator[bytes]] | None = None
    media_type: str = ""
    client: str = ""

    @property
    def agent(self) -> Agent:
        """Who asks, for the core."""
        return self.caller.agent

    @property
    def member(self) -> Member:
        """The member who calls; methods with `Auth.ACCESS` and stricter always have one."""
        if self.caller.member is None:
            raise Unauthenticated(name="AuthMissing")
        return self.caller.member

    @property
    def has_full_access(self) -> bool:
        """Whether the caller signed in with the account's own password."""
        return self.agent.credential is Credential.SESSION

    def header(self, name: bytes) -> str | None:
        """A request header (lower-case name), None if absent."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


@dataclass(frozen=True, slots=True)
class Body:
    """An answer that is not built from JSON data: ready bytes, or a stream of them.

    ``length`` announces the bytes of a stream where that is known.
    """

    content: bytes | AsyncIterator[bytes]
    media_type: str = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()
    status: int = 200
    length: int | None = None


Result = dict[str, Any] | Body | None
Handler = Callable[[Call, Services], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class Method:
    """A method this server answers.

    ``input`` is the media type of its input, None if it takes none; a JSON input may have at most
    ``limit`` bytes. ``takendown_may`` admits members who were taken down.
    """

    nsid: Nsid
    handler: Handler
    auth: Auth
    is_query: bool
    input: str | None = None
    limit: int = JSON_LIMIT
    takendown_may: bool = False


def query(
    nsid: str, auth: Auth = Auth.NONE, *, takendown_may: bool = False
) -> Callable[[Handler], Method]:
    """Declare a handler for a query (GET)."""
    return lambda handler: Method(
        Nsid(nsid), handler, auth, is_query=True, takendown_may=takendown_may
    )


def procedure(
    nsid: str,
    auth: Auth = Auth.ACCESS,
    *,
    takes: str | None = JSON,
    limit: int = JSON_LIMIT,
    takendown_may: bool = False,
) -> Callable[[Handler], Method]:
    """Declare a handler for a procedure (POST) that takes a media type, or nothing."""
    return lambda handler: Method(
        Nsid(nsid),
        handler,
        auth,
        is_query=False,
        input=takes,
        limit=limit,
        takendown_may=takendown_may,
    )
