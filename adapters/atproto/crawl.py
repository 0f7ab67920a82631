"""Asks relays to come and look: after something happened, again when they failed, and by the clock.

Spec: lexicon com.atproto.sync.requestCrawl
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import structlog

from adapters.atproto.ports import Egress
from pod.errors import PodError
from pod.model.change import Change
from pod.ports import Clock

EVERY: Final = timedelta(minutes=20)
"""How often a relay is asked at most that is well."""

IDLE: Final = timedelta(hours=6)
"""How often it is asked where nothing happens: it may have forgotten us."""

FIRST_RETRY: Final = timedelta(minutes=1)
_LONGEST_RETRY: Final = timedelta(hours=1)

log = structlog.get_logger()


@dataclass(slots=True)
class _Relay:
    """One relay: when it was asked last and what it said, and when it is asked again."""

    name: str
    due_at: datetime
    asked_at: datetime | None = None
    answer: str | None = None
    failures: int = 0

    @property
    def url(self) -> str:
        origin = self.name if "://" in self.name else f"https://{self.name}"
        return f"{origin.rstrip('/')}/xrpc/com.atproto.sync.requestCrawl"


class Crawl:
    """Hand `on_changes` to the store's ``subscribe``, and keep `run` running."""

    def __init__(self, relays: Sequence[str], host_name: str, egress: Egress, clock: Clock) -> None:
        self._relays = [_Relay(relay, clock.now()) for relay in relays]
        self._body = orjson.dumps({"hostname": host_name})
        self._egress = egress
        self._clock = clock
        self._news = asyncio.Event()

    def on_changes(self, changes: Sequence[Change]) -> None:
        """Ask every relay soon that is well and was asked long ago, if there is an event for it."""
        if not self._relays or all(change.frame is None for change in changes):
            return
        now = self._clock.now()
        for relay in self._relays:
            rested = relay.asked_at is None or now - relay.asked_at >= EVERY
            if not relay.failures and rested and relay.due_at > now:
                relay.due_at = now
                self._news.set()

    async def run(self) -> None:
        """Ask whoever is due, for ever."""
        while self._relays:
            await self.ask_due()
            pause = min(relay.due_at for relay in self._relays) - self._clock.now()
            self._news.clear()
            try:
                async with asyncio.timeout(max(pause.total_seconds(), 0)):
                    await self._news.wait()
            except TimeoutError:
                pass

    async def ask_due(self) -> None:
        """Ask every relay whose time has come."""
        now = self._clock.now()
        await asyncio.gather(*(self._ask(relay) for relay in self._relays if relay.due_at <= now))

    def report(self) -> list[dict[str, Any]]:
        """Every relay: when it was asked last, its answer, and when it is asked again."""
        return [
            {
                "relay": relay.name,
                "askedAt": relay.asked_at,
                "answer": relay.answer,
                "failures": relay.failures,
                "nextAt": relay.due_at,
            }
            for relay in self._relays
        ]

    async def _ask(self, relay: _Relay) -> None:
        relay.asked_at = self._clock.now()
        try:
            answer = await self._egress.post(
                relay.url, self._body, {"content-type": "application/json"}
            )
            relay.answer = f"{answer.status} {answer.body[:200].decode('utf-8', 'replace')}".strip()
            is_well = answer.status < 400
        except PodError as err:
            relay.answer, is_well = err.safe_text, False
        if is_well:
            relay.failures, pause = 0, IDLE
        else:
            log.warning("relay was not reached", relay=relay.name, answer=relay.answer)
            pause = min(FIRST_RETRY * 2**relay.failures, _LONGEST_RETRY)
            relay.failures = min(relay.failures + 1, 20)
        relay.due_at = self._clock.now() + pause
