"""All of XRPC as one raw ASGI application, ahead of any web framework.

Spec: https://atproto.com/specs/xrpc
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
import structlog

from adapters.atproto.auth import NOBODY, Authenticator, Caller, Shown
from adapters.atproto.errors import XrpcError, wire_error
from adapters.atproto.ports import Lexicons
from adapters.atproto.xrpc.body import Receive, check_type, expect_no_body, read_json, read_stream
from adapters.atproto.xrpc.call import JSON, Auth, Body, Call, Handler, Method, Result
from adapters.atproto.xrpc.limits import spend
from adapters.atproto.xrpc.scope_rules import check_scopes
from adapters.atproto.xrpc.services import Services
from adapters.http.credentials import dpop_challenge
from adapters.http.limited import client_of
from pod.errors import Invalid, PodError, Throttled, Unauthenticated
from pod.model.ids import Nsid, parse_nsid
from pod.records.data import data_to_json_text

Scope = Mapping[str, Any]
Send = Callable[[Any], Awaitable[None]]
Socket = Callable[[Scope, Receive, Send, Mapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

PREFIX: Final = "/xrpc/"
MAX_QUERY: Final = 16_384
_CORS: Final = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"*"),
)
_PRIVATE: Final = ((b"cache-control", b"private"), (b"vary", b"Authorization"))
_ROBOTS: Final = b"# Crawling the public API is allowed\nUser-agent: *\nAllow: /\n"

log = structlog.get_logger()


class Router:
    """Serves ``/xrpc/*`` and ``/robots.txt``; ``fallback`` takes the methods we do not have."""

    def __init__(
        self,
        methods: Iterable[Method],
        sockets: Mapping[str, Socket],
        services: Services,
        authenticator: Authenticator,
        lexicons: Lexicons,
        fallback: Handler,
    ) -> None:
        self._methods = {PREFIX + method.nsid: method for method in methods}
        self._sockets = {PREFIX + nsid: socket for nsid, socket in sockets.items()}
        self._services = services
        self._auth = authenticator
        self._lexicons = lexicons
        self._fallback = fallback
        self._health = orjson.dumps({"version": services.version})

    @staticmethod
    def serves(path: str) -> bool:
        """Whether a path is ours."""
        return path.startswith(PREFIX) or path == "/robots.txt"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or WebSocket, whatever happens."""
        if scope["type"] == "websocket":
            await self._answer_socket(scope, receive, send)
            return
        extra: Headers = []
        try:
            status, body = await self._answer(scope, receive, extra)
        except PodError as err:
            if isinstance(err, Throttled):
                extra.append((b"retry-after", str(err.retry_after_s).encode()))
            asked = dpop_challenge(err) if isinstance(err, Unauthenticated) else None
            if asked is not None:
                extra.append((b"www-authenticate", asked.encode("latin-1", "replace")))
            status, name = wire_error(err)
            body = _error(name, err.safe_text)
        except XrpcError as err:
            status, body = err.status, _error(err.name, err.message)
        except Exception:
            # The request boundary: the caller learns nothing, the log everything.
            log.exception("xrpc request failed", path=scope["path"])
            status, body = 500, _error("InternalServerError", "Internal Server Error")
        await _send(send, status, extra, body, head_only=scope["method"] == "HEAD")

    async def _answer(self, scope: Scope, receive: Receive, extra: Headers) -> tuple[int, Body]:
        path: str = scope["path"]
        verb: str = scope["method"]
        headers = dict(scope["headers"])
        if verb == "OPTIONS":
            return _preflight(headers, extra)
        method = self._methods.get(path)
        if method is None:
            return await self._answer_elsewhere(path, verb, scope, receive, extra)
        if (verb in ("GET", "HEAD")) is not method.is_query or verb not in ("GET", "HEAD", "POST"):
            expected = "GET" if method.is_query else "POST"
            raise Invalid(f"Incorrect HTTP method ({verb}) expected {expected}")
        if method.auth is not Auth.NONE:
            extra.extend(_PRIVATE)
        caller = await self._caller(method, self._shown(scope, headers, extra))
        call = Call(method.nsid, headers, scope["query_string"], caller)
        call.client = client_of(scope)
        call.params = self._params(method.nsid, scope["query_string"])
        check_scopes(call, self._services.proxy)
        if method.input is not None:
            await self._read_input(method, call, receive)
        else:
            await expect_no_body(headers, receive)
        spend(self._services.throttle, call, extra)
        return _result(await method.handler(call, self._services))

    def _shown(self, scope: Scope, headers: Mapping[bytes, bytes], extra: Headers) -> Shown:
        """What a request shows of its sender; those who show a DPoP token are told a nonce."""
        shown = Shown(
            headers.get(b"authorization"),
            headers.get(b"dpop", b"").decode("latin-1") or None,
            scope["method"],
            self._services.settings.origin + scope["path"],
        )
        if shown.is_dpop:
            extra.append((b"dpop-nonce", self._auth.nonce().encode()))
        return shown

    async def _caller(self, method: Method, shown: Shown) -> Caller:
        match method.auth:
            case Auth.NONE:
                return NOBODY
            case Auth.OPTIONAL:
                return self._auth.optional(shown, takendown_may=method.takendown_may)
            case Auth.ACCESS | Auth.FULL:
                return self._auth.access(
                    shown,
                    full=method.auth is Auth.FULL,
                    takendown_may=method.takendown_may,
                )
            case Auth.REFRESH | Auth.REFRESH_EXPIRED:
                expired_too = method.auth is Auth.REFRESH_EXPIRED
                return self._auth.refresh(shown, expired_too=expired_too)
            case Auth.ADMIN:
                return self._auth.administrator(shown)
            case Auth.MODERATOR:
                return await self._auth.moderator(shown, method.nsid)
            case Auth.SERVICE:
                return await self._auth.service(shown, method.nsid)
            case Auth.ACCESS_OR_SERVICE:
                return await self._auth.access_or_service(shown, method.nsid)

    def _params(self, nsid: Nsid, query_string: bytes) -> Mapping[str, Any]:
        if len(query_string) > MAX_QUERY:
            raise Invalid("The query string is too long")
        try:
            pairs = parse_qsl(query_string.decode(), errors="strict")
        except ValueError as err:
            raise Invalid("The query string is not valid UTF-8") from err
        return self._lexicons.validate_params(nsid, pairs)

    async def _read_input(self, method: Method, call: Call, receive: Receive) -> None:
        if method.input == JSON:
            json = await read_json(call.headers, receive, method.limit)
            call.body = self._lexicons.validate_input(method.nsid, json)
        elif method.input is not None:
            call.media_type = check_type(call.headers, method.input)
            call.stream = partial(read_stream, call.headers, receive)

    async def _answer_elsewhere(
        self,
        path: str,
        verb: str,
        scope: Scope,
        receive: Receive,
        extra: Headers,
    ) -> tuple[int, Body]:
        headers = dict(scope["headers"])
        if path == PREFIX + "_health":
            return 200, Body(self._health)
        if path == "/robots.txt":
            return 200, Body(_ROBOTS, "text/plain; charset=utf-8")
        if path in self._sockets:
            if verb != "GET":
                raise XrpcError(405, "InvalidRequest", f"Incorrect HTTP method ({verb})")
            raise XrpcError(426, "UpgradeRequired", "Connect by WebSocket")
        if verb not in ("GET", "HEAD", "POST"):
            raise Invalid("XRPC requests only supports GET and POST")
        try:
            nsid = parse_nsid(path.removeprefix(PREFIX))
        except Invalid as err:
            raise Invalid("invalid xrpc path") from err
        call = Call(nsid, headers, scope["query_string"])
        if verb == "POST":
            call.media_type = headers.get(b"content-type", b"").decode("latin-1")
            call.stream = partial(read_stream, headers, receive)
        shown = self._shown(scope, headers, extra)
        if shown.authorization is not None:
            call.caller = self._auth.access(shown, full=False, takendown_may=False)
            check_scopes(call, self._services.proxy)
        return _result(await self._fallback(call, self._services))

    async def _answer_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        socket = self._sockets.get(scope["path"])
        params = None
        if socket is not None:
            with suppress(Invalid):
                params = self._params(
                    Nsid(scope["path"].removeprefix(PREFIX)), scope["query_string"]
                )
        if socket is None or params is None:
            # Before the handshake is accepted ASGI offers nothing but a bare 403.
            await send({"type": "websocket.close", "code": 1008})
            return
        await socket(scope, receive, send, params)


def _result(result: Result) -> tuple[int, Body]:
    if isinstance(result, Body):
        return result.status, result
    if result is None:
        return 200, Body(b"", "")
    return 200, Body(data_to_json_text(result))


def _error(name: str, message: str) -> Body:
    return Body(orjson.dumps({"error": name, "message": message}))


def _preflight(headers: Mapping[bytes, bytes], extra: Headers) -> tuple[int, Body]:
    asked = headers.get(b"access-control-request-headers", b"*")
    extra += [
        (b"access-control-allow-methods", b"GET,HEAD,PUT,PATCH,POST,DELETE"),
        (b"access-control-allow-headers", asked),
        (b"access-control-max-age", b"86400"),
        (b"vary", b"Access-Control-Request-Headers"),
    ]
    return 204, Body(b"", "")


async def _send(send: Send, status: int, extra: Headers, body: Body, *, head_only: bool) -> None:
    content = body.content
    own = {name for name, _ in body.headers}
    headers = [*_CORS, *(each for each in extra if each[0] not in own), *body.headers]
    if body.media_type:
        headers.append((b"content-type", body.media_type.encode("latin-1")))
    length = len(content) if isinstance(content, bytes) else body.length
    if length is not None and status != 204:
        headers.append((b"content-length", str(length).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if isinstance(content, bytes):
        await send({"type": "http.response.body", "body": b"" if head_only else content})
    elif head_only:
        await send({"type": "http.response.body", "body": b""})
    else:
        await _send_stream(send, content)


async def _send_stream(send: Send, content: AsyncIterator[bytes]) -> None:
    try:
        async for chunk in content:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    finally:
        if isinstance(content, AsyncGenerator):
            await content.aclose()
    await send({"type": "http.response.body", "body": b""})
