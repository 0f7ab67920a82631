"""Each client address has its points; proxies are looked through, strangers are not believed."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from adapters.http.limited import DEAR, EVERYTHING, client_of, limited
from adapters.http.throttle import Throttle

LOGIN = "/account/sign-in"


def scope(path: str, client: str = "203.0.113.5", forwarded: str | None = None) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return {"type": "http", "path": path, "client": (client, 1), "headers": headers}


async def hello(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
    await send({"type": "http.response.body", "body": b"hello"})


async def nothing() -> None:
    return None


def ask(app: Any, asked: dict[str, Any]) -> tuple[int, dict[bytes, bytes], bytes]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(asked, nothing, send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


def frozen() -> Throttle:
    return Throttle(monotonic=lambda: 0.0)


def test_answers_tell_what_is_left() -> None:
    status, headers, body = ask(limited(hello, frozen()), scope("/me"))
    assert (status, body, headers[b"a"]) == (200, b"hello", b"b")
    assert headers[b"ratelimit-limit"] == str(EVERYTHING.points).encode()
    assert headers[b"ratelimit-remaining"] == str(EVERYTHING.points - 1).encode()


def test_a_client_that_asks_too_often_is_refused_and_others_are_not() -> None:
    app = limited(hello, frozen())
    for _ in range(EVERYTHING.points):
        assert ask(app, scope("/me"))[0] == 200
    status, headers, body = ask(app, scope("/me"))
    assert status == 429
    assert int(headers[b"retry-after"]) >= 1
    assert orjson.loads(body)["error"] == "RateLimitExceeded"
    assert ask(app, scope("/me", "203.0.113.6"))[0] == 200


def test_signing_in_has_a_limit_of_its_own() -> None:
    app = limited(hello, frozen())
    answers = [ask(app, scope(LOGIN))[0] for _ in range(DEAR[LOGIN].points + 1)]
    assert answers.count(200) == DEAR[LOGIN].points
    assert ask(app, scope("/me"))[0] == 200


def test_exports_and_health_cost_nothing() -> None:
    headers = ask(limited(hello, frozen()), scope("/xrpc/_health"))[1]
    assert b"ratelimit-limit" not in headers


@pytest.mark.parametrize(
    ("client", "forwarded", "seen"),
    [
        ("203.0.113.5", None, "203.0.113.5"),
        ("8.8.8.8", "1.1.1.1", "8.8.8.8"),
        ("127.0.0.1", "1.1.1.1", "1.1.1.1"),
        ("10.0.0.2", "6.6.6.6, 1.1.1.1, 10.0.0.1", "1.1.1.1"),
        ("::1", "2606:4700::1", "2606:4700::1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "10.0.0.1", "127.0.0.1"),
    ],
)
def test_only_a_proxy_of_ours_is_believed(client: str, forwarded: str | None, seen: str) -> None:
    assert client_of(scope("/", client, forwarded)) == seen
