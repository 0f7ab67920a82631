"""Cross-origin access: browser apps of any origin may read and, with a token, write.

Spec: https://fetch.spec.whatwg.org/#http-cors-protocol, https://solidproject.org/TR/protocol#cors
(server-cors, server-cors-access-control-headers, server-cors-accept-acah)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from quart import Blueprint, Response

EXPOSED: Final = (
    "Accept-Patch",
    "Accept-Post",
    "Accept-Put",
    "Allow",
    "Content-Range",
    "DPoP-Nonce",
    "ETag",
    "Last-Modified",
    "Link",
    "Location",
    "RateLimit-Limit",
    "RateLimit-Policy",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "Updates-Via",
    "WAC-Allow",
    "WWW-Authenticate",
)


def echo(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers of a reply to a cross-origin request that may carry credentials.

    The origin is echoed, never ``*``; a request without ``Origin`` still gets ``Vary``.
    """
    origin = headers.get("Origin")
    if not origin:
        return {"Vary": "Origin"}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": ", ".join(EXPOSED),
        "Vary": "Origin",
    }


def preflight(headers: Mapping[str, str], methods: str) -> dict[str, str]:
    """Headers of the reply to a preflight: any asked header is allowed, ``methods`` as given."""
    asked = headers.get("Access-Control-Request-Headers")
    reply = echo(headers) | {
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Max-Age": "86400",
    }
    if asked:
        reply["Access-Control-Allow-Headers"] = asked
        reply["Vary"] = "Origin, Access-Control-Request-Headers"
    return reply


def merge_vary(*values: str | None) -> str:
    """One Vary value out of several, each name once, in order of first sight."""
    names: dict[str, str] = {}
    for value in values:
        for name in (value or "").split(","):
            if name.strip():
                names.setdefault(name.strip().lower(), name.strip())
    return ", ".join(names.values())


def open_to_all(rooms: Blueprint) -> None:
    """Let any origin read the public documents of a blueprint (no credentials are read there)."""

    async def allow(response: Response) -> Response:
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    rooms.after_request(allow)
