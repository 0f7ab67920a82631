"""Public media: ``/blobs/{cid}`` on a member's origin, whole or in ranges, cacheable for ever.

Spec: RFC 9110 section 14 (ranges), RFC 8246 (immutable), https://www.w3.org/TR/CSP3/#directive-sandbox
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Final

from quart import Blueprint, Response, request

from adapters.http.conditional import not_modified
from adapters.http.cors import echo
from adapters.http.hosts import Hosts
from adapters.http.incoming import fields
from adapters.http.negotiate import harmless
from adapters.http.ranges import Span, Unsatisfiable, span_of
from pod.errors import Invalid, NotFound
from pod.media import Media
from pod.ports import BlobRow
from pod.records.cid import cid_from_text, cid_text

_INLINE: Final = ("image/", "video/", "audio/")
_SCRIPTED: Final = frozenset({"image/svg+xml"})


def rooms(hosts: Hosts, media: Media) -> Blueprint:
    """GET and HEAD of public blobs; only bytes that a public record shows are found."""
    blueprint = Blueprint("blobs", __name__)

    @blueprint.get("/blobs/<cid>")
    async def blob(cid: str) -> Response:
        member = hosts.member(request.host)
        if not member.is_active:
            raise NotFound
        try:
            row = media.public(member.id, cid_from_text(cid))
        except (Invalid, NotFound) as error:
            raise NotFound from error
        return serve(replace(row, media_type=harmless(row.media_type)), media, fields())

    return blueprint


def serve(
    row: BlobRow, media: Media, asked: Mapping[str, str], *, is_public: bool = True
) -> Response:
    """The bytes of a blob for whoever may see it; what is not public, no cache may share."""
    tag = f'"{cid_text(row.cid)}"'
    headers = echo(asked) | _headers(row, tag)
    if not is_public:
        headers["Cache-Control"] = "private, no-cache"
    if not_modified(asked, tag, None):
        return Response(b"", status=304, headers=headers)
    is_same = asked.get("If-Range", tag) == tag
    try:
        span = span_of(asked.get("Range"), row.size) if is_same else None
    except Unsatisfiable:
        return Response(b"", status=416, headers={"Content-Range": f"bytes */{row.size}"})
    if span is not None:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{row.size}"
    whole = span or Span(0, row.size)
    body: bytes | AsyncIterator[bytes] = b""
    if request.method != "HEAD":
        body = media.stream(row.cid, start=whole.start, end=whole.end)
    response = Response(body, status=206 if span else 200, headers=headers)
    response.headers["Content-Type"] = row.media_type
    response.headers["Content-Length"] = str(whole.end - whole.start)
    return response


def _headers(row: BlobRow, tag: str) -> dict[str, str]:
    shown = row.media_type.startswith(_INLINE) and row.media_type not in _SCRIPTED
    return {
        "ETag": tag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "public, max-age=31536000, immutable",
        "Content-Disposition": "inline" if shown else "attachment",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
    }
