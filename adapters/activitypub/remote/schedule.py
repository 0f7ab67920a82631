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

LOST_AFTER: Final = timedelta(days=7)
"""A host that answered nothing for so long is tried once a day, and nothing to it is kept."""

LOST_REST: Final = timedelta(days=1)

_MAX_WAIT: Final = timedelta(days=1)
_TRY_AGAIN: Final = frozenset({401, 408, 425, 429})
"""Refusals that pass: a key that could not be fetched, a time-out, too many at once."""

Step = Literal["done", "give up"] | datetime


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a try; ``status`` None when no answer came."""

    status: int | None
    retry_after: str | None = None

    @property
    def is_answer(self) -> bool:
        """Whether the host is well: it answered, be it with a refusal."""
        return self.status is not None and self.status < 500


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


def rest_of(failures: int, failing_since: datetime, now: datetime) -> datetime:
    """Until when a host rests that failed so many times in a row."""
    if is_lost(failing_since, now):
        return now + LOST_REST
    return now + timedelta(seconds=REST_S[min(failures, len(REST_S)) - 1])


def is_lost(failing_since: datetime | None, now: datetime) -> bool:
    """Whether nothing is kept for a host any more, only tried now and then."""
    return failing_since is not None and now - failing_since >= LOST_AFTER


def asked_wait(retry_after: str | None, now: datetime) -> timedelta:
    """How long a peer asks to be left alone: seconds or a date, at most a day, 0 for nonsense."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdecimal():
        return min(timedelta(seconds=int(text[:9])), _MAX_WAIT)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return timedelta(0)
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return min(max(aware - now, timedelta(0)), _MAX_WAIT)
