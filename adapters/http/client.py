"""The HTTP client under `adapters.http.fetch`, loaded when the pod first meets another server.

Spec: RFC 9110
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from multidict import CIMultiDictProxy
from yarl import URL

from adapters.http.addresses import may_connect
from adapters.http.posting import CONNECT_S, Poster
from pod.errors import Forbidden, Invalid, PeerUnavailable, TooLarge

_AT_ONCE: Final = 600
"""Connections in all: deliveries that hang take up to 450, and nobody else may wait for them."""

_PER_HOST: Final = 8

Lookup = Callable[[str, int], Awaitable[list[str]]]


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
        return [
            ResolveResult(
                hostname=host,
                host=text,
                port=port,
                family=socket.AF_INET6 if ":" in text else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for text in await self.addresses(host, port)
        ]

    async def addresses(self, host: str, port: int) -> list[str]:
        """The address literals of a host, or of a literal, that may be connected to."""
        if self._private and (host == "localhost" or host.endswith(".localhost")):
            found = ["127.0.0.1"]
        elif ":" in host or host[-1:].isdigit():
            found = [host]
        else:
            found = await self._lookup(host, port)
        allowed = [text for text in found if may_connect(text, private=self._private)]
        if found and not allowed:
            raise _RefusedAddress(host)
        return allowed

    async def close(self) -> None:
        """Nothing is held."""


class _RefusedAddress(PermissionError):
    """A name led to an address that the pod does not connect to."""


class Client:
    """One session; every socket it makes leads to an address that is allowed."""

    def __init__(self, lookup: Lookup, *, private: bool, agent: str) -> None:
        """``agent`` is how the client names itself."""
        self._private = private
        self._agent = agent
        resolver = _Resolver(lookup, private=private)
        self._poster = Poster(resolver.addresses)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=_AT_ONCE,
                limit_per_host=_PER_HOST,
                resolver=resolver,
                socket_factory=self._socket,
                ttl_dns_cache=30,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
            trust_env=False,
            headers={"User-Agent": agent},
            skip_auto_headers=("Content-Type",),
        )

    async def close(self) -> None:
        """Close all connections."""
        self._poster.close()
        await self._session.close()

    def _socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, proto, _, address = info
        if not may_connect(str(address[0]), private=self._private):
            raise _RefusedAddress(address[0])
        made = socket.socket(family, kind, proto)
        made.setblocking(False)
        return made

    async def send(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: bytes | Path | None,
        limit: int,
        into: Path | None,
    ) -> tuple[str, int, CIMultiDictProxy[str], bytes]:
        """One exchange: the URL, status, headers and body of the answer.

        A body may be sent from a file, and one that comes with 200 go ``into`` a file. Raises
        Forbidden, Invalid, PeerUnavailable, and TooLarge for a body over ``limit`` bytes; that of
        an error is cut there, since its status is what counts.
        """
        try:
            if method == "POST" and isinstance(body, bytes):
                named = {"User-Agent": self._agent, **headers}
                return str(url), *await self._poster.post(url, named, body, limit)
            with body.open("rb") if isinstance(body, Path) else nullcontext(body) as data:
                async with self._session.request(
                    method, url, headers=headers, data=data, allow_redirects=False
                ) as response:
                    if into is not None and response.status == 200:
                        received = await _save(response, into)
                    else:
                        received = await _read(response, limit)
                    return str(response.url), response.status, response.headers, received
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


async def _save(response: aiohttp.ClientResponse, into: Path) -> bytes:
    with into.open("wb") as file:
        async for chunk in response.content.iter_chunked(65_536):
            file.write(chunk)
    return b""


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    received = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        received += chunk
        if len(received) > limit and response.status < 400:
            raise TooLarge("the answer of another server is too large")
        if len(received) > limit:
            break
    return bytes(received[:limit])
