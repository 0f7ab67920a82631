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
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from adapters.http.addresses import may_connect
from pod.errors import Forbidden, Invalid, PeerUnavailable, TooLarge
from pod.settings import Egress

Lookup = Callable[[str, int], Awaitable[list[str]]]
"""A name and port to address literals; raises OSError."""

HeadersFor = Mapping[str, str] | Callable[[str], Mapping[str, str]]
"""Headers of a request, or a function that makes them for the URL of each hop (signatures)."""

USER_AGENT: Final = "Commonpod/0.1"
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS: Final = 3
_PER_HOST: Final = 8
_CONNECT_S: Final = 5.0
_SECRET: Final = frozenset({"authorization", "cookie", "dpop", "signature", "signature-input"})
# Forms that a libc resolver reads as numbers: 127.1, 0x7f000001, 2130706433, 0177.0.0.1.
_NUMBERS: Final = re.compile(r"(?i)(?:(?:0x[0-9a-f]*|\d+)\.?)+")
_DOTTED_QUAD: Final = re.compile(r"(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})")


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


class _Resolver(AbstractResolver):
    """Hands aiohttp only the addresses of a name that may be connected to."""

    def __init__(self, lookup: Lookup, *, private: bool) -> None:
        self._lookup = lookup
        self._private = private

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002  the interface is aiohttp's
    ) -> list[ResolveResult]:
        if self._private and (host == "localhost" or host.endswith(".localhost")):
            found = ["127.0.0.1"]
        else:
            found = await self._lookup(host, port)
        allowed = [text for text in found if may_connect(text, private=self._private)]
        if found and not allowed:
            raise _RefusedAddress(host)
        return [
            ResolveResult(
                hostname=host,
                host=text,
                port=port,
                family=socket.AF_INET6 if ":" in text else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for text in allowed
        ]

    async def close(self) -> None:
        """Nothing is held."""


class _RefusedAddress(PermissionError):
    """A name led to an address that the pod does not connect to."""


class Fetch:
    """One client for all of the pod; made inside the running loop, closed by `close`.

    The address is checked when the socket is made, so neither a name that changes between look-ups
    nor a literal gets around it, on the first hop as on every redirect.
    """

    def __init__(self, settings: Egress, *, lookup: Lookup = _system_lookup) -> None:
        self._settings = settings
        self._private = settings.may_reach_private
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=300,
                limit_per_host=_PER_HOST,
                resolver=_Resolver(lookup, private=self._private),
                socket_factory=self._socket,
                ttl_dns_cache=30,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S),
            trust_env=False,
            headers={"User-Agent": USER_AGENT},
            skip_auto_headers=("Content-Type",),
        )

    async def get(
        self, url: str, headers: HeadersFor | None = None, *, max_bytes: int | None = None
    ) -> Fetched:
        """Get a document, following up to 3 redirects; any status is an answer.

        Raises Forbidden (a scheme, host or address that is not for us), Invalid (no URL), TooLarge
        (more than ``max_bytes`` after decompression), PeerUnavailable (no answer in time).
        """
        secrets = True
        async with _deadline(self._settings.fetch_timeout_s):
            for _ in range(_MAX_REDIRECTS + 1):
                target = self._allowed(url)
                sent = _headers(headers, url, secrets=secrets)
                answer = await self._send("GET", target, sent, None, max_bytes)
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
        body: bytes,
        headers: HeadersFor | None = None,
        *,
        max_bytes: int | None = None,
    ) -> Fetched:
        """Post a body; a redirect is an answer, never followed. Raises as `get` does."""
        async with _deadline(self._settings.fetch_timeout_s):
            sent = _headers(headers, url, secrets=True)
            return await self._send("POST", self._allowed(url), sent, body, max_bytes)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

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

    def _socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, proto, _, address = info
        if not may_connect(str(address[0]), private=self._private):
            raise _RefusedAddress(address[0])
        made = socket.socket(family, kind, proto)
        made.setblocking(False)
        return made

    async def _send(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: bytes | None,
        max_bytes: int | None,
    ) -> Fetched:
        limit = self._settings.fetch_bytes if max_bytes is None else max_bytes
        try:
            async with self._session.request(
                method, url, headers=headers, data=body, allow_redirects=False
            ) as response:
                received = await _read(response, limit)
                return Fetched(str(response.url), response.status, response.headers, received)
        except _RefusedAddress as error:
            raise Forbidden("the address is not reachable for this server") from error
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, _RefusedAddress):
                raise Forbidden("the address is not reachable for this server") from error
            raise PeerUnavailable from error
        except aiohttp.InvalidURL as error:
            raise Invalid("not a URL") from error
        except (aiohttp.ClientError, OSError) as error:
            raise PeerUnavailable from error


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    received = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        received += chunk
        if len(received) > limit:
            raise TooLarge("the answer of another server is too large")
    return bytes(received)


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
