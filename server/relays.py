"""``commonpod relay status``: what a running pod says of the relays, for people."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from typing import Any

import orjson
from rich.table import Table

from adapters.http.fetch import Fetch
from pod.errors import Forbidden, Invalid, PeerUnavailable
from pod.settings import Egress, Settings


async def relay_status(settings: Settings) -> dict[str, Any]:
    """The report of the pod that serves under these settings.

    Raises Invalid without an admin password, PeerUnavailable if the pod does not answer, Forbidden
    if it does not take the password.
    """
    if settings.admin_password is None:
        raise Invalid("Set admin_password: the pod tells this to its admin only.")
    fetch = Fetch(Egress(may_reach_private=True))
    secret = b64encode(f"admin:{settings.admin_password}".encode()).decode()
    try:
        url = f"{settings.origin}/xrpc/_relays"
        answer = await fetch.get(url, {"authorization": f"Basic {secret}"})
    finally:
        await fetch.close()
    if answer.status == 401:
        raise Forbidden("The pod does not take this admin password.")
    if answer.status != 200:
        raise PeerUnavailable(f"The pod answers {answer.status}.")
    report: dict[str, Any] = orjson.loads(answer.body)
    return report


def tables(report: dict[str, Any]) -> list[Table]:
    """The report as tables: relays that are asked, and consumers of the firehose."""
    asked = Table("relay", "asked", "answer", "failures", "next", title="Asked to crawl")
    for relay in report["relays"]:
        when = _time(relay["askedAt"]), _time(relay["nextAt"])
        asked.add_row(relay["relay"], when[0], relay["answer"], str(relay["failures"]), when[1])
    seen = Table("from", "agent", "cursor", "since", "until", "events", "last", title="Consumers")
    for each in report["consumers"]:
        seen.add_row(
            each["address"],
            each["agent"],
            "live" if each["cursor"] is None else str(each["cursor"]),
            _time(each["since"]),
            "here" if each["until"] is None else _time(each["until"]),
            str(each["frames"]),
            _time(each["lastAt"]),
        )
    seen.caption = f"The sequence is at {report['seq']}, kept from {report['oldestSeq']} on."
    return [asked, seen]


def _time(text: str | None) -> str:
    return "-" if text is None else f"{datetime.fromisoformat(text):%d %b %H:%M:%S}"
