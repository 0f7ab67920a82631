"""Who asks, as the hall sees it: the port that turns a request's credentials into an Agent.

Spec: RFC 9110 section 11.6, RFC 6750 section 2.1, RFC 9449 section 7.1
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pod.access.agent import Agent


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request shows of who sent it.

    ``url`` is absolute, as the sender saw it; ``headers`` is a multidict without case, whose
    ``items()`` keeps repeated fields. ``body`` is empty where nobody needs it.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


class Authenticator(Protocol):
    """One decision for every credential of the three protocols."""

    async def agent(self, presented: Presented) -> Agent:
        """Who proved to be asking: PUBLIC without credentials, Unauthenticated for bad ones."""
        ...


@dataclass(frozen=True, slots=True)
class Token:
    """An access token with the scheme it came by, in lower case (``bearer`` or ``dpop``)."""

    scheme: str
    value: str


def token_of(headers: Mapping[str, str]) -> Token | None:
    """The access token in ``Authorization``; None if there is none or another scheme."""
    scheme, _, value = headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() not in ("bearer", "dpop") or not value.strip():
        return None
    return Token(scheme.lower(), value.strip())
