"""PodError -> XRPC: the wing's one total map, and the errors that only XRPC knows.

Spec: https://atproto.com/specs/xrpc#error-responses
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pod.errors import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    Overloaded,
    PeerUnavailable,
    PodError,
    QuotaExceeded,
    StaleVersion,
    Throttled,
    TooLarge,
    Unauthenticated,
    Unprocessable,
    Unsupported,
)

WIRE: Final[dict[type[PodError], tuple[int, str]]] = {
    Unauthenticated: (401, "AuthenticationRequired"),
    Forbidden: (403, "Forbidden"),
    NotFound: (400, "InvalidRequest"),
    Gone: (400, "InvalidRequest"),
    Conflict: (400, "InvalidRequest"),
    StaleVersion: (400, "InvalidSwap"),
    Invalid: (400, "InvalidRequest"),
    Unprocessable: (400, "InvalidRequest"),
    Unsupported: (415, "UnsupportedMediaType"),
    TooLarge: (413, "PayloadTooLarge"),
    Throttled: (429, "RateLimitExceeded"),
    Overloaded: (503, "NotEnoughResources"),
    PeerUnavailable: (502, "UpstreamFailure"),
    QuotaExceeded: (413, "QuotaExceeded"),
}
"""Status and default error name of each leaf; an error's own ``name`` replaces the latter."""


class XrpcError(Exception):
    """An error of the transport itself, or one that an upstream answered."""

    def __init__(
        self, status: int, name: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        """``headers`` are those of the upstream that are passed on."""
        self.headers: Mapping[str, str] = headers or {}
        self.status = status
        self.name = name
        self.message = message
        super().__init__(message)


def wire_error(err: PodError) -> tuple[int, str]:
    """Status and error name that the caller is told."""
    status, name = WIRE[type(err)]
    return status, err.name or name
