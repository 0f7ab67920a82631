"""com.atproto.server and com.atproto.admin: invitations.

Spec: lexicons com.atproto.server.createInviteCode, com.atproto.admin.getInviteCodes and others
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from adapters.atproto.firehose.frames import time_text
from adapters.atproto.xrpc.call import Auth, Call, procedure, query
from adapters.atproto.xrpc.repos import existing_repo
from adapters.atproto.xrpc.services import Services
from pod.confirm import new_code
from pod.errors import Invalid
from pod.model.invite import ADMIN, Invite
from pod.model.member import Member

MOST_OPEN: Final = 5


@procedure("com.atproto.server.createInviteCode", Auth.ADMIN)
async def create_invite_code(call: Call, services: Services) -> dict[str, Any]:
    """One code, for an account or for the administrator."""
    account = call.body.get("forAccount", ADMIN)
    made = _codes(services, account, ADMIN, call.body["useCount"], 1)
    await services.invites.add(made)
    return {"code": made[0].code}


@procedure("com.atproto.server.createInviteCodes", Auth.ADMIN)
async def create_invite_codes(call: Call, services: Services) -> dict[str, Any]:
    """Several codes for each of several accounts."""
    body = call.body
    made = {
        account: _codes(services, account, ADMIN, body["useCount"], body["codeCount"])
        for account in body.get("forAccounts", [ADMIN])
    }
    await services.invites.add([code for codes in made.values() for code in codes])
    return {
        "codes": [
            {"account": account, "codes": [code.code for code in codes]}
            for account, codes in made.items()
        ]
    }


@query("com.atproto.server.getAccountInviteCodes", Auth.FULL)
async def get_account_invite_codes(call: Call, services: Services) -> dict[str, Any]:
    """What the caller may give away; new ones are made as time goes by, five open at most."""
    member, params = call.member, call.params
    codes = services.invites.invites_for(member.did)
    if params.get("createAvailable", True):
        made = _due(services, member, codes)
        await services.invites.add(made)
        codes += made
    with_used = params.get("includeUsed", True)
    shown = [code for code in codes if not code.is_disabled and (with_used or code.is_open)]
    return {"codes": [invite_view(code) for code in shown]}


@query("com.atproto.admin.getInviteCodes", Auth.MODERATOR)
async def get_invite_codes(call: Call, services: Services) -> dict[str, Any]:
    """All codes, newest or most used first."""
    params = call.params
    sort = params.get("sort", "recent")
    if sort not in ("recent", "usage"):
        raise Invalid(f"unknown sort method: {sort}")
    codes, end = services.invites.page(
        by_use=sort == "usage", after=_cursor(params.get("cursor")), limit=params.get("limit", 100)
    )
    shown = {"codes": [invite_view(code) for code in codes]}
    return shown | ({"cursor": f"{end[0]}::{end[1]}"} if end is not None else {})


@procedure("com.atproto.admin.disableInviteCodes", Auth.MODERATOR)
async def disable_invite_codes(call: Call, services: Services) -> None:
    """Let nobody sign up any more with some codes, or with those of some accounts."""
    accounts = call.body.get("accounts", [])
    if ADMIN in accounts:
        raise Invalid("cannot disable admin invite codes")
    await services.invites.disable(call.body.get("codes", []), accounts)


@procedure("com.atproto.admin.disableAccountInvites", Auth.MODERATOR)
async def disable_account_invites(call: Call, services: Services) -> None:
    """From now on an account gets no codes to give away."""
    await _set_may_invite(call, services, may=False)


@procedure("com.atproto.admin.enableAccountInvites", Auth.MODERATOR)
async def enable_account_invites(call: Call, services: Services) -> None:
    """An account gets codes to give away again."""
    await _set_may_invite(call, services, may=True)


def invite_view(invite: Invite) -> dict[str, Any]:
    """An invitation as the lexicons show it."""
    return {
        "code": invite.code,
        "available": invite.available,
        "disabled": invite.is_disabled,
        "forAccount": invite.for_account,
        "createdBy": invite.created_by,
        "createdAt": time_text(invite.created_at),
        "uses": [{"usedBy": use.by, "usedAt": time_text(use.at)} for use in invite.uses],
    }


def _codes(services: Services, account: str, by: str, uses: int, count: int) -> list[Invite]:
    # The host is part of a code, without dots, so that nobody takes it for a link.
    host = services.settings.host_name.split(":")[0].replace(".", "-")
    now = services.clock.now()
    return [Invite(f"{host}-{new_code()}", uses, account, by, now) for _ in range(count)]


def _due(services: Services, member: Member, codes: list[Invite]) -> list[Invite]:
    """What a member earned since they came: one code for each interval."""
    interval_s = services.settings.invite_interval_s
    if services.settings.open_sign_up or interval_s is None:
        return []
    own = [code for code in codes if code.created_by != ADMIN]
    age: float = (services.clock.now() - member.created_at).total_seconds()
    earned = int(age // interval_s) - len(own)
    room = MOST_OPEN - sum(code.is_open for code in own)
    made = _codes(services, member.did, member.did, 1, max(0, min(room, earned)))
    may = services.book.facts(member.id).may_invite
    return made if may else [replace(code, is_disabled=True) for code in made]


async def _set_may_invite(call: Call, services: Services, *, may: bool) -> None:
    member = existing_repo(services.store, call.body["account"])
    await services.book.change(member.id, lambda facts: replace(facts, may_invite=may))


def _cursor(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    number, _, code = text.partition("::")
    if not number.isdigit() or len(number) > 18 or not code:
        raise Invalid("Malformed cursor")
    return int(number), code
