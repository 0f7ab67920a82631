"""com.atproto.admin: accounts as an administrator or a moderation service sees and changes them.

Spec: lexicons com.atproto.admin.*
"""

from __future__ import annotations

from typing import Any, Final

from adapters.atproto.firehose.frames import time_text
from adapters.atproto.xrpc.call import Auth, Call, procedure, query
from adapters.atproto.xrpc.repos import find_member
from adapters.atproto.xrpc.server_email import check_new_password, set_password
from adapters.atproto.xrpc.server_invites import invite_view
from adapters.atproto.xrpc.services import Services
from pod.confirm import Letter
from pod.errors import Invalid, NotFound
from pod.model.ids import MemberId
from pod.model.member import Member, Standing

DEFAULT_SUBJECT: Final = "Message via your PDS"
_PAGE: Final = 500


@query("com.atproto.admin.getAccountInfo", Auth.MODERATOR)
async def get_account_info(call: Call, services: Services) -> dict[str, Any]:
    """What is known of one account."""
    return _info(services, _account(services, call.params["did"]))


@query("com.atproto.admin.getAccountInfos", Auth.MODERATOR)
async def get_account_infos(call: Call, services: Services) -> dict[str, Any]:
    """What is known of several accounts; those that do not exist are left out."""
    found = [find_member(services.store, did) for did in call.params["dids"]]
    infos = [_info(services, member) for member in found if member is not None and _exists(member)]
    return {"infos": infos}


@query("com.atproto.admin.searchAccounts", Auth.MODERATOR)
async def search_accounts(call: Call, services: Services) -> dict[str, Any]:
    """The accounts whose email address contains some text, or all, in order of their making."""
    wanted, limit = call.params.get("email", "").lower(), call.params.get("limit", 50)
    after = MemberId(_number(call.params.get("cursor")))
    found: list[Member] = []
    while page := services.store.members(after=after, limit=_PAGE):
        found += [m for m in page if _exists(m) and wanted in (m.email or "")]
        after = page[-1].id
        if len(found) > limit:
            break
    shown = [_info(services, member) for member in found[:limit]]
    more = {"cursor": str(found[limit - 1].id)} if len(found) > limit else {}
    return {"accounts": shown} | more


@procedure("com.atproto.admin.deleteAccount", Auth.ADMIN)
async def delete_account(call: Call, services: Services) -> None:
    """Delete an account and all that is in it."""
    await services.farewell.delete(_account(services, call.body["did"]).id)


@procedure("com.atproto.admin.updateAccountEmail", Auth.ADMIN)
async def update_account_email(call: Call, services: Services) -> None:
    """Change the address of an account, given by DID or handle."""
    member = find_member(services.store, call.body["account"])
    if member is None or not _exists(member):
        raise NotFound(f"Account does not exist: {call.body['account']}")
    await services.accounts.set_email(member.id, call.body["email"])
    await services.confirmations.drop(member.id)


@procedure("com.atproto.admin.updateAccountHandle", Auth.ADMIN)
async def update_account_handle(call: Call, services: Services) -> None:
    """Change the handle of an account, to a reserved name too."""
    member = _account(services, call.body["did"])
    await services.accounts.set_handle(member, call.body["handle"], by_admin=True)


@procedure("com.atproto.admin.updateAccountPassword", Auth.ADMIN)
async def update_account_password(call: Call, services: Services) -> None:
    """Change the password of an account and end its sessions."""
    check_new_password(call.body["password"])
    await set_password(services, _account(services, call.body["did"]).id, call.body["password"])


@procedure("com.atproto.admin.sendEmail", Auth.MODERATOR)
async def send_email(call: Call, services: Services) -> dict[str, Any]:
    """Write to the person behind an account."""
    member = find_member(services.store, call.body["recipientDid"])
    if member is None or not _exists(member):
        raise NotFound("Recipient not found")
    if member.email is None:
        raise Invalid("account does not have an email address")
    subject = call.body.get("subject", DEFAULT_SUBJECT)
    await services.mailbox.send(Letter(member.email, subject, call.body["content"]))
    return {"sent": True}


def _account(services: Services, did: str) -> Member:
    member = find_member(services.store, did)
    if member is None or not _exists(member):
        raise NotFound("Account not found", name="NotFound")
    return member


def _exists(member: Member) -> bool:
    return member.standing is not Standing.DELETED


def _number(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isdigit() or len(cursor) > 15:
        raise Invalid("Malformed cursor")
    return int(cursor)


def _info(services: Services, member: Member) -> dict[str, Any]:
    facts = services.book.facts(member.id)
    invited_by = services.invites.invited_by(member.did)
    optional: dict[str, Any] = {
        "email": member.email,
        "emailConfirmedAt": facts.email_confirmed_at and time_text(facts.email_confirmed_at),
        "invitedBy": invited_by and invite_view(invited_by),
        "deactivatedAt": facts.deactivated_at and time_text(facts.deactivated_at),
    }
    return {
        "did": member.did,
        "handle": member.handle,
        "indexedAt": time_text(member.created_at),
        "invites": [invite_view(code) for code in services.invites.invites_for(member.did)],
        "invitesDisabled": not facts.may_invite,
    } | {name: value for name, value in optional.items() if value is not None}
