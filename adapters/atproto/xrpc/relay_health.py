"""``/xrpc/_relays``: what the operator wants to know of the relays; for ``admin`` alone.

Spec: https://atproto.com/specs/sync
"""

from __future__ import annotations

from typing import Any

from adapters.atproto.xrpc.call import Auth, Call, query
from adapters.atproto.xrpc.services import Services


@query("_relays", Auth.ADMIN)
async def relays(_: Call, services: Services) -> dict[str, Any]:
    """What `relay_report` says."""
    return relay_report(services)


def relay_report(services: Services) -> dict[str, Any]:
    """Where the event sequence stands, who reads it, and how each relay was asked to come."""
    oldest = services.store.oldest_frame()
    return {
        "seq": services.store.head_seq(),
        "oldestSeq": None if oldest is None else oldest[0],
        "oldestAt": None if oldest is None else oldest[1],
        "relays": services.crawl.report(),
        "consumers": services.consumers.report(),
    }
