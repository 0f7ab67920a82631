"""Pictures and films of other servers, passed on: nothing is stored, and nobody is told who looks.

Addresses are made by the pod and carry its mark, so it fetches nothing that it did not show itself.

Spec: https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Content-Security-Policy/sandbox
"""

from __future__ import annotations

import asyncio
import binascii
import hashlib
import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from quart import Blueprint, Response, request

from adapters.http.fetch import Fetched, HeadersFor
from adapters.http.hosts import Hosts
from adapters.http.negotiate import parse_media_type
from pod.errors import NotFound, PeerUnavailable, PodError, Unsupported

MAX_BYTES: Final = 16_000_000
"""The largest file that is passed on."""

CACHE_BYTES: Final = 32_000_000
KEPT_BYTES: Final = 2_000_000
"""The largest file that is kept in memory for the next who looks."""

AT_ONCE: Final = 8
_SPARED_FOR_S: Final = 60.0
_MOST_SPARED: Final = 10_000
_MARK_CHARS: Final = 32
_HEADERS: Final = {
    "Cache-Control": "public, max-age=86400, immutable",
    "Content-Disposition": "inline",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}
_MAGIC: Final[dict[str, Callable[[bytes], bool]]] = {
    "image/png": lambda body: body.startswith(b"\x89PNG\r\n\x1a\n"),
    "image/jpeg": lambda body: body.startswith(b"\xff\xd8\xff"),
    "image/gif": lambda body: body.startswith((b"GIF87a", b"GIF89a")),
    "image/webp": lambda body: body[:4] == b"RIFF" and body[8:12] == b"WEBP",
    "image/avif": lambda body: body[4:12] in (b"ftypavif", b"ftypavis", b"ftypmif1"),
    "video/mp4": lambda body: body[4:8] == b"ftyp",
    "video/webm": lambda body: body.startswith(b"\x1a\x45\xdf\xa3"),
    "audio/mpeg": lambda body: body.startswith((b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")),
    "audio/ogg": lambda body: body.startswith(b"OggS"),
}
"""The types that are passed on, and how such files begin: no type runs in a browser."""


class Egress(Protocol):
    """The guarded way out."""

    async def get(
        self, url: str, headers: HeadersFor | None = None, *, max_bytes: int | None = None
    ) -> Fetched: ...


@dataclass(frozen=True, slots=True)
class Media:
    """A file as it is passed on."""

    media_type: str
    body: bytes


class MediaProxy:
    """Fetches what its own addresses name, with a small cache in memory.

    ``allows`` says whether media of an address are shown here at all.
    """

    def __init__(
        self,
        hosts: Hosts,
        egress: Egress,
        secret: bytes,
        allows: Callable[[str], bool],
        *,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self._hosts = hosts
        self._egress = egress
        self._secret = hmac.digest(secret, b"media proxy", "sha256")
        self._allows = allows
        self._cache_bytes = cache_bytes
        self._held = 0
        self._cache: OrderedDict[str, Media] = OrderedDict()
        self._failed: OrderedDict[str, float] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[Media]] = {}
        self._room = asyncio.Semaphore(AT_ONCE)

    def address(self, url: str) -> str:
        """Where the pod shows a file of another server; data of our own is shown as it is."""
        name = urlsafe_b64encode(url.encode()).rstrip(b"=").decode()
        return f"{self._hosts.server}/media/{self._mark(name)}/{name}"

    def rooms(self) -> Blueprint:
        """The route, on the server's own origin."""
        blueprint = Blueprint("media_proxy", __name__)

        @blueprint.get("/media/<mark>/<name>")
        async def show(mark: str, name: str) -> Response:
            if not self._hosts.is_server(request.host):
                raise NotFound
            found = await self.media(mark, name)
            return Response(found.body, 200, _HEADERS, content_type=found.media_type)

        return blueprint

    async def media(self, mark: str, name: str) -> Media:
        """The file behind an address of ours.

        Raises NotFound for other addresses, Unsupported for files that are not media, TooLarge, and
        PeerUnavailable.
        """
        if not hmac.compare_digest(mark.encode(), self._mark(name).encode()):
            raise NotFound
        try:
            url = urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()
        except (binascii.Error, ValueError) as err:
            raise NotFound from err
        if not self._allows(url):
            raise NotFound
        if (held := self._cache.get(url)) is not None:
            self._cache.move_to_end(url)
            return held
        if time.monotonic() - self._failed.get(url, -_SPARED_FOR_S) < _SPARED_FOR_S:
            raise PeerUnavailable
        task = self._under_way.get(url)
        if task is None:
            task = self._under_way[url] = asyncio.create_task(self._fetch(url))
            task.add_done_callback(lambda _: self._under_way.pop(url, None))
        return await asyncio.shield(task)

    async def _fetch(self, url: str) -> Media:
        try:
            async with self._room:
                fetched = await self._egress.get(url, max_bytes=MAX_BYTES)
            if fetched.status != 200:
                raise PeerUnavailable
            found = _checked(fetched)
        except PodError:
            self._failed[url] = time.monotonic()
            if len(self._failed) > _MOST_SPARED:
                self._failed.popitem(last=False)
            raise
        self._keep(url, found)
        return found

    def _keep(self, url: str, found: Media) -> None:
        if len(found.body) > KEPT_BYTES:
            return
        self._cache[url] = found
        self._held += len(found.body)
        while self._held > self._cache_bytes:
            _, oldest = self._cache.popitem(last=False)
            self._held -= len(oldest.body)

    def _mark(self, name: str) -> str:
        return hmac.new(self._secret, name.encode(), hashlib.sha256).hexdigest()[:_MARK_CHARS]


def _checked(fetched: Fetched) -> Media:
    """The file, if it is what it says and no more; raises Unsupported."""
    media = parse_media_type(fetched.content_type)
    essence = media.essence if media is not None else ""
    looks_right = _MAGIC.get(essence)
    if looks_right is None or not looks_right(fetched.body):
        raise Unsupported("The file is no picture, film or sound that is shown here.")
    return Media(essence, fetched.body)
