"""com.atproto.sync: getBlob, listBlobs.

Spec: https://atproto.com/specs/blob, lexicons com.atproto.sync.*
"""

from __future__ import annotations

from typing import Any

from adapters.atproto.xrpc.blob import PAGE, cursor_cid
from adapters.atproto.xrpc.call import Auth, Body, Call, query
from adapters.atproto.xrpc.repos import visible_repo
from adapters.atproto.xrpc.services import Services
from pod.model.ids import Tid
from pod.records.cid import cid_from_text, cid_text


@query("com.atproto.sync.getBlob", Auth.OPTIONAL, takendown_may=True)
async def get_blob(call: Call, services: Services) -> Body:
    """The bytes of a blob that a public record shows, kept from running in a browser."""
    member = visible_repo(call, services.store, call.params["did"])
    row = services.media.public(member.id, cid_from_text(call.params["cid"]))
    name = cid_text(row.cid)
    return Body(
        services.media.stream(row.cid),
        row.media_type,
        (
            (b"x-content-type-options", b"nosniff"),
            (b"content-disposition", f'attachment; filename="{name}"'.encode()),
            (b"content-security-policy", b"default-src 'none'; sandbox"),
        ),
        length=row.size,
    )


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
