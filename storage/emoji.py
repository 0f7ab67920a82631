"""Custom emoji as pictures in a folder, each named by its word."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pod.errors import Invalid, NotFound, TooLarge
from pod.media import media_type_of
from pod.model.emoji import Emoji
from storage.durable import sync_folder, write_file

MAX_BYTES: Final = 256 * 1024
"""What Mastodon takes of a picture."""

_TICK_NS: Final = 1_000_000_000
"""Two changes as close as this may bear the same time."""

_NAME: Final = re.compile(r"[A-Za-z0-9_]{2,64}")
_TYPES: Final = {
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "jpg": "image/jpeg",
}


class EmojiFolder:
    """Reads the folder anew when something in it changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: int | None = None
        self._held: dict[str, Emoji] = {}

    def all(self) -> Mapping[str, Emoji]:
        """What is offered, by name; none where there is no folder."""
        try:
            changed = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            return {}
        is_fresh = time.time_ns() - changed < _TICK_NS
        if changed != self._seen or is_fresh:
            found = map(_read, sorted(self._folder.iterdir()))
            self._held = {emoji.name: emoji for emoji in found if emoji is not None}
            self._seen = changed
        return self._held

    def body(self, emoji: Emoji) -> bytes:
        """The picture; raises NotFound when it was just removed."""
        try:
            return (self._folder / emoji.file).read_bytes()
        except FileNotFoundError as err:
            raise NotFound from err

    def add(self, name: str, body: bytes) -> Emoji:
        """Offer a picture, in place of an older one of that name.

        Raises Invalid for a name or picture that other servers would not take, TooLarge.
        """
        if not _NAME.fullmatch(name):
            raise Invalid("A name has 2 to 64 letters, digits and underscores.")
        if len(body) > MAX_BYTES:
            raise TooLarge(f"A picture may take at most {MAX_BYTES // 1024} KiB.")
        kind = media_type_of(body, None)
        ending = next((end for end, held in _TYPES.items() if held == kind), None)
        if ending is None:
            raise Invalid("The picture is a PNG, GIF, WebP, AVIF or JPEG file.")
        self._folder.mkdir(parents=True, exist_ok=True)
        file = f"{name}.{ending}"
        write_file(self._folder / file, body, mode=0o644)
        self._drop(name, besides=file)
        return self.all()[name]

    def remove(self, name: str) -> None:
        """Offer a picture no more; raises NotFound."""
        if name not in self.all():
            raise NotFound(f"There is no emoji {name}.")
        self._drop(name)
        sync_folder(self._folder)

    def _drop(self, name: str, besides: str = "") -> None:
        for ending in _TYPES:
            if f"{name}.{ending}" != besides:
                (self._folder / f"{name}.{ending}").unlink(missing_ok=True)
        self._seen = None


def _read(path: Path) -> Emoji | None:
    name, _, ending = path.name.rpartition(".")
    if not _NAME.fullmatch(name) or ending not in _TYPES:
        return None
    at = datetime.fromtimestamp(path.stat().st_mtime, UTC).replace(microsecond=0)
    return Emoji(name, path.name, _TYPES[ending], at)
