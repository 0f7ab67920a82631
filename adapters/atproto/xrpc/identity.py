"""com.atproto.identity: resolveHandle, updateHandle, resolveDid, resolveIdentity, refreshIdentity.

Spec: https://atproto.com/specs/handle, lexicons com.atproto.identity.*
"""

from __future__ import annotations

from typing import Any, Final

from adapters.atproto.did.document import read_document
from adapters.atproto.xrpc.call import Auth, Call, procedure, query
from adapters.atproto.xrpc.services import Services
from pod.errors import Invalid, NotFound, PodError
from pod.model.ids import Did, Handle, parse_handle

NO_HANDLE: Final = "handle.invalid"


@query("com.atproto.identity.resolveHandle")
async def resolve_handle(call: Call, services: Services) -> dict[str, Any]:
    """The DID behind a handle: of a member, or of anybody in the network."""
    return {"did": await _did_of(services, call.params["handle"])}


@procedure("com.atproto.identity.updateHandle")
async def update_handle(call: Call, services: Services) -> None:
    """Take another handle."""
    await services.accounts.set_handle(call.member, call.body["handle"])


@query("com.atproto.identity.resolveDid")
async def resolve_did(call: Call, services: Services) -> dict[str, Any]:
    """The DID document of anybody."""
    return {"didDoc": await _document(services, Did(call.params["did"]), fresh=False)}


@query("com.atproto.identity.resolveIdentity")
async def resolve_identity(call: Call, services: Services) -> dict[str, Any]:
    """DID, handle (if both ways agree) and DID document of anybody."""
    return await _identity(services, call.params["identifier"], fresh=False)


@procedure("com.atproto.identity.refreshIdentity", Auth.NONE)
async def refresh_identity(call: Call, services: Services) -> dict[str, Any]:
    """The same, asked of the network anew."""
    return await _identity(services, call.body["identifier"], fresh=True)


async def _identity(services: Services, identifier: str, *, fresh: bool) -> dict[str, Any]:
    if identifier.startswith("did:"):
        did = Did(identifier)
    else:
        did = await _did_of(services, identifier, named="HandleNotFound")
    document = await _document(services, did, fresh=fresh)
    claimed = read_document(did, document).handle
    is_theirs = claimed is not None and await _leads_to(services, claimed, did)
    return {"did": did, "handle": claimed if is_theirs else NO_HANDLE, "didDoc": document}


async def _document(services: Services, did: Did, *, fresh: bool) -> dict[str, Any]:
    try:
        document = await services.identities.did_document(did, fresh=fresh)
    except PodError as err:
        raise NotFound("DID could not be resolved", name="DidNotFound") from err
    if document is None:
        raise NotFound("DID could not be resolved", name="DidNotFound")
    return document


async def _leads_to(services: Services, handle: Handle, did: Did) -> bool:
    try:
        return await _did_of(services, handle) == did
    except (Invalid, NotFound):
        return False


async def _did_of(services: Services, text: str, *, named: str | None = None) -> Did:
    try:
        handle = parse_handle(text)
    except Invalid as err:
        raise Invalid(err.safe_text, name="InvalidHandle") from err
    member = services.store.member_by_handle(handle)
    if member is not None and member.is_active:
        return member.did
    domains = services.settings.service_domains
    if any(f".{handle}".endswith(domain.handle_suffix) for domain in domains):
        raise NotFound("Unable to resolve handle", name="HandleNotFound")
    try:
        did = await services.identities.resolve_handle(handle)
    except PodError as err:
        raise NotFound("Unable to resolve handle", name=named) from err
    if did is None:
        raise NotFound("Unable to resolve handle", name=named)
    return did
