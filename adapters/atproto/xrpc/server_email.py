"""com.atproto.server: what is confirmed by a code in a mail: address, password, the end.

Spec: https://atproto.com/specs/account, lexicons com.atproto.server.*
"""

from __future__ import annotations

from typing import Any, Final

from adapters.atproto.xrpc.call import Auth, Call, procedure
from adapters.atproto.xrpc.server_session import MAX_PASSWORD, end_sessions
from adapters.atproto.xrpc.services import Services
from pod.account import PASSWORD
from pod.confirm import Purpose
from pod.errors import Invalid, NotFound, Unauthenticated
from pod.model.ids import MemberId
from pod.model.member import Standing

MAX_NEW_PASSWORD: Final = 256


@procedure("com.atproto.server.requestEmailConfirmation", takes=None)
async def request_email_confirmation(call: Call, services: Services) -> None:
    """Mail a code that proves that the address is read."""
    await services.confirmations.send(call.member, Purpose.CONFIRM_EMAIL)


@procedure("com.atproto.server.confirmEmail")
async def confirm_email(call: Call, services: Services) -> None:
    """Show the code from the mail."""
    member = call.member
    if member.email != call.body["email"].lower():
        raise Invalid("invalid email", name="InvalidEmail")
    services.confirmations.check(member.id, Purpose.CONFIRM_EMAIL, call.body["token"])
    await services.accounts.confirm_email(member)
    await services.confirmations.drop(member.id, Purpose.CONFIRM_EMAIL)


@procedure("com.atproto.server.requestEmailUpdate", Auth.FULL, takes=None)
async def request_email_update(call: Call, services: Services) -> dict[str, Any]:
    """Ask to change the address: one that is confirmed is only changed with a code sent to it."""
    if call.member.email is None:
        raise Invalid("account does not have an email address")
    if call.member.email_confirmed:
        await services.confirmations.send(call.member, Purpose.UPDATE_EMAIL)
    return {"tokenRequired": call.member.email_confirmed}


@procedure("com.atproto.server.updateEmail", Auth.FULL)
async def update_email(call: Call, services: Services) -> None:
    """Change the address."""
    member, token = call.member, call.body.get("token")
    services.accounts.parse_email(call.body["email"])
    if token is None and member.email_confirmed:
        raise Invalid("confirmation token required", name="TokenRequired")
    if token is not None:
        services.confirmations.check(member.id, Purpose.UPDATE_EMAIL, token)
    await services.accounts.set_email(member.id, call.body["email"])
    await services.confirmations.drop(member.id)


@procedure("com.atproto.server.requestPasswordReset", Auth.NONE)
async def request_password_reset(call: Call, services: Services) -> None:
    """Mail a code with which somebody who forgot their password chooses a new one."""
    member = services.store.member_by_email(call.body["email"].lower())
    if member is None:
        raise Invalid("account does not have an email address")
    await services.confirmations.send(member, Purpose.RESET_PASSWORD)


@procedure("com.atproto.server.resetPassword", Auth.NONE)
async def reset_password(call: Call, services: Services) -> None:
    """Choose a new password with the code from the mail; every session ends."""
    check_new_password(call.body["password"])
    member = services.confirmations.holder(Purpose.RESET_PASSWORD, call.body["token"])
    await set_password(services, member, call.body["password"])


@procedure("com.atproto.server.requestAccountDelete", Auth.FULL, takes=None)
async def request_account_delete(call: Call, services: Services) -> None:
    """Mail a code with which the account can be deleted."""
    await services.confirmations.send(call.member, Purpose.DELETE_ACCOUNT)


@procedure("com.atproto.server.deleteAccount", Auth.NONE)
async def delete_account(call: Call, services: Services) -> None:
    """Delete the account with password and code: all data goes, and the network is told."""
    body = call.body
    if len(body["password"]) > MAX_PASSWORD:
        raise Unauthenticated("Password too long. Consider resetting your password.")
    member = services.store.member_by_did(body["did"])
    if member is None or member.standing is Standing.DELETED:
        raise NotFound("account not found")
    encoded = services.store.secret(member.id, PASSWORD)
    is_right = await services.passwords.verify(
        encoded.decode() if encoded else None, body["password"]
    )
    if not is_right:
        raise Unauthenticated("Invalid did or password")
    services.confirmations.check(member.id, Purpose.DELETE_ACCOUNT, body["token"])
    await services.farewell.delete(member.id)


def check_new_password(password: str) -> None:
    """Invalid for a password that is too long to be hashed."""
    if len(password) > MAX_NEW_PASSWORD:
        raise Invalid("Invalid password length.")


async def set_password(services: Services, member: MemberId, password: str) -> None:
    """Replace a password and end every session that the old one began."""
    encoded = (await services.passwords.hash(password)).encode()
    await services.store.write(lambda tx: tx.put_secret(member, PASSWORD, encoded))
    await end_sessions(services, member)
    await services.confirmations.drop(member, Purpose.RESET_PASSWORD)
