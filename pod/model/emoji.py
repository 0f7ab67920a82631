"""Custom emoji: small pictures that the server offers for a word between colons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Emoji:
    """``name`` is the word without colons, ``file`` the name with the ending of its type."""

    name: str
    file: str
    media_type: str
    updated_at: datetime
