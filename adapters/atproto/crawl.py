"""Asks relays to come and look, after something happened, at most once in twenty minutes each.

Spec: lexicon com.atproto.sync.requestCrawl
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import orjson
import structlog

from adapters.atproto.ports import Egress
from pod.errors import PodError
from pod.model.change import Change
from pod.ports import Clock

EVERY: Final = timedelta(minutes=20)

log = structlog.get_logger()


class Crawl:
    """Listens to the change log; hand `on_changes` to the store's ``subscribe``."""

    def __init__(self, relays: Sequence[str], host_name: str, egress: Egress, clock: Clock) -> None:
        self._relays = tuple(relays)
        self._host_name = host_name
        self._egress = egress
        self._clock = clock
        self._asked_at: datetime | None = None
        self._running: set[asyncio.Task[None]] = set()

    def on_changes(self, changes: Sequence[Change]) -> None:
        """Ask every relay if there is something for them and the last time is long ago."""
        if not self._relays or all(change.frame is None for change in changes):
            return
        now = self._clock.now()
        if self._asked_at is not None and now - self._asked_at < EVERY:
            return
        self._asked_at = now
        for relay in self._relays:
            task = asyncio.get_running_loop().create_task(self._ask(relay))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _ask(self, relay: str) -> None:
        origin = relay if "://" in relay else f"https://{relay}"
        url = f"{origin.rstrip('/')}/xrpc/com.atproto.sync.requestCrawl"
        body = orjson.dumps({"hostname": self._host_name})
        try:
            answer = await self._egress.post(url, body, {"content-type": "application/json"})
        except PodError as err:
            log.warning("relay did not answer", relay=relay, reason=err.safe_text)
            return
        if answer.status >= 400:
            log.warning("relay refused", relay=relay, status=answer.status)
