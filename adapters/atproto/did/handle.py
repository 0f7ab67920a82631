"""From a handle to its DID: our own members first, then DNS, then the handle's own web server.

Spec: https://atproto.com/specs/handle#handle-resolution
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from adapters.http.fetch import Fetch
from pod.errors import Forbidden, Invalid, PeerUnavailable, TooLarge
from pod.model.ids import Did, Handle, parse_did

Txt = Callable[[str], Awaitable[list[str]]]
"""The TXT records of a name, empty if there are none; raises PeerUnavailable."""

_RESERVED: Final = frozenset(
    {"alt", "arpa", "example", "internal", "invalid", "local", "localhost", "onion", "test"}
)
_MAX_BYTES: Final = 3000
_DNS_S: Final = 5.0


class HandleResolver:
    """Resolves handles.

    ``local`` knows the members of this server, handles under ``.test`` in development included.
    """

    def __init__(self, local: Callable[[Handle], Did | None], txt: Txt, fetch: Fetch) -> None:
        self._local = local
        self._txt = txt
        self._fetch = fetch

    async def resolve(self, handle: Handle) -> Did | None:
        """The DID that a handle points to, None if there is none or not just one."""
        known = self._local(handle)
        return known if known is not None else await self.resolve_remotely(handle)

    async def resolve_remotely(self, handle: Handle) -> Did | None:
        """The DID that DNS or the handle's web server tell, whoever's handle it is."""
        if handle.rpartition(".")[2] in _RESERVED:
            return None
        try:
            texts = await self._txt(f"_atproto.{handle}")
        except PeerUnavailable:
            texts = []
        dids = {text.removeprefix("did=") for text in texts if text.startswith("did=")}
        if dids:
            return _did(dids.pop()) if len(dids) == 1 else None
        try:
            answer = await self._fetch.get(
                f"https://{handle}/.well-known/atproto-did", max_bytes=_MAX_BYTES
            )
        except (Forbidden, Invalid, PeerUnavailable, TooLarge):
            return None
        return _did(answer.body.decode("utf-8", "replace")) if answer.status == 200 else None


def _did(text: str) -> Did | None:
    try:
        return parse_did(text.strip())
    except Invalid:
        return None


async def dns_txt(name: str) -> list[str]:
    """The TXT records of a name by the system's resolver; raises PeerUnavailable."""
    import dns.asyncresolver
    from dns.exception import DNSException
    from dns.resolver import NXDOMAIN, NoAnswer

    try:
        answer = await dns.asyncresolver.resolve(name, "TXT", lifetime=_DNS_S)
    except (NXDOMAIN, NoAnswer):
        return []
    except DNSException as err:
        raise PeerUnavailable("DNS did not answer") from err
    return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
