"""com.atproto.repo: getRecord, listRecords, describeRepo.

Spec: https://atproto.com/specs/xrpc, lexicons com.atproto.repo.*
"""

from __future__ import annotations

from typing import Any

from adapters.atproto.did.document import read_document
from adapters.atproto.xrpc.call import Call, Result, query
from adapters.atproto.xrpc.elsewhere import forward_for_anybody
from adapters.atproto.xrpc.repos import find_member, visible_repo
from adapters.atproto.xrpc.services import Services
from pod.errors import Invalid, NotFound, PeerUnavailable
from pod.model.ids import Nsid, Rkey
from pod.model.member import Member
from pod.model.resource import record_path
from pod.records.cbor import decode_trusted
from pod.records.cid import cid_text

DEFAULT_PAGE = 50


@query("com.atproto.repo.getRecord")
async def get_record(call: Call, services: Services) -> Result:
    """One record; those of repos elsewhere are asked of the AppView, if there is one."""
    params = call.params
    member = _active(services, params["repo"])
    if member is None:
        if services.settings.appview is None:
            raise NotFound("Could not locate record", name="RecordNotFound")
        return await forward_for_anybody(call, services)
    path = record_path(Nsid(params["collection"]), Rkey(params["rkey"]))
    found = services.shown.resource(member.id, path)
    uri = member.at_uri(path)
    wanted = params.get("cid")
    if found is None or (wanted is not None and cid_text(found.cid) != wanted):
        raise NotFound(f"Could not locate record: {uri}", name="RecordNotFound")
    return {"uri": uri, "cid": cid_text(found.cid), "value": decode_trusted(found.body)}


@query("com.atproto.repo.listRecords")
async def list_records(call: Call, services: Services) -> dict[str, Any]:
    """A page of a collection, newest record key first."""
    params = call.params
    member = _active(services, params["repo"])
    if member is None:
        raise NotFound(f"Could not find repo: {params['repo']}")
    prefix = f"{params['collection']}/"
    cursor = params.get("cursor")
    page = services.shown.records(
        member.id,
        prefix,
        after=prefix + cursor if cursor else None,
        limit=params.get("limit", DEFAULT_PAGE),
        reverse=not params.get("reverse", False),
    )
    base = f"at://{member.did}/"
    records = [
        {"uri": base + key, "cid": cid_text(cid), "value": decode_trusted(block)}
        for key, cid, block in page
    ]
    return {"records": records} | ({"cursor": page[-1][0][len(prefix) :]} if page else {})


@query("com.atproto.repo.describeRepo")
async def describe_repo(call: Call, services: Services) -> dict[str, Any]:
    """Who owns a repo and which collections it holds."""
    member = visible_repo(call, services.store, call.params["repo"])
    try:
        document = await services.identities.did_document(member.did)
    except PeerUnavailable as err:
        raise Invalid(f"Could not resolve DID: {member.did}") from err
    if document is None:
        raise Invalid(f"Could not resolve DID: {member.did}")
    names = services.store.containers(member.id, "/repo/")
    return {
        "handle": member.handle,
        "did": member.did,
        "didDoc": document,
        "collections": [name.rstrip("/").rpartition("/")[2] for name in names],
        "handleIsCorrect": read_document(member.did, document).handle == member.handle,
    }


def _active(services: Services, identifier: str) -> Member | None:
    member = find_member(services.store, identifier)
    return member if member is not None and member.is_active else None
