"""Rate limits: a token bucket per key, in memory, with the headers that tell the caller.

Spec: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (the header names that
the AT Protocol's reference server sends)
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pod.errors import Throttled

_MAX_KEYS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``points`` at once, refilled evenly over ``window_s`` seconds."""

    points: int
    window_s: int


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a limit after a request."""

    limit: Limit
    remaining: int
    full_in_s: int

    def headers(self, now: float) -> dict[str, str]:
        """RateLimit headers; ``now`` is Unix time, since ``Reset`` is told as a moment."""
        return {
            "RateLimit-Limit": str(self.limit.points),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(math.ceil(now) + self.full_in_s),
            "RateLimit-Policy": f"{self.limit.points};w={self.limit.window_s}",
        }


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


class Throttle:
    """Buckets by key; the least used keys are forgotten first, so state is bounded."""

    def __init__(
        self, *, enabled: bool = True, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.is_enabled = enabled
        self._monotonic = monotonic
        self._buckets: OrderedDict[tuple[str, Limit], _Bucket] = OrderedDict()

    def take(self, key: str, limit: Limit, points: int = 1) -> Allowance:
        """Spend points of a key; raises Throttled, and spends nothing, when too few are left."""
        if not self.is_enabled:
            return Allowance(limit, limit.points, 0)
        bucket = self._refilled(key, limit)
        speed = limit.points / limit.window_s
        if bucket.level < points:
            raise Throttled(retry_after_s=max(1, math.ceil((points - bucket.level) / speed)))
        bucket.level -= points
        return Allowance(limit, int(bucket.level), math.ceil((limit.points - bucket.level) / speed))

    def _refilled(self, key: str, limit: Limit) -> _Bucket:
        now = self._monotonic()
        bucket = self._buckets.get((key, limit))
        if bucket is None:
            bucket = self._buckets[key, limit] = _Bucket(float(limit.points), now)
            if len(self._buckets) > _MAX_KEYS:
                self._buckets.popitem(last=False)
            return bucket
        self._buckets.move_to_end((key, limit))
        gained = max(0.0, now - bucket.at) * limit.points / limit.window_s
        bucket.level = min(float(limit.points), bucket.level + gained)
        bucket.at = now
        return bucket
