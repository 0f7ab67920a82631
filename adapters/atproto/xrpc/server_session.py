"""com.atproto.server: createSession, refreshSession, getSession, deleteSession, getServiceAuth.

Spec: https://atproto.com/specs/xrpc#authentication, lexicons com.atproto.server.*
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any, Final

from adapters.atproto.did.document import read_document
from adapters.atproto.proxy import is_privileged, is_protected
from adapters.atproto.service_jwt import LIFE_S, service_jwt
from adapters.atproto.session_tokens import REFRESH_GRACE, REFRESH_LIFE, new_grant_id
from adapters.atproto.xrpc.call import Auth, Call, procedure, query
from adapters.atproto.xrpc.repos import find_member, standing_fields
from adapters.atproto.xrpc.server_secrets import find_app_password
from adapters.atproto.xrpc.services import Services
from pod.access.agent import Credential
from pod.access.grant import AppPassword, RefreshGrant
from pod.account import PASSWORD
from pod.errors import Invalid, PeerUnavailable, Unauthenticated
from pod.model.ids import MemberId, parse_did
from pod.model.member import Member, Standing
from pod.oauth.scope import Account

MAX_PASSWORD: Final = 512
FAILURE_TAKES_S: Final = 0.35
MAX_LIFE_S: Final = 3_600
_SHUT_OUT: Final = frozenset({Standing.TAKENDOWN, Standing.SUSPENDED})


@procedure("com.atproto.server.createSession", Auth.NONE)
async def create_session(call: Call, services: Services) -> dict[str, Any]:
    """Sign in with a handle, DID or email, and the account password or an app password."""
    body = call.body
    if len(body["password"]) > MAX_PASSWORD:
        raise Unauthenticated("Password too long. Consider resetting your password.")
    member, app = await _check_password(services, body["identifier"], body["password"])
    if app is None:
        await services.factor.check(member.id, body.get("authFactorToken"))
    is_shut_out = member.standing in _SHUT_OUT
    if is_shut_out and not body.get("allowTakendown", False):
        raise Unauthenticated("Account has been taken down", name="AccountTakedown")
    if app is not None:
        kinds = Credential.APP_PASSWORD, Credential.APP_PASSWORD_PRIVILEGED
        credential = kinds[app.is_privileged]
    else:
        credential = Credential.TAKENDOWN if is_shut_out else Credential.SESSION
    tokens = await open_session(services, member, credential, None if app is None else app.name)
    return tokens | await _session(services, member)


@procedure("com.atproto.server.refreshSession", Auth.REFRESH, takes=None)
async def refresh_session(call: Call, services: Services) -> dict[str, Any]:
    """Change a refresh token for a new pair; within its grace a used one gives the same again."""
    member, now = call.member, services.clock.now()
    if member.standing in _SHUT_OUT:
        raise Unauthenticated("Account has been taken down", name="AccountTakedown")
    grant = services.grants.refresh_grant(call.caller.grant or "")
    if grant is None or grant.expires_at <= now:
        raise Invalid("Token has been revoked", name="ExpiredToken")
    successor = await services.grants.rotate_refresh_grant(
        grant.id,
        RefreshGrant(
            new_grant_id(),
            member.id,
            grant.credential,
            now + REFRESH_LIFE,
            app_password=grant.app_password,
        ),
        grace_until=now + REFRESH_GRACE,
    )
    if successor is None:
        raise Invalid("Token has been revoked", name="ExpiredToken")
    return {
        "accessJwt": services.tokens.access(member.did, grant.credential),
        "refreshJwt": services.tokens.refresh(member.did, successor.id),
    } | await _session(services, member)


@query("com.atproto.server.getSession", Auth.ACCESS)
async def get_session(call: Call, services: Services) -> dict[str, Any]:
    """Who is signed in."""
    session = await _session(services, call.member)
    scopes = call.agent.scopes
    if scopes is not None and not scopes.permits(Account("email")):
        del session["emailConfirmed"]
        session.pop("email", None)
    return session


@procedure("com.atproto.server.deleteSession", Auth.REFRESH_EXPIRED, takes=None)
async def delete_session(call: Call, services: Services) -> None:
    """Sign out: the refresh token that is shown is good no more."""
    await services.grants.revoke_refresh_grant(call.caller.grant or "")


@query("com.atproto.server.getServiceAuth", Auth.ACCESS, takendown_may=True)
async def get_service_auth(call: Call, services: Services) -> dict[str, Any]:
    """A token with which a client speaks to another service in the member's name."""
    audience, lxm = call.params["aud"], call.params.get("lxm")
    did, _, fragment = audience.partition("#")
    if "#" in fragment or (audience.endswith("#")) or not _is_did(did):
        raise Invalid("aud must be a valid atproto DID or did#serviceId reference")
    _check_method(call.agent.credential, lxm)
    now_s = int(services.clock.now().timestamp())
    token = service_jwt(
        services.keyring.repo_key(call.member.id),
        issuer=call.member.did,
        audience=audience,
        now_s=now_s,
        lxm=lxm,
        life_s=_life_s(call.params.get("exp"), now_s, lxm),
    )
    return {"token": token}


async def open_session(
    services: Services, member: Member, credential: Credential, app_password: str | None = None
) -> dict[str, Any]:
    """A new pair of tokens with its grant."""
    expires_at = services.clock.now() + REFRESH_LIFE
    grant = RefreshGrant(
        new_grant_id(), member.id, credential, expires_at, app_password=app_password
    )
    await services.grants.add_refresh_grant(grant)
    return {
        "accessJwt": services.tokens.access(member.did, credential),
        "refreshJwt": services.tokens.refresh(member.did, grant.id),
    }


async def end_sessions(services: Services, member: MemberId) -> None:
    """End every session of a member, those of apps and browsers included."""
    await services.grants.revoke_refresh_grants(member)
    await services.oauth.store.end_sessions(member)


async def _check_password(
    services: Services, identifier: str, password: str
) -> tuple[Member, AppPassword | None]:
    """The member who signs in, and the app password if it was one.

    Failures take equally long, whatever it was that failed. Who was taken down signs in with the
    account's own password only.
    """
    started = monotonic()
    if "@" in identifier:
        member = services.store.member_by_email(identifier.lower())
    else:
        member = find_member(services.store, identifier)
    encoded = None
    if member is not None and member.standing is not Standing.DELETED:
        app = find_app_password(services, member, password)
        if app is not None and member.standing not in _SHUT_OUT:
            return member, app
        encoded = services.store.secret(member.id, PASSWORD)
    is_right = await services.passwords.verify(encoded.decode() if encoded else None, password)
    if member is not None and is_right:
        return member, None
    await asyncio.sleep(FAILURE_TAKES_S - (monotonic() - started))
    raise Unauthenticated("Invalid identifier or password")


async def _session(services: Services, member: Member) -> dict[str, Any]:
    answer = {"did": member.did, "handle": member.handle, "emailConfirmed": member.email_confirmed}
    if member.email is not None:
        answer["email"] = member.email
    return answer | standing_fields(member) | await did_document_field(services, member)


async def did_document_field(services: Services, member: Member) -> dict[str, Any]:
    """The ``didDoc`` field of answers that do without it when it cannot be had.

    While somebody moves in, their document leads to the old host. Clients go where it leads, with
    the token of this one: so nothing is said then.
    """
    try:
        document = await services.identities.did_document(member.did)
    except PeerUnavailable:
        return {}
    if document is None:
        return {}
    pds = read_document(member.did, document).pds
    return {"didDoc": document} if member.is_active or pds == services.settings.origin else {}


def _check_method(credential: Credential, lxm: str | None) -> None:
    if credential is Credential.TAKENDOWN and lxm != "com.atproto.server.createAccount":
        raise Invalid("Bad token scope", name="InvalidToken")
    if lxm is None:
        return
    if credential is Credential.APP_PASSWORD and is_privileged(lxm):
        raise Invalid(
            "insufficient access to request a service auth token for the following method: " + lxm
        )
    if is_protected(lxm):
        raise Invalid(
            f"cannot request a service auth token for the following protected method: {lxm}"
        )


def _life_s(expires_s: int | None, now_s: int, lxm: str | None) -> int:
    if not expires_s:
        return LIFE_S
    life_s = expires_s - now_s
    if life_s < 0:
        raise Invalid("expiration is in past", name="BadExpiration")
    if life_s > MAX_LIFE_S:
        text = "cannot request a token with an expiration more than an hour in the future"
        raise Invalid(text, name="BadExpiration")
    if lxm is None and life_s > LIFE_S:
        text = "cannot request a method-less token for more than a minute in the future"
        raise Invalid(text, name="BadExpiration")
    return life_s


def _is_did(text: str) -> bool:
    try:
        return parse_did(text).startswith(("did:plc:", "did:web:"))
    except Invalid:
        return False
