"""com.atproto.sync: getBlob, listBlobs.

Spec: https://atproto.com/specs/blob, lexicons com.atproto.sync.*
"""

from __future__ import annotations

from typing import Any, Final

from adapters.atproto.xrpc.blob import PAGE, cursor_cid
from adapters.atproto.xrpc.call import Auth, Body, Call, query
from adapters.atproto.xrpc.repos import visible_repo
from adapters.atproto.xrpc.services import Services
from adapters.http.conditional import not_modified
from adapters.http.negotiate import harmless
from adapters.http.ranges import Unsatisfiable, span_of
from pod.model.ids import Tid
from pod.records.cid import cid_from_text, cid_text

CACHED: Final = b"public, max-age=3600, must-revalidate"


@query("com.atproto.sync.getBlob", Auth.OPTIONAL, takendown_may=True)
async def get_blob(call: Call, services: Services) -> Body:
    """The bytes of a blob that a public record shows, kept from running in a browser."""
    member = visible_repo(call, services.store, call.params["did"])
    row = services.media.public(member.id, cid_from_text(call.params["cid"]))
    name = cid_text(row.cid)
    tag = f'"{name}"'
    headers = [
        (b"x-content-type-options", b"nosniff"),
        (b"content-disposition", f'attachment; filename="{name}"'.encode()),
        (b"content-security-policy", b"default-src 'none'; sandbox"),
        (b"etag", tag.encode()),
        (b"accept-ranges", b"bytes"),
    ]
    if member.is_active:
        # Revalidated now and then: what is taken down or deleted must not live on in caches.
        headers.append((b"cache-control", CACHED))
    if not_modified(_conditions(call), tag, None):
        return Body(b"", "", tuple(headers), 304)
    is_same = (call.header(b"if-range") or tag) == tag
    try:
        span = span_of(call.header(b"range"), row.size) if is_same else None
    except Unsatisfiable:
        return Body(b"", "", ((b"content-range", f"bytes */{row.size}".encode()),), 416)
    kind = harmless(row.media_type)
    if span is None:
        return Body(services.media.stream(row.cid), kind, tuple(headers), length=row.size)
    headers.append((b"content-range", f"bytes {span.start}-{span.end - 1}/{row.size}".encode()))
    body = services.media.stream(row.cid, start=span.start, end=span.end)
    return Body(body, kind, tuple(headers), 206, length=span.end - span.start)


def _conditions(call: Call) -> dict[str, str]:
    known = call.header(b"if-none-match")
    return {} if known is None else {"If-None-Match": known}


@query("com.atproto.sync.listBlobs", Auth.OPTIONAL, takendown_may=True)
async def list_blobs(call: Call, services: Services) -> dict[str, Any]:
    """CIDs of the blobs that public records refer to."""
    params = call.params
    member = visible_repo(call, services.store, params["did"])
    since = params.get("since")
    page = services.store.repo_blobs(
        member.id,
        since=None if since is None else Tid(since),
        after=cursor_cid(params.get("cursor")),
        limit=params.get("limit", PAGE),
    )
    cids = [cid_text(cid) for cid in page]
    return {"cids": cids} | ({"cursor": cids[-1]} if cids else {})
