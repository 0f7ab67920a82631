"""app.bsky.actor: getPreferences, putPreferences, kept by the member's own server.

Spec: lexicons app.bsky.actor.getPreferences, app.bsky.actor.putPreferences
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

import orjson

from adapters.atproto.xrpc.call import Auth, Call, procedure, query
from adapters.atproto.xrpc.services import Services
from pod.errors import Invalid
from pod.model.ids import parse_datetime
from pod.records.data import data_to_json_text

PERSONAL: Final = "app.bsky.actor.defs#personalDetailsPref"
DECLARED_AGE: Final = "app.bsky.actor.defs#declaredAgePref"


@query("app.bsky.actor.getPreferences", Auth.ACCESS, takendown_may=True)
async def get_preferences(call: Call, services: Services) -> dict[str, Any]:
    """The caller's preferences; personal details only with the account's own password.

    Whether somebody is old enough follows from their date of birth and is told to every app.
    """
    kept = _kept(services, call)
    kept += [
        _declared_age(born, services.clock.now())
        for born in map(_date_of_birth, kept)
        if born is not None
    ]
    if not call.has_full_access:
        kept = [pref for pref in kept if pref["$type"] != PERSONAL]
    return {"preferences": kept}


@procedure("app.bsky.actor.putPreferences")
async def put_preferences(call: Call, services: Services) -> None:
    """Replace the caller's preferences, but for those that this session may not see."""
    given: list[Any] = call.body["preferences"]
    if not all(isinstance(pref.get("$type"), str) for pref in given):
        raise Invalid("Preference is missing a $type")
    if not all(pref["$type"].startswith("app.bsky.") for pref in given):
        raise Invalid("Some preferences are not in the app.bsky namespace")
    given = [pref for pref in given if pref["$type"] != DECLARED_AGE]
    if not call.has_full_access:
        if any(pref["$type"] == PERSONAL for pref in given):
            raise Invalid("Do not have authorization to set preferences.")
        given += [pref for pref in _kept(services, call) if pref["$type"] == PERSONAL]
    await services.preferences.put_preferences(call.member.id, data_to_json_text(given))


def _date_of_birth(pref: dict[str, Any]) -> date | None:
    born = pref.get("birthDate")
    if pref["$type"] != PERSONAL or not isinstance(born, str):
        return None
    return parse_datetime(born).date()


def _declared_age(born: date, now: datetime) -> dict[str, Any]:
    age = now.year - born.year - ((now.month, now.day) < (born.month, born.day))
    return {"$type": DECLARED_AGE} | {f"isOverAge{limit}": age >= limit for limit in (13, 16, 18)}


def _kept(services: Services, call: Call) -> list[dict[str, Any]]:
    body = services.preferences.preferences(call.member.id)
    prefs: list[dict[str, Any]] = orjson.loads(body) if body else []
    return prefs
