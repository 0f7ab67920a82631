"""Invitations: codes that let somebody sign up where sign-up is not open to all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pod.model.ids import Did

ADMIN: Final = "admin"
"""Stands where else a DID does, for codes of the server's administrator."""


@dataclass(frozen=True, slots=True)
class InviteUse:
    """Who signed up with a code, and when."""

    by: Did
    at: datetime


@dataclass(frozen=True, slots=True)
class Invite:
    """A code that ``available`` people may sign up with; newest uses first."""

    code: str
    available: int
    for_account: str
    created_by: str
    created_at: datetime
    is_disabled: bool = False
    uses: tuple[InviteUse, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether somebody can still sign up with it."""
        return not self.is_disabled and self.available > len(self.uses)
