"""com.atproto.identity: resolveHandle, updateHandle, getRecommendedDidCredentials.

Spec: https://atproto.com/specs/handle, lexicons com.atproto.identity.*
"""

from __future__ import annotations

from typing import Any

from adapters.atproto.xrpc.call import Auth, Call, procedure, query
from adapters.atproto.xrpc.services import Services
from pod.errors import Invalid, NotFound, PodError
from pod.model.ids import parse_handle


@query("com.atproto.identity.resolveHandle")
async def resolve_handle(call: Call, services: Services) -> dict[str, Any]:
    """The DID behind a handle: of a member, or of anybody in the network."""
    try:
        handle = parse_handle(call.params["handle"])
    except Invalid as err:
        raise Invalid(err.safe_text, name="InvalidHandle") from err
    member = services.store.member_by_handle(handle)
    if member is not None and member.is_active:
        return {"did": member.did}
    domains = services.settings.service_domains
    if any(f".{handle}".endswith(domain.handle_suffix) for domain in domains):
        raise NotFound("Unable to resolve handle", name="HandleNotFound")
    try:
        did = await services.identities.resolve_handle(handle)
    except PodError as err:
        raise NotFound("Unable to resolve handle") from err
    if did is None:
        raise NotFound("Unable to resolve handle")
    return {"did": did}


@procedure("com.atproto.identity.updateHandle")
async def update_handle(call: Call, services: Services) -> None:
    """Take another handle."""
    await services.accounts.set_handle(call.member, call.body["handle"])


@query("com.atproto.identity.getRecommendedDidCredentials", Auth.ACCESS)
async def get_recommended_did_credentials(call: Call, services: Services) -> dict[str, Any]:
    """What the DID document of a member should say for this server to serve them."""
    member = call.member
    return {
        "alsoKnownAs": [f"at://{member.handle}"],
        "verificationMethods": {"atproto": services.keyring.repo_key(member.id).did_key},
        "rotationKeys": [services.keyring.rotation_key().did_key],
        "services": {
            "atproto_pds": {
                "type": "AtprotoPersonalDataServer",
                "endpoint": services.settings.origin,
            }
        },
    }
