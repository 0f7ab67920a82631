"""Request bodies: read within a limit, decompressed within the same limit, streamed or whole.

Spec: https://atproto.com/specs/xrpc#requests, RFC 9110 section 8.4
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

import orjson

from pod.errors import Invalid, TooLarge, Unsupported

Receive = Callable[[], Awaitable[Any]]

_WINDOW_BITS: Final = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}
_TOO_LARGE: Final = "request entity too large"
_INFLATE_STEP: Final = 256 * 1024


async def read_json(headers: Mapping[bytes, bytes], receive: Receive, limit: int) -> Any:
    """A JSON body of at most ``limit`` bytes; Invalid, TooLarge or Unsupported."""
    check_type(headers, "application/json")
    body = b"".join([chunk async for chunk in read_stream(headers, receive, limit)])
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as err:
        raise Invalid("The request body is not valid JSON") from err


def check_type(headers: Mapping[bytes, bytes], expected: str) -> str:
    """The media type of a body that must be there; Invalid if absent or another one."""
    if b"content-length" not in headers and b"transfer-encoding" not in headers:
        raise Invalid("A request body is expected but none was provided")
    declared = headers.get(b"content-type", b"").split(b";", 1)[0].strip().lower().decode("latin-1")
    if "/" not in declared:
        raise Invalid("Request encoding (Content-Type) required but not provided")
    if expected not in ("*/*", declared):
        raise Invalid(f"Wrong request encoding (Content-Type): {declared}")
    return declared


async def expect_no_body(headers: Mapping[bytes, bytes], receive: Receive) -> None:
    """Invalid if a body was sent where none belongs; an empty one is ignored."""
    if headers.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in headers:
        return
    async for chunk in _chunks(receive):
        if chunk:
            raise Invalid("A request body was provided when none was expected")


async def read_stream(
    headers: Mapping[bytes, bytes], receive: Receive, limit: int
) -> AsyncIterator[bytes]:
    """The decoded body in chunks; TooLarge beyond ``limit`` bytes, before or after decoding."""
    declared = headers.get(b"content-length")
    if declared is not None and int(declared) > limit:
        raise TooLarge(_TOO_LARGE)
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    chunks = _chunks(receive)
    if encoding != b"identity":
        if encoding not in _WINDOW_BITS:
            raise Unsupported("unsupported content-encoding")
        chunks = _inflate(chunks, zlib.decompressobj(_WINDOW_BITS[encoding]))
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise TooLarge(_TOO_LARGE)
        yield chunk


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Invalid("The request body ended early")
        if chunk := message.get("body", b""):
            yield chunk
        if not message.get("more_body", False):
            return


async def _inflate(
    chunks: AsyncIterator[bytes], inflater: zlib._Decompress
) -> AsyncIterator[bytes]:
    try:
        async for chunk in chunks:
            pending = chunk
            while pending:
                yield inflater.decompress(pending, _INFLATE_STEP)
                pending = inflater.unconsumed_tail
        yield inflater.flush()
    except zlib.error as err:
        raise Invalid("The request body could not be decoded") from err
    if not inflater.eof:
        raise Invalid("The request body could not be decoded")
