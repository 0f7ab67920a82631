"""Blurhash of pictures: a few characters from which an app paints a blur until the picture comes.

Computed once for each picture, in a thread, and cached by content.

Spec: https://github.com/woltapp/blurhash/blob/master/Algorithm.md
"""

from __future__ import annotations

import asyncio
import io
import math
import warnings
from collections.abc import Sequence
from typing import Final

from adapters.activitypub.ports import Blobs, RemoteCache
from pod.errors import NotFound
from pod.model.blob import BlobRef
from pod.model.ids import Cid, Iri
from pod.ports import Clock
from pod.records.cid import cid_text

_DIGITS: Final = (
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
)
_ACROSS, _DOWN = 4, 3
_SIDE: Final = 32
_MOST_BYTES: Final = 16 * 1024 * 1024
_MOST_PIXELS: Final = 25_000_000
_Pixels = Sequence[tuple[float, float, float]]


class Blurhashes:
    """Those that were computed; "" stands for a picture that cannot be read."""

    def __init__(self, cache: RemoteCache, blobs: Blobs, clock: Clock) -> None:
        self._cache = cache
        self._blobs = blobs
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()

    def of(self, cid: Cid) -> str | None:
        """The blurhash of a picture, if it was computed."""
        held = self._cache.get(_key(cid))
        return held[0].decode() or None if held is not None else None

    async def compute(self, pictures: Sequence[BlobRef]) -> None:
        """Compute what is not yet known."""
        for picture in pictures:
            if not picture.media_type.startswith("image/") or picture.size > _MOST_BYTES:
                continue
            async with self._one_at_a_time:
                if self._cache.get(_key(picture.cid)) is None:
                    made = await self._made(picture.cid)
                    if made is not None:
                        await self._cache.put(_key(picture.cid), made.encode(), self._clock.now())

    async def _made(self, cid: Cid) -> str | None:
        try:
            body = b"".join([chunk async for chunk in self._blobs.stream(cid)])
        except NotFound:
            return None
        return await asyncio.to_thread(blurhash_of, body)


def blurhash_of(body: bytes) -> str:
    """The blurhash of a picture's bytes, "" where they are none that can be read."""
    from PIL import Image, UnidentifiedImageError  # 2 MB that many a pod never needs

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(body)) as image:
                if image.width * image.height > _MOST_PIXELS:
                    return ""
                image.draft("RGB", (_SIDE, _SIDE))
                small = image.convert("RGB").resize((_SIDE, _SIDE))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError):
        return ""
    raw = small.tobytes()
    pixels = [
        (_linear(raw[at]), _linear(raw[at + 1]), _linear(raw[at + 2]))
        for at in range(0, len(raw), 3)
    ]
    return encode(pixels, _SIDE, _SIDE)


def encode(pixels: _Pixels, width: int, height: int) -> str:
    """The blurhash of linear RGB pixels, row by row, with 4 components across and 3 down."""
    factors = [
        _factor(pixels, width, height, across, down)
        for down in range(_DOWN)
        for across in range(_ACROSS)
    ]
    first, rest = factors[0], factors[1:]
    largest = max(abs(part) for factor in rest for part in factor)
    level = max(0, min(82, math.floor(largest * 166 - 0.5)))
    scale = (level + 1) / 166
    red, green, blue = (_srgb(part) for part in first)
    text = _base83(_ACROSS - 1 + (_DOWN - 1) * 9, 1) + _base83(level, 1)
    text += _base83((red << 16) + (green << 8) + blue, 4)
    for factor in rest:
        steps = [_step(part / scale) for part in factor]
        text += _base83(steps[0] * 361 + steps[1] * 19 + steps[2], 2)
    return text


def _factor(
    pixels: _Pixels, width: int, height: int, across: int, down: int
) -> tuple[float, float, float]:
    """The part of a cosine wave in the pixels, for each colour."""
    columns = [math.cos(math.pi * across * x / width) for x in range(width)]
    rows = [math.cos(math.pi * down * y / height) for y in range(height)]
    red = green = blue = 0.0
    for y, row in enumerate(rows):
        for x, column in enumerate(columns):
            basis, pixel = row * column, pixels[y * width + x]
            red += basis * pixel[0]
            green += basis * pixel[1]
            blue += basis * pixel[2]
    scale = (1 if across == down == 0 else 2) / (width * height)
    return red * scale, green * scale, blue * scale


def _step(value: float) -> int:
    power = math.copysign(math.sqrt(abs(value)), value)
    return max(0, min(18, math.floor(power * 9 + 9.5)))


def _linear(value: int) -> float:
    part = value / 255
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _srgb(value: float) -> int:
    part = max(0.0, min(1.0, value))
    curved = part * 12.92 if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
    return int(curved * 255 + 0.5)


def _base83(value: int, length: int) -> str:
    return "".join(_DIGITS[value // 83**place % 83] for place in range(length - 1, -1, -1))


def _key(cid: Cid) -> Iri:
    return Iri(f"blurhash:{cid_text(cid)}")
