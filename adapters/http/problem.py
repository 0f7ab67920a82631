"""Errors on plain HTTP: each leaf of PodError has one status, told as problem details.

Spec: RFC 9457 (https://www.rfc-editor.org/rfc/rfc9457), RFC 9110 section 15
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from typing import Final

import orjson
from quart import Quart, Request, Response, Websocket, has_websocket_context, request, websocket
from werkzeug.exceptions import HTTPException

from adapters.http.credentials import dpop_challenge
from adapters.http.negotiate import choose
from pod import errors
from pod.errors import Overloaded, PodError, Throttled, Unauthenticated
from pod.keys.jose import ALGORITHMS

STATUS: Final[Mapping[type[PodError], int]] = {
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Gone: 410,
    errors.Conflict: 409,
    errors.StaleVersion: 412,
    errors.Invalid: 400,
    errors.Unprocessable: 422,
    errors.Unsupported: 415,
    errors.TooLarge: 413,
    errors.Throttled: 429,
    errors.Overloaded: 503,
    errors.PeerUnavailable: 502,
    errors.QuotaExceeded: 507,
}
"""Total over the leaves: a test walks them all."""

CHALLENGE: Final = f'DPoP algs="{" ".join(ALGORITHMS)}", Bearer realm="commonpod"'
_MEDIA: Final = ("application/problem+json", "text/plain", "text/html")
_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><link rel="stylesheet" href="/assets/style.css">
<main class="notice"><h1>{title}</h1><p>{detail}</p><p><a href="/">Home</a></p></main></html>
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as HTTP says it."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def status_of(error: PodError) -> int:
    """The status of an error; a subclass of a leaf has the leaf's."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem_of(error: PodError, accept: str | None = None) -> Problem:
    """An error as status, headers and body; only the safe text is told."""
    headers = {}
    if isinstance(error, Throttled | Overloaded):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = dpop_challenge(error) or CHALLENGE
    return _problem(status_of(error), error.safe_text, accept, headers, name=error.name)


def _problem(
    status: int,
    detail: str,
    accept: str | None,
    headers: Mapping[str, str],
    *,
    name: str | None = None,
) -> Problem:
    title = HTTPStatus(status).phrase
    # An asker who accepts neither still gets the error: JSON, as most askers are programs.
    media = choose(accept, _MEDIA) or _MEDIA[0]
    if media == "text/plain":
        body = f"{status} {title}\n{detail}\n".encode()
        media = "text/plain; charset=utf-8"
    elif media == "text/html":
        body = _PAGE.format(title=title, detail=escape(detail)).encode()
        media = "text/html; charset=utf-8"
    else:
        shown = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        body = orjson.dumps(shown | ({"error": name} if name else {}))
    return Problem(
        status, {**headers, "Content-Type": media, "X-Content-Type-Options": "nosniff"}, body
    )


def install(app: Quart) -> None:
    """Make an application answer PodErrors, and its own 404, 405 and the like, as problems."""

    async def on_pod_error(error: PodError) -> Response:
        return _response(problem_of(error, _asked().headers.get("Accept")))

    async def on_http_error(error: HTTPException) -> Response:
        status = error.code or 500
        told = {name: value for name, value in error.get_headers() if name in ("Allow", "Location")}
        if 300 <= status < 400:
            return Response(b"", status=status, headers=told)
        asked = _asked()
        detail = f"{asked.method} {asked.path}"
        return _response(_problem(status, detail, asked.headers.get("Accept"), told))

    app.register_error_handler(PodError, on_pod_error)
    app.register_error_handler(HTTPException, on_http_error)


def _asked() -> Request | Websocket:
    """What is being answered: a request, or the opening of a WebSocket."""
    return websocket if has_websocket_context() else request


def _response(problem: Problem) -> Response:
    return Response(problem.body, status=problem.status, headers=dict(problem.headers))
