"""com.atproto.server: app passwords, and signing keys reserved for somebody who moves in.

Spec: https://atproto.com/specs/xrpc#app-passwords, lexicons com.atproto.server.*
"""

from __future__ import annotations

import hmac
import re
from typing import Any, Final

from adapters.atproto.firehose.frames import time_text
from adapters.atproto.xrpc.call import Auth, Call, procedure, query
from adapters.atproto.xrpc.services import Services
from pod.access.app_password import app_password_digest, new_app_password
from pod.access.grant import AppPassword
from pod.model.ids import Did
from pod.model.member import Member

_FORM: Final = re.compile(r"[a-z2-7]{4}(?:-[a-z2-7]{4}){3}")


@procedure("com.atproto.server.createAppPassword", Auth.FULL)
async def create_app_password(call: Call, services: Services) -> dict[str, Any]:
    """A new password for one app; this answer alone ever shows it."""
    member, name = call.member, call.body["name"]
    password = new_app_password()
    made = AppPassword(
        member.id,
        name,
        app_password_digest(member.did, password),
        call.body.get("privileged", False),
        services.clock.now(),
    )
    await services.grants.add_app_password(made)
    return _shown(made) | {"password": password}


@query("com.atproto.server.listAppPasswords", Auth.ACCESS)
async def list_app_passwords(call: Call, services: Services) -> dict[str, Any]:
    """The names of the caller's app passwords."""
    return {"passwords": [_shown(each) for each in services.grants.app_passwords(call.member.id)]}


@procedure("com.atproto.server.revokeAppPassword", Auth.FULL)
async def revoke_app_password(call: Call, services: Services) -> None:
    """Delete an app password and end the sessions that it began; an unknown one is no error."""
    await services.grants.delete_app_password(call.member.id, call.body["name"])


@procedure("com.atproto.server.reserveSigningKey", Auth.NONE)
async def reserve_signing_key(call: Call, services: Services) -> dict[str, Any]:
    """The signing key that an account will have here, before it is made; asked again, the same."""
    given: str | None = call.body.get("did")
    key = await services.keyring.reserve(None if given is None else Did(given))
    return {"signingKey": key.did_key}


def find_app_password(services: Services, member: Member, password: str) -> AppPassword | None:
    """The app password of a member that somebody shows.

    Nobody chose these words: a plain digest keeps them as well as a slow hash would.
    """
    if not _FORM.fullmatch(password):
        return None
    shown = app_password_digest(member.did, password)
    held = services.grants.app_passwords(member.id)
    return next((each for each in held if hmac.compare_digest(each.hash, shown)), None)


def _shown(made: AppPassword) -> dict[str, Any]:
    return {
        "name": made.name,
        "createdAt": time_text(made.created_at),
        "privileged": made.is_privileged,
    }
