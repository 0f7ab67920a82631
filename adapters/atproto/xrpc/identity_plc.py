"""com.atproto.identity: operations of did:plc, with which a member changes or moves their identity.

Spec: https://atproto.com/specs/did, https://web.plc.directory/spec/v0.1/did-plc
"""

from __future__ import annotations

from typing import Any, Final

import structlog

from adapters.atproto.did.document import PDS_TYPE, pds_service
from adapters.atproto.did.plc import check_form, update
from adapters.atproto.xrpc.call import Auth, Call, procedure, query
from adapters.atproto.xrpc.services import Services
from pod.confirm import Purpose
from pod.errors import Invalid, PodError
from pod.records.data import data_to_json

_CHANGEABLE: Final = ("rotationKeys", "alsoKnownAs", "verificationMethods", "services")

log = structlog.get_logger()


@query("com.atproto.identity.getRecommendedDidCredentials", Auth.ACCESS)
async def get_recommended_did_credentials(call: Call, services: Services) -> dict[str, Any]:
    """What the DID document of a member should say for this server to serve them."""
    member, recovery = call.member, services.settings.recovery_key
    own = services.keyring.rotation_key().did_key
    return {
        "alsoKnownAs": [f"at://{member.handle}"],
        "verificationMethods": {"atproto": services.keyring.repo_key(member.id).did_key},
        "rotationKeys": [own] if recovery is None else [recovery, own],
        "services": pds_service(services.settings.origin),
    }


@procedure(
    "com.atproto.identity.requestPlcOperationSignature", Auth.FULL, takes=None, takendown_may=True
)
async def request_plc_operation_signature(call: Call, services: Services) -> None:
    """Mail a code without which the server signs no operation."""
    await services.confirmations.send(call.member, Purpose.PLC_OPERATION)


@procedure("com.atproto.identity.signPlcOperation", Auth.FULL, takendown_may=True)
async def sign_plc_operation(call: Call, services: Services) -> dict[str, Any]:
    """Sign an operation on top of the last one, with the server's rotation key."""
    member, body = call.member, call.body
    if not body.get("token"):
        raise Invalid("email confirmation token required to sign PLC operations")
    services.confirmations.check(member.id, Purpose.PLC_OPERATION, body["token"])
    await services.confirmations.drop(member.id, Purpose.PLC_OPERATION)
    last = await services.directory.last_operation(member.did)
    if last["type"] == "plc_tombstone":
        raise Invalid("Did is tombstoned")
    changes = {name: data_to_json(body[name]) for name in _CHANGEABLE if name in body}
    return {"operation": update(last, services.keyring.rotation_key(), **changes)}


@procedure("com.atproto.identity.submitPlcOperation")
async def submit_plc_operation(call: Call, services: Services) -> None:
    """Hand an operation to the directory, if the account can be served afterwards."""
    member = call.member
    try:
        operation = check_form(data_to_json(call.body["operation"]))
    except Invalid as err:
        raise Invalid("Invalid operation") from err
    if operation["type"] != "plc_operation":
        raise Invalid("Invalid operation")
    if services.keyring.rotation_key().did_key not in operation["rotationKeys"]:
        raise Invalid("Rotation keys do not include server's rotation key")
    pds = operation["services"].get("atproto_pds", {})
    if pds.get("type") != PDS_TYPE:
        raise Invalid("Incorrect type on atproto_pds service")
    if pds.get("endpoint") != services.settings.origin:
        raise Invalid("Incorrect endpoint on atproto_pds service")
    own = services.keyring.repo_key(member.id).did_key
    if operation["verificationMethods"].get("atproto") != own:
        raise Invalid("Incorrect signing key")
    if operation["alsoKnownAs"][:1] != [f"at://{member.handle}"]:
        raise Invalid("Incorrect handle in alsoKnownAs")
    await services.directory.submit(member.did, operation)
    await services.accounts.tell_identity(member.id)
    try:
        await services.identities.did_document(member.did, fresh=True)
    except PodError as err:
        # The operation stands; the cache will learn of it later.
        log.warning("DID document not refreshed", did=member.did, reason=type(err).__name__)
