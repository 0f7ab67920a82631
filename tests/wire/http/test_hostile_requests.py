"""Whatever a request holds, the hall answers with an error of its own, never a fault."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote, unquote

from hypothesis import given
from hypothesis import strategies as st
from quart import Quart

from tests.kit.hall import Author, author, hall_of
from tests.kit.house import Pod

KEY = "3kaaaaaaaaa22"
PATH = f"/repo/app.bsky.feed.post/{KEY}"
HOSTS = ["alice.localhost:2583", "localhost:2583", "alice.test", "x", "", "[::1", "a:b:c"]

values = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))
headers = st.dictionaries(
    st.sampled_from(
        [
            "Accept",
            "If-None-Match",
            "If-Modified-Since",
            "If-Match",
            "Range",
            "If-Range",
            "Origin",
            "Authorization",
            "X-Forwarded-For",
        ]
    ),
    values
    | st.sampled_from(["*/*", "text/html", "bytes=0-", "bytes=-1", "*", 'W/"x"', '"a.0;html"']),
)
segments = st.text(st.characters(codec="utf-8"), max_size=20)
paths = st.one_of(
    st.sampled_from(["/", "/me", PATH, f"{PATH};g1", f"{PATH};g999999999", f"{PATH};g0"]),
    segments.map(lambda text: f"/repo/app.bsky.feed.post/{quote(text, safe='')}"),
    segments.map(lambda text: f"/repo/{quote(text, safe='')}/x"),
    segments.map(lambda text: f"/blobs/{quote(text, safe='')}"),
    segments.map(lambda text: f"/feed.{quote(text, safe='')}"),
    segments.map(lambda text: f"/?before={quote(text)}&tag={quote(text)}"),
    segments.map(lambda text: f"/.well-known/webfinger?resource={quote(text)}"),
    segments.map(lambda text: f"/.well-known/webfinger?resource=acct:{quote(text)}"),
    segments.map(lambda text: f"/nodeinfo/{quote(text, safe='')}"),
    st.sampled_from(
        ["/.well-known/did.json", "/.well-known/atproto-did", "/.well-known/host-meta"]
    ),
)


async def _town() -> tuple[Quart, Author]:
    pod = Pod()
    alice = await author(pod)
    await alice.post("hello", KEY)
    return hall_of(pod), alice


APP, _ = asyncio.run(_town())


@given(
    path=paths, host=st.sampled_from(HOSTS), fields=headers, method=st.sampled_from(["GET", "HEAD"])
)
def test_no_request_makes_a_fault(
    path: str, host: str, fields: dict[str, str], method: str
) -> None:
    assert asyncio.run(status_of(method, path, host, fields)) < 500


async def status_of(method: str, path: str, host: str, fields: dict[str, str]) -> int:
    """The status of a request given to the application raw, as a server would."""
    raw, _, query = path.partition("?")
    sent: list[Any] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(raw),
        "raw_path": raw.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (name.lower().encode(), value.encode("latin-1"))
            for name, value in {"Host": host, **fields}.items()
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2583),
        "extensions": {},
    }

    waiting = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        return waiting.pop() if waiting else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    await APP(scope, receive, send)
    status: int = sent[0]["status"]
    return status
