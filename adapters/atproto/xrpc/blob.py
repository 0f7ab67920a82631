"""com.atproto.repo: uploadBlob, listMissingBlobs.

Spec: https://atproto.com/specs/blob, lexicons com.atproto.repo.*
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from adapters.atproto.xrpc.call import Auth, Call, procedure, query
from adapters.atproto.xrpc.services import Services
from pod.errors import Invalid
from pod.model.ids import Cid
from pod.model.member import Member
from pod.ports import Reader
from pod.records.cid import cid_from_text, cid_text
from pod.records.data import Link

PAGE: Final = 500


@procedure("com.atproto.repo.uploadBlob", Auth.ACCESS_OR_SERVICE, takes="*/*")
async def upload_blob(call: Call, services: Services) -> dict[str, Any]:
    """Keep a blob until a record refers to it; the type that the bytes show wins."""
    assert call.stream is not None  # the router hands it to methods that take bytes
    chunks = call.stream(services.settings.limits.blob_bytes)
    row = await services.media.upload(call.member.id, chunks, call.media_type)
    return {
        "blob": {
            "$type": "blob",
            "ref": Link(row.cid),
            "mimeType": row.media_type,
            "size": row.size,
        }
    }


@query("com.atproto.repo.listMissingBlobs", Auth.ACCESS)
async def list_missing_blobs(call: Call, services: Services) -> dict[str, Any]:
    """Blobs that the caller's records refer to and that were not uploaded."""
    member, store, limit = call.member, services.store, call.params.get("limit", PAGE)
    missing: list[dict[str, Any]] = []
    for page in referenced_blobs(store, member, after=cursor_cid(call.params.get("cursor"))):
        for cid in page:
            if store.blob(member.id, cid) is None:
                path = store.blob_paths(member.id, cid)[0]
                missing.append({"cid": cid_text(cid), "recordUri": member.at_uri(path)})
        if len(missing) >= limit:
            missing = missing[:limit]
            break
    return {"blobs": missing} | ({"cursor": missing[-1]["cid"]} if missing else {})


def referenced_blobs(
    store: Reader, member: Member, *, after: Cid | None = None
) -> Iterator[list[Cid]]:
    """Pages of the blobs that a member's public records refer to, in CID order."""
    while page := store.repo_blobs(member.id, since=None, after=after, limit=PAGE):
        yield page
        after = page[-1]


def cursor_cid(cursor: str | None) -> Cid | None:
    """A cursor that is a CID; Invalid if it is something else."""
    if cursor is None:
        return None
    try:
        return cid_from_text(cursor)
    except Invalid as err:
        raise Invalid("Malformed cursor") from err
