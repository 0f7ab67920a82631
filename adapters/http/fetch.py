"""The single guarded egress: every request that the pod makes to another server leaves here.

Spec: https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html,
RFC 9110 section 15.4 (redirects)
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from adapters.http.addresses import may_connect
from pod.errors import Forbidden, Invalid, PeerUnavailable
from pod.model.ids import Origin
from pod.settings import Egress

HeadersFor = Mapping[str, str] | Callable[[str], Mapping[str, str]]
"""Headers of a request, or a function that makes them for the URL of each hop (signatures)."""

if TYPE_CHECKING:
    from adapters.http.client import Client

USER_AGENT: Final = "Commonpod/0.1"
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS: Final = 3
_SECRET: Final = frozenset({"authorization", "cookie", "dpop", "signature", "signature-input"})
# Forms that a libc resolver reads as numbers: 127.1, 0x7f000001, 2130706433, 0177.0.0.1.
_NUMBERS: Final = re.compile(r"(?i)(?:(?:0x[0-9a-f]*|\d+)\.?)+")
_DOTTED_QUAD: Final = re.compile(r"(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})")


Lookup = Callable[[str, int], Awaitable[list[str]]]
"""A name and port to address literals; raises OSError."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a peer answered, read to its end. ``url`` is the last hop's."""

    url: str
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes = field(repr=False)

    @property
    def content_type(self) -> str:
        """The Content-Type as sent, or the empty string."""
        return self.headers.get("Content-Type", "")


async def _system_lookup(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError("no name can be like this") from error
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class Fetch:
    """One client for all of the pod; made inside the running loop, closed by `close`.

    The address is checked when the socket is made, so neither a name that changes between look-ups
    nor a literal gets around it, on the first hop as on every redirect.
    """

    def __init__(
        self, settings: Egress, *, lookup: Lookup = _system_lookup, of: Origin | None = None
    ) -> None:
        """``of`` is the server whose word it is: whoever is asked can see where to complain."""
        self._settings = settings
        self._agent = f"{USER_AGENT} (+{of}/)" if of is not None else USER_AGENT
        self._private = settings.may_reach_private
        self._lookup = lookup
        self._is_open = False

    @cached_property
    def _client(self) -> Client:
        from adapters.http.client import Client  # a pod that meets no other needs no client

        self._is_open = True
        return Client(self._lookup, private=self._private, agent=self._agent)

    async def get(
        self,
        url: str,
        headers: HeadersFor | None = None,
        *,
        max_bytes: int | None = None,
        into: Path | None = None,
    ) -> Fetched:
        """Get a document, following up to 3 redirects; any status is an answer.

        What comes with 200 goes ``into`` a file of any size where one is named.

        Raises Forbidden (a scheme, host or address that is not for us), Invalid (no URL), TooLarge
        (more than ``max_bytes`` after decompression), PeerUnavailable (no answer in time).
        """
        secrets = True
        async with _deadline(self._settings.fetch_timeout_s):
            for _ in range(_MAX_REDIRECTS + 1):
                target = self._allowed(url)
                sent = _headers(headers, url, secrets=secrets)
                answer = await self._send("GET", target, sent, None, max_bytes, into)
                location = answer.headers.get("Location")
                if answer.status not in _REDIRECTS or location is None:
                    return answer
                following = self._allowed(_join(target, location))
                secrets = secrets and following.origin() == target.origin()
                url = str(following)
        raise PeerUnavailable("too many redirects")

    async def post(
        self,
        url: str,
        body: bytes | Path,
        headers: HeadersFor | None = None,
        *,
        max_bytes: int | None = None,
    ) -> Fetched:
        """Post a body or a file; a redirect is an answer, never followed. Raises as `get`."""
        sent = _headers(headers, url, secrets=True)
        try:
            async with asyncio.timeout(self._settings.fetch_timeout_s):
                return await self._send("POST", self._allowed(url), sent, body, max_bytes)
        except TimeoutError as late:
            raise PeerUnavailable("another server took too long") from late

    async def close(self) -> None:
        """Close all connections."""
        if self._is_open:
            await self._client.close()

    async def _send(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: bytes | Path | None,
        max_bytes: int | None,
        into: Path | None = None,
    ) -> Fetched:
        limit = self._settings.fetch_bytes if max_bytes is None else max_bytes
        return Fetched(*await self._client.send(method, url, headers, body, limit, into))

    def _allowed(self, url: str) -> URL:
        try:
            target = URL(url.split("#", 1)[0])
            host = target.host
        except ValueError as error:
            raise Invalid("not a URL") from error
        if target.scheme not in (("https", "http") if self._private else ("https",)) or not host:
            raise Forbidden("only https URLs are fetched")
        if target.user is not None or target.password is not None:
            raise Forbidden("URLs with credentials are not fetched")
        if not self._private and target.port != 443:
            raise Forbidden("only port 443 is fetched from")
        literal = ":" in host or _DOTTED_QUAD.fullmatch(host) is not None
        if literal and not may_connect(host, private=self._private):
            raise Forbidden("the address is not reachable for this server")
        if not literal and _NUMBERS.fullmatch(host):
            raise Forbidden("the host is not a name")
        return target


def _headers(headers: HeadersFor | None, url: str, *, secrets: bool) -> CIMultiDict[str]:
    if callable(headers):
        return CIMultiDict(headers(url))
    kept = CIMultiDict(headers or {})
    if not secrets:
        for name in _SECRET:
            kept.popall(name, None)
    return kept


def _join(base: URL, location: str) -> str:
    try:
        return str(base.join(URL(location)))
    except ValueError as error:
        raise PeerUnavailable("a redirect leads nowhere") from error


@asynccontextmanager
async def _deadline(seconds: float) -> AsyncIterator[None]:
    """A bound on everything inside, redirects and slow bodies included."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as late:
        raise PeerUnavailable("another server took too long") from late
