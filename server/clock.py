"""The time of this machine, behind the port that everybody asks."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """Implements `pod.ports.Clock`."""

    def now(self) -> datetime:
        """The current time."""
        return datetime.now(UTC)
