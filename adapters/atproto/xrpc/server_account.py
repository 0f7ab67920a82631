"""com.atproto.server: describeServer, createAccount, checkAccountStatus, (de)activateAccount.

Spec: https://atproto.com/specs/account, lexicons com.atproto.server.*
"""

from __future__ import annotations

from itertools import chain
from typing import Any

from adapters.atproto.did.document import member_document, read_document
from adapters.atproto.did.plc import operation_data
from adapters.atproto.xrpc.blob import referenced_blobs
from adapters.atproto.xrpc.call import Auth, Call, procedure, query
from adapters.atproto.xrpc.server_email import MAX_NEW_PASSWORD
from adapters.atproto.xrpc.server_session import did_document_field, open_session
from adapters.atproto.xrpc.services import Services
from adapters.atproto.xrpc.sync_repo import tree_of
from pod.access.agent import Credential
from pod.account import Application
from pod.admission import check_invite
from pod.errors import Invalid, NotFound, PeerUnavailable, Unauthenticated
from pod.model.ids import Did, parse_datetime
from pod.model.member import Member, Standing
from pod.ports import Tx
from pod.records.cid import cid_text


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


@procedure("com.atproto.server.createAccount", Auth.SERVICE)
async def create_account(call: Call, services: Services) -> dict[str, Any]:
    """Make an account: a new did:plc, a did:web on the domain of the handle, or one that moves in.

    Who moves in shows a token that their DID signed; the account rests until it is activated.
    """
    body, issuer = call.body, call.caller.issuer
    did: Did | None = body.get("did")
    password, code = body.get("password"), body.get("inviteCode")
    moves_in = did is not None and did == issuer
    _check_sign_up(services, body, moves_in=moves_in)
    now = services.clock.now()

    def admit(tx: Tx, member: Member) -> None:
        if not services.settings.open_sign_up and code is not None:
            services.invites.take(tx, code, member.did, now)

    member = await services.accounts.create(
        Application(
            handle=body["handle"],
            password_hash=None if password is None else await services.passwords.hash(password),
            email=services.accounts.parse_email(body["email"]),
            recovery_key=body.get("recoveryKey"),
            did=did,
            moves_in=moves_in,
            signing_key=None if did is None else services.keyring.reserved(did),
        ),
        admit,
    )
    tokens = await open_session(services, member, Credential.SESSION)
    return tokens | {"handle": member.handle, "did": member.did} | await _document(services, member)


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
    await check_did_points_here(services, call.member)
    await services.accounts.set_standing(call.agent, call.member.id, Standing.ACTIVE)


@procedure("com.atproto.server.deactivateAccount", Auth.FULL, takendown_may=True)
async def deactivate_account(call: Call, services: Services) -> None:
    """Let an account rest: nothing of it is served until it returns, or its day to go has come."""
    text = call.body.get("deleteAfter")
    await services.accounts.set_standing(
        call.agent,
        call.member.id,
        Standing.DEACTIVATED,
        delete_after=None if text is None else parse_datetime(text),
    )


def _check_sign_up(services: Services, body: dict[str, Any], *, moves_in: bool) -> None:
    password: str | None = body.get("password")
    if "plcOp" in body:
        raise Invalid('Unsupported input: "plcOp"')
    if password is not None and len(password) > MAX_NEW_PASSWORD:
        raise Invalid(f"Password too long. Maximum length is {MAX_NEW_PASSWORD} characters.")
    if not services.settings.open_sign_up and body.get("inviteCode") is None:
        raise Invalid("No invite code provided", name="InvalidInviteCode")
    if not body.get("email"):
        raise Invalid("Email is required")
    services.accounts.parse_email(body["email"])
    did: Did | None = body.get("did")
    if did is not None and not moves_in and did != f"did:web:{body['handle'].lower()}":
        raise Unauthenticated(f"Missing auth to create account with did: {did}")
    if not services.settings.open_sign_up:
        check_invite(services.invites, services.store, body.get("inviteCode"))


async def check_did_points_here(services: Services, member: Member) -> None:
    """Invalid unless the DID document names this server, the member's key, and ours to change it.

    Raises PeerUnavailable.
    """
    document = await services.identities.did_document(member.did, fresh=True)
    if document is None:
        raise Invalid("Could not resolve DID")
    identity = read_document(member.did, document)
    if member.did.startswith("did:plc:"):
        last = await services.directory.last_operation(member.did)
        data = operation_data(member.did, last)
        own = services.keyring.rotation_key().did_key
        if data is None or own not in data["rotationKeys"]:
            raise Invalid("Server rotation key not included in PLC DID data")
    if identity.pds != services.settings.origin:
        text = "DID document atproto_pds service endpoint does not match PDS public url"
        raise Invalid(text)
    if identity.signing_key != services.keyring.repo_key(member.id).did_key:
        text = "DID document verification method does not match expected signing key"
        raise Invalid(text)


async def _did_points_here(services: Services, member: Member) -> bool:
    try:
        await check_did_points_here(services, member)
    except (PeerUnavailable, Invalid, NotFound):
        return False
    return True


async def _document(services: Services, member: Member) -> dict[str, Any]:
    """The ``didDoc`` field of an answer about a new account."""
    if member.is_active:
        # As it was just registered: nobody need be asked for it.
        key = services.keyring.repo_key(member.id).did_key
        return {"didDoc": member_document(member, key, services.settings.origin)}
    return await did_document_field(services, member)
