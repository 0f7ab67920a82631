"""The wiring: every name of the house, in one file. Opened once, closed once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

COLLECT_EVERY_S: Final = 600.0


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """The current time."""
        return datetime.now(UTC)
