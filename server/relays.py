"""What the command line asks a running pod: how the relays are, and new keys for an actor."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from typing import Any

import orjson
from rich.table import Table

from adapters.http.fetch import Fetch, Fetched
from pod.errors import Forbidden, Invalid, PeerUnavailable
from pod.settings import Egress, Settings


async def relay_status(settings: Settings) -> dict[str, Any]:
    """The report of the pod that serves under these settings.

    Raises Invalid without an admin password, PeerUnavailable if the pod does not answer, Forbidden
    if it does not take the password.
    """
    report: dict[str, Any] = orjson.loads((await _asked(settings, "/xrpc/_relays")).body)
    return report


async def rotate_keys(settings: Settings, handle: str | None) -> None:
    """Have the pod that serves under these settings give an actor new keys; raises as above."""
    await _asked(settings, "/actor/keys" + (f"?handle={handle}" if handle else ""), post=b"")


async def _asked(settings: Settings, path: str, *, post: bytes | None = None) -> Fetched:
    """What the running pod answers to its administrator."""
    if settings.admin_password is None:
        raise Invalid("Set admin_password: the pod does this for its admin only.")
    fetch = Fetch(Egress(may_reach_private=True))
    secret = b64encode(f"admin:{settings.admin_password}".encode()).decode()
    headers, url = {"authorization": f"Basic {secret}"}, settings.origin + path
    try:
        if post is None:
            answer = await fetch.get(url, headers)
        else:
            answer = await fetch.post(url, post, headers)
    finally:
        await fetch.close()
    if answer.status in (401, 403):
        raise Forbidden("The pod does not take this admin password.")
    if answer.status not in (200, 204):
        raise PeerUnavailable(f"The pod answers {answer.status}.")
    return answer


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
