"""Whether a domain leads to this server: by DNS or by asking it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from pod.errors import PeerUnavailable, PodError
from pod.model.ids import Did, Handle, Origin

Txt = Callable[[str], Awaitable[list[str]]]
"""The TXT records of a name, empty if there are none; raises PeerUnavailable."""


class _Answer(Protocol):
    @property
    def status(self) -> int: ...
    @property
    def body(self) -> bytes: ...


class Asks(Protocol):
    """How other hosts are asked."""

    async def get(self, url: str, *, max_bytes: int) -> _Answer: ...


def leads_here(did: Did, txt: Txt, fetch: Asks) -> Callable[[Handle], Awaitable[bool]]:
    """The check for a server that is ``did``.

    A TXT record ``_commonpod.<domain>`` with ``did=<the server's DID>`` says so, and must where
    the domain gets its certificate only when somebody lives there; else the domain itself is
    asked for ``/.well-known/commonpod``.
    """

    async def by_dns(domain: Handle) -> bool:
        try:
            return f"did={did}" in await txt(f"_commonpod.{domain}")
        except PeerUnavailable:
            return False

    async def by_asking(domain: Handle) -> bool:
        try:
            answer = await fetch.get(f"https://{domain}/.well-known/commonpod", max_bytes=1_000)
        except PodError:
            return False
        return answer.status == 200 and answer.body.decode("latin-1").strip() == did

    async def check(domain: Handle) -> bool:
        return await by_dns(domain) or await by_asking(domain)

    return check


def seen_from_outside(did: Did, fetch: Asks) -> Callable[[Origin], Awaitable[str | None]]:
    """Looks at an origin as strangers do: None if the server that is ``did`` answers over TLS."""

    async def look(origin: Origin) -> str | None:
        try:
            answer = await fetch.get(f"{origin}/.well-known/commonpod", max_bytes=1_000)
        except PodError:
            return "it cannot be reached, or its certificate does not hold."
        if answer.status == 200 and answer.body.decode("latin-1").strip() == did:
            return None
        return "another server answers there."

    return look


async def believed(_: Handle) -> bool:
    """In development every domain is believed."""
    return True
