"""Rate limits ahead of everything: each client address has its points over all of HTTP.

Spec: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/, RFC 6585 section 4
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

import orjson

from adapters.http.addresses import is_own
from adapters.http.throttle import Limit, Throttle
from pod.errors import Throttled

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

EVERYTHING: Final = Limit(3_000, 300)
DEAR: Final[Mapping[str, Limit]] = {
    "/account/sign-in": Limit(30, 300),
    "/account/code": Limit(30, 300),
    "/account/passkey": Limit(30, 300),
    "/account/sign-up": Limit(100, 300),
    "/account/forgotten": Limit(50, 300),
    "/oauth/register": Limit(60, 300),
    "/api/v1/apps": Limit(60, 300),
    "/account/forgotten/new": Limit(50, 300),
    "/sparql": Limit(300, 300),
}
"""What costs a password hash or a query, or leaves a row, has a limit of its own besides.

XRPC has its own, by method."""

FREE: Final = frozenset({"/xrpc/_health", "/xrpc/com.atproto.sync.getRepo"})


def limited(app: App, throttle: Throttle) -> App:
    """An ASGI application held to `EVERYTHING` and `DEAR` for each client; WebSockets pass."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in FREE:
            await app(scope, receive, send)
            return
        client = client_of(scope)
        try:
            allowance = throttle.take(client, EVERYTHING)
            if scope["path"] in DEAR:
                allowance = throttle.take(f"{client} {scope['path']}", DEAR[scope["path"]])
        except Throttled as error:
            await _refuse(error, send)
            return
        told = [
            (name.lower().encode(), value.encode())
            for name, value in allowance.headers(time.time()).items()
        ]

        async def tell(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                if not any(name == b"ratelimit-limit" for name, _ in headers):
                    message = {**message, "headers": [*headers, *told]}
            await send(message)

        await app(scope, receive, tell)

    return serve


def client_of(scope: Mapping[str, Any]) -> str:
    """The address that a request came from.

    A peer on our own network is a proxy: then it is the last address that the proxy was told of
    from outside. Anybody else's ``X-Forwarded-For`` is not believed.
    """
    peer = (scope.get("client") or ("",))[0]
    if not is_own(peer):
        return peer
    told = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
    for text in reversed(told.decode("latin-1").split(",")):
        if text.strip() and not is_own(text.strip()):
            return text.strip()[:64]
    return peer


async def _refuse(error: Throttled, send: Send) -> None:
    """429 in one body for both readers: XRPC's error and problem details."""
    told = {"error": "RateLimitExceeded", "message": error.safe_text}
    problem = {"title": "Too Many Requests", "status": 429, "detail": error.safe_text}
    headers = [
        (b"content-type", b"application/json"),
        (b"retry-after", str(error.retry_after_s).encode()),
        (b"access-control-allow-origin", b"*"),
    ]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": orjson.dumps(told | problem)})
