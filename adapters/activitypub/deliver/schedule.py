"""When a delivery is tried again, and when it is given up: pure rules.

Spec: https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Literal

RETRY_AFTER_S: Final = (
    15, 60, 300, 900, 3_600, 10_800, 21_600, 43_200, 86_400, 86_400, 86_400,
)  # fmt: skip
"""Seconds between the tries of one delivery; after the last it is given up (about four days)."""

REST_S: Final = (15, 60, 300, 900, 1_800)
"""How long a host is left alone after so many failures to answer in a row."""

_MAX_WAIT: Final = timedelta(days=1)
_TRY_AGAIN: Final = frozenset({401, 408, 425, 429})
"""Refusals that pass: a key that could not be fetched, a time-out, too many at once."""

Step = Literal["done", "give up"] | datetime


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a try; ``status`` None when no answer came."""

    status: int | None
    retry_after: str | None = None


def next_step(reply: Reply, attempt: int, now: datetime) -> Step:
    """What to do after try number ``attempt`` (from 0): done, give up, or try again at a time."""
    if reply.status is not None:
        if 200 <= reply.status < 300:
            return "done"
        if reply.status == 501 or (300 <= reply.status < 500 and reply.status not in _TRY_AGAIN):
            return "give up"
    if attempt >= len(RETRY_AFTER_S):
        return "give up"
    wait = timedelta(seconds=RETRY_AFTER_S[attempt])
    return now + max(wait, asked_wait(reply.retry_after, now))


def asked_wait(retry_after: str | None, now: datetime) -> timedelta:
    """How long a peer asks to be left alone: seconds or a date, at most a day, 0 for nonsense."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdecimal():
        return min(timedelta(seconds=int(text[:9])), _MAX_WAIT)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return timedelta(0)
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return min(max(aware - now, timedelta(0)), _MAX_WAIT)


class Hosts:
    """How each host has answered of late: who is busy, who rests, who wants which signature."""

    def __init__(self, *, per_host: int = 4, kept: int = 20_000) -> None:
        self._per_host = per_host
        self._kept = kept
        self._busy: dict[str, int] = {}
        self._failures: dict[str, int] = {}
        self._rest_until: dict[str, datetime] = {}
        self._modern: dict[str, bool] = {}

    def closed(self, now: datetime) -> set[str]:
        """Hosts that get nothing more at the moment: at their limit, or resting."""
        over = [host for host, until in self._rest_until.items() if until <= now]
        for host in over:
            del self._rest_until[host]
        limit = self._per_host
        busy = {
            host
            for host, count in self._busy.items()
            if count >= (1 if host in self._failures else limit)
        }
        return busy | self._rest_until.keys()

    def may_start(self, host: str, now: datetime) -> bool:
        """Whether one more delivery to a host may start now."""
        return host not in self.closed(now)

    def next_open(self) -> datetime | None:
        """When the next resting host may be tried again."""
        return min(self._rest_until.values(), default=None)

    def start(self, host: str) -> None:
        """A delivery to the host begins."""
        self._busy[host] = self._busy.get(host, 0) + 1

    def finish(self, host: str, now: datetime, *, answered: bool) -> None:
        """A delivery to the host ended; silence and 5xx let it rest."""
        self._busy[host] -= 1
        if not self._busy[host]:
            del self._busy[host]
        if answered:
            self._failures.pop(host, None)
            self._rest_until.pop(host, None)
            return
        failures = self._failures.pop(host, 0)
        self._failures[host] = failures + 1
        rest = REST_S[min(failures, len(REST_S) - 1)]
        self._rest_until[host] = now + timedelta(seconds=rest)
        if len(self._failures) > self._kept:
            self._failures.pop(next(iter(self._failures)))

    def wants_modern(self, host: str) -> bool:
        """Whether the host took an RFC 9421 signature after it refused the older one."""
        return host in self._modern

    def remember_modern(self, host: str) -> None:
        """Note that it did."""
        self._modern[host] = True
        if len(self._modern) > self._kept:
            self._modern.pop(next(iter(self._modern)))
