"""com.atproto.server: describeServer, createAccount, checkAccountStatus, (de)activateAccount.

Spec: https://atproto.com/specs/account, lexicons com.atproto.server.*
"""

from __future__ import annotations

import re
from itertools import chain
from typing import Any, Final

from adapters.atproto.did.document import member_document, read_document
from adapters.atproto.xrpc.blob import referenced_blobs
from adapters.atproto.xrpc.call import Auth, Call, procedure, query
from adapters.atproto.xrpc.server_session import open_session
from adapters.atproto.xrpc.services import Services
from adapters.atproto.xrpc.sync_repo import tree_of
from pod.access.agent import Credential
from pod.account import Application
from pod.errors import Invalid, PeerUnavailable, Unauthenticated
from pod.model.ids import Did
from pod.model.member import Member, Standing
from pod.records.cid import cid_text

MAX_NEW_PASSWORD: Final = 256
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


@query("com.atproto.server.describeServer")
async def describe_server(call: Call, services: Services) -> dict[str, Any]:  # noqa: ARG001
    """What this server offers to somebody who wants to sign up."""
    settings = services.settings
    contact = {} if settings.contact_email is None else {"email": settings.contact_email}
    return {
        "did": settings.did,
        "availableUserDomains": [domain.handle_suffix for domain in settings.service_domains],
        "inviteCodeRequired": not settings.open_sign_up,
        "blobUploadLimit": settings.limits.blob_bytes,
        "links": {},
        "contact": contact,
    }


@procedure("com.atproto.server.createAccount", Auth.NONE)
async def create_account(call: Call, services: Services) -> dict[str, Any]:
    """Make an account: a new did:plc, or a did:web on the domain of the handle."""
    body = call.body
    password = body.get("password")
    _check_sign_up(services, body, password)
    member = await services.accounts.create(
        Application(
            handle=body["handle"],
            password_hash=None if password is None else await services.passwords.hash(password),
            email=body["email"].lower(),
            recovery_key=body.get("recoveryKey"),
            did=body.get("did"),
        )
    )
    tokens = await open_session(services, member, Credential.SESSION)
    # The document as it was just registered: nobody need be asked for it.
    key = services.keyring.repo_key(member.id).did_key
    document = member_document(member, key, services.settings.origin)
    return tokens | {"handle": member.handle, "did": member.did, "didDoc": document}


@query("com.atproto.server.checkAccountStatus", Auth.ACCESS)
async def check_account_status(call: Call, services: Services) -> dict[str, Any]:
    """How complete an account is, as a migration wants to know."""
    member, store = call.member, services.store
    head, tree = await tree_of(services.repos, services.store, member)
    blobs = list(chain.from_iterable(referenced_blobs(store, member)))
    return {
        "activated": member.is_active,
        "validDid": await _did_points_here(services, member),
        "repoCommit": cid_text(head.commit),
        "repoRev": head.rev,
        "repoBlocks": 1 + sum(1 for _ in tree.walk()),
        "indexedRecords": store.count_records(member.id),
        "privateStateValues": 0,
        "expectedBlobs": len(blobs),
        "importedBlobs": sum(store.blob(member.id, cid) is not None for cid in blobs),
    }


@procedure("com.atproto.server.activateAccount", Auth.FULL, takes=None)
async def activate_account(call: Call, services: Services) -> None:
    """Let a resting account return, once its DID leads here."""
    if not await _did_points_here(services, call.member):
        raise Invalid("The DID document does not name this server and the account's signing key")
    await services.accounts.set_standing(call.agent, call.member.id, Standing.ACTIVE)


@procedure("com.atproto.server.deactivateAccount", Auth.FULL)
async def deactivate_account(call: Call, services: Services) -> None:
    """Let an account rest: nothing of it is served until it returns."""
    await services.accounts.set_standing(call.agent, call.member.id, Standing.DEACTIVATED)


def _check_sign_up(services: Services, body: dict[str, Any], password: str | None) -> None:
    if "plcOp" in body:
        raise Invalid('Unsupported input: "plcOp"')
    if password is not None and len(password) > MAX_NEW_PASSWORD:
        raise Invalid(f"Password too long. Maximum length is {MAX_NEW_PASSWORD} characters.")
    if not services.settings.open_sign_up:
        raise Invalid("No invite code provided", name="InvalidInviteCode")
    if not body.get("email"):
        raise Invalid("Email is required")
    if not _EMAIL.fullmatch(body["email"]):
        raise Invalid("This email address is not supported, please use a different email.")
    did: Did | None = body.get("did")
    if did is not None and did != f"did:web:{body['handle'].lower()}":
        raise Unauthenticated(f"Missing auth to create account with did: {did}")


async def _did_points_here(services: Services, member: Member) -> bool:
    try:
        document = await services.identities.did_document(member.did, fresh=True)
        identity = read_document(member.did, document)
    except (PeerUnavailable, Invalid):
        return False
    key = services.keyring.repo_key(member.id).did_key
    return (identity.signing_key, identity.pds) == (key, services.settings.origin)
