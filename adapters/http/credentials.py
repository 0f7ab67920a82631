"""Who asks, as the hall sees it: the port that turns a request's credentials into an Agent.

Spec: RFC 9110 section 11.6, RFC 6750 section 2.1, RFC 9449 section 7.1
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from pod.access.agent import Agent
from pod.errors import Unauthenticated
from pod.keys.jose import ALGORITHMS

_CHALLENGED: Final = frozenset({"use_dpop_nonce", "invalid_dpop_proof", "invalid_token"})


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


def dpop_challenge(error: Unauthenticated) -> str | None:
    """``WWW-Authenticate`` for what is wrong with a token that is bound to a key, None for else."""
    if error.name not in _CHALLENGED:
        return None
    text = error.safe_text.replace('"', "'")
    return f'DPoP algs="{" ".join(ALGORITHMS)}", error="{error.name}", error_description="{text}"'
