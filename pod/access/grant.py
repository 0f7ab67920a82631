"""Grants: what lets somebody come back without their password."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pod.access.agent import Credential
from pod.model.ids import MemberId


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    """A refresh token that is still good.

    ``id`` is the token's ``jti``; ``credential`` is what its access tokens may do; ``next_id`` is
    set once it was used: whoever uses it again within its grace gets the same successor.
    ``app_password`` names the app password that the session began with.
    """

    id: str
    member: MemberId
    credential: Credential
    expires_at: datetime
    next_id: str | None = None
    app_password: str | None = None


@dataclass(frozen=True, slots=True)
class AppPassword:
    """A password that a member made for one app; ``hash`` is its encoded hash."""

    member: MemberId
    name: str
    hash: str
    is_privileged: bool
    created_at: datetime
