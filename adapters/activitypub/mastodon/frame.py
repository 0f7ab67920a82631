"""The frame of the client API: who asks, with which parameters, and answers as Mastodon gives them.

Spec: https://docs.joinmastodon.org/api/guidelines/, https://docs.joinmastodon.org/entities/Error/
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import orjson
from quart import Blueprint, Response, request
from quart.datastructures import FileStorage
from werkzeug.datastructures import Headers

from adapters.http.hosts import Hosts
from adapters.http.incoming import small_body
from adapters.http.problem import status_of
from pod.access.agent import Agent, Credential
from pod.errors import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    PodError,
    Throttled,
    TooLarge,
    Unauthenticated,
    Unprocessable,
)
from pod.model.member import Member
from pod.model.timeline import Span
from pod.oauth.mastodon import covers
from pod.oauth.server import AuthorizationServer
from pod.ports import Reader

CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
    "Access-Control-Expose-Headers": "Link, X-RateLimit-Limit, X-RateLimit-Remaining, "
    "X-RateLimit-Reset, X-Request-Id",
    "Access-Control-Max-Age": "86400",
}
MAX_BODY: Final = 256 * 1024
WINDOW_S: Final = 300
PER_WINDOW: Final = 300
"""How many requests a token is good for in five minutes."""

NOBODY: Final = "none"
"""The scope of what needs no token."""

_INVALID_TOKEN: Final = "The access token is invalid"  # noqa: S105  not a token
_AS_422: Final = (Invalid, Conflict)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: who asks (None for nobody), parts of its path, parameters, files."""

    member: Member | None
    path: Mapping[str, str]
    fields: Mapping[str, Any]
    files: Mapping[str, FileStorage]
    token: str = field(default="", repr=False)

    @property
    def me(self) -> Member:
        """The member who asks; raises Unprocessable for an app's own token."""
        if self.member is None:
            raise Unprocessable("This method requires an authenticated user")
        return self.member

    @property
    def agent(self) -> Agent:
        """The member, as the core takes them."""
        return Agent(Credential.OAUTH, self.me.id, self.me.webid)

    def text(self, name: str) -> str | None:
        """A parameter that is a text."""
        value = self.fields.get(name)
        if isinstance(value, bool | int | float):
            return str(value)
        return value if isinstance(value, str) else None

    def texts(self, name: str) -> list[str]:
        """A parameter that is a list (``name[]``), or one text."""
        value = self.fields.get(name)
        found = value if isinstance(value, list) else [] if value is None else [value]
        return [str(each) for each in found if isinstance(each, str | int)]

    def flag(self, name: str) -> bool | None:
        """A parameter that is yes or no; None where it is not given."""
        return as_flag(self.fields.get(name))

    def number(self, name: str, default: int, most: int) -> int:
        """A parameter that is a whole number above zero."""
        text = self.text(name) or ""
        found = int(text) if text.isdecimal() and len(text) < 10 else 0
        return min(found, most) if found > 0 else default

    def span(self, default: int = 20, most: int = 40) -> Span:
        """Which part of a list is asked for."""
        return Span(
            self.number("limit", default, most),
            _id(self.text("max_id")),
            _id(self.text("since_id")),
            _id(self.text("min_id")),
        )


Handler = Callable[[Asked], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list with ``Link`` headers; ``first`` and ``last`` are the ids at its ends.

    Where the list is in an object, ``items`` is that.
    """

    items: Any
    first: int | None
    last: int | None


@dataclass(slots=True)
class Frame:
    """Adds routes to a blueprint; every one answers on the server's and on members' origins."""

    blueprint: Blueprint
    hosts: Hosts
    reader: Reader
    server: AuthorizationServer
    is_limited: bool
    used: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, method: str, rule: str, scope: str, handler: Handler, *, form: int = 0) -> None:
        """Serve a route for tokens of a scope; ``form`` is how large a body with files may be.

        A scope that ends in ``?`` is wanted only of tokens that come.
        """

        async def view(**path: str) -> Response:
            key = ""
            try:
                if not self.hosts.is_server(request.host):
                    self.hosts.member(request.host)
                key = token_in(request.headers)
                member = self.who(key, scope)
                self._count(key)
                asked = Asked(member, path, *await _parameters(form), key)
                answer = await handler(asked)
            except PodError as err:
                return self._sealed(error(err), key)
            return self._sealed(_answer(answer), key)

        self.blueprint.add_url_rule(rule, f"{method} {rule}", view, methods=[method])

    def who(self, token: str, scope: str) -> Member | None:
        """The member of a token that is good for a scope; raises Unauthenticated, Forbidden."""
        bare = scope.removesuffix("?")
        if not token:
            if scope in (NOBODY, f"{bare}?"):
                return None
            raise Unauthenticated(_INVALID_TOKEN)
        try:
            if token.startswith("app-"):
                self.server.mastodon.app(token)
                return None
            session = self.server.tokens.check(token, None)
        except Unauthenticated as err:
            raise Unauthenticated(_INVALID_TOKEN) from err
        scopes = session.scope.split()
        member = self.reader.member(session.member)
        if not self.server.mastodon.claims(scopes) or member is None or not member.is_active:
            raise Unauthenticated(_INVALID_TOKEN)
        if bare != NOBODY and not covers(scopes, bare):
            raise Forbidden("This action is outside the authorized scopes")
        return member

    def _count(self, key: str) -> None:
        """Count a request against its token, or its address; raises Throttled."""
        window = int(time.time()) // WINDOW_S
        name = key or f"address {request.remote_addr}"
        held = self.used.get(name, (window, 0))
        count = held[1] + 1 if held[0] == window else 1
        if len(self.used) > 10_000:
            self.used.clear()
        self.used[name] = (window, count)
        if self.is_limited and count > PER_WINDOW:
            raise Throttled("Too many requests", retry_after_s=WINDOW_S)

    def _sealed(self, response: Response, key: str) -> Response:
        response.headers.update(CORS)
        response.headers["Cache-Control"] = "private, no-store"
        window, count = self.used.get(key or f"address {request.remote_addr}", (0, 0))
        ends = datetime.fromtimestamp((window + 1) * WINDOW_S, UTC)
        response.headers["X-RateLimit-Limit"] = str(PER_WINDOW)
        response.headers["X-RateLimit-Remaining"] = str(max(0, PER_WINDOW - count))
        response.headers["X-RateLimit-Reset"] = ends.isoformat().replace("+00:00", "Z")
        return response


def as_flag(value: Any) -> bool | None:
    """What an app says of yes or no; None where it says nothing."""
    if value is None or isinstance(value, bool):
        return value
    return str(value).lower() not in ("", "0", "f", "false", "off")


def token_in(headers: Headers) -> str:
    """The bearer token of a request, or nothing."""
    scheme, _, value = headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def error(err: PodError) -> Response:
    """An error as clients of Mastodon know it."""
    status, text = status_of(err), err.safe_text
    if isinstance(err, _AS_422):
        status, text = 422, f"Validation failed: {text}"
    if isinstance(err, NotFound | Gone):
        status, text = 404, "Record not found"
    return Response(orjson.dumps({"error": text}), status, content_type="application/json")


def preflight() -> Response:
    """What browsers ask first."""
    return Response(b"", 204, CORS)


def _answer(answer: Any) -> Response:
    if isinstance(answer, Response):
        return answer
    if not isinstance(answer, Page):
        return Response(orjson.dumps(answer), content_type="application/json")
    response = Response(orjson.dumps(answer.items), content_type="application/json")
    if answer.first is not None and answer.last is not None:
        kept = [
            (name, value)
            for name, value in parse_qsl(request.query_string.decode("latin-1"))
            if name not in ("max_id", "since_id", "min_id", "access_token")
        ]
        base = f"{request.scheme}://{request.host}{request.path}"
        older = urlencode([*kept, ("max_id", answer.last)])
        newer = urlencode([*kept, ("min_id", answer.first)])
        response.headers["Link"] = f'<{base}?{older}>; rel="next", <{base}?{newer}>; rel="prev"'
    return response


async def _parameters(form: int) -> tuple[dict[str, Any], dict[str, FileStorage]]:
    """The parameters of query and body as one object; raises Invalid and TooLarge."""
    found = _nested(request.args.items(multi=True))
    kind = (request.content_type or "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        if (request.content_length or 0) > max(form, MAX_BODY):
            raise TooLarge("The file is too large")
        told = await request.form
        files = await request.files
        return found | _nested(told.items(multi=True)), dict(files.items())
    body = await small_body(MAX_BODY) if request.method != "GET" else b""
    if not body:
        return found, {}
    if kind == "application/json":
        try:
            told_json = orjson.loads(body)
        except orjson.JSONDecodeError as err:
            raise Invalid("The body is not JSON") from err
        if not isinstance(told_json, dict):
            raise Invalid("The body is not an object")
        return found | told_json, {}
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True)
    except ValueError as err:
        raise Invalid("The form is not UTF-8") from err
    return found | _nested(pairs), {}


def _nested(pairs: Any) -> dict[str, Any]:
    """``a[]=1`` is a list, ``a[b]=1`` an object, ``a[0][b]=1`` an object of objects.

    ``a[][b]=1`` is a list of objects: one begins where a name comes again.
    """
    found: dict[str, Any] = {}
    for name, value in pairs:
        head, *rest = name.replace("]", "").split("[")
        place: dict[str, Any] = found
        for key, following in zip([head, *rest], [*rest, None], strict=True):
            if following is None:
                place[key] = value
            elif following == "":
                held = place.setdefault(key, [])
                if isinstance(held, list) and rest[-1] == "":
                    held.append(value)
                elif isinstance(held, list):
                    if not held or not isinstance(held[-1], dict) or rest[-1] in held[-1]:
                        held.append({})
                    held[-1][rest[-1]] = value
                break
            else:
                inner = place.setdefault(key, {})
                if not isinstance(inner, dict):
                    break
                place = inner
    return found


def _id(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 else None
