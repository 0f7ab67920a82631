"""A member's pages in a real browser: style, pictures and both colour schemes arrive."""

from __future__ import annotations

import io
import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from PIL import Image

from tests.kit.browser import look
from tests.kit.process import Server, running

pytestmark = pytest.mark.browser

ORANGE = (240, 120, 10)
PAPER = (0xFB, 0xFA, 0xF7)
NIGHT = (0x14, 0x15, 0x17)


@dataclass
class Home:
    """A member's origin, with a post that has a picture, and a record of an unknown kind."""

    origin: str
    post: str
    record: str


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with running(tmp_path_factory.mktemp("browser") / "pod") as server:
        yield _furnish(server)


def _furnish(server: Server) -> Home:
    account = _call(
        server,
        "com.atproto.server.createAccount",
        {"handle": "alice.test", "email": "alice@example.org", "password": "correct horse"},
    )
    token, did = account["accessJwt"], account["did"]
    buffer = io.BytesIO()
    Image.new("RGB", (600, 400), ORANGE).save(buffer, "PNG")
    blob = _call(server, "com.atproto.repo.uploadBlob", buffer.getvalue(), token)["blob"]

    def create(collection: str, record: dict[str, Any]) -> str:
        body = {"repo": did, "collection": collection, "record": {"$type": collection, **record}}
        uri: str = _call(server, "com.atproto.repo.createRecord", body, token)["uri"]
        return "/repo/" + uri.removeprefix(f"at://{did}/")

    create("app.bsky.actor.profile", {"displayName": "Alice", "avatar": blob})
    image = {"image": blob, "alt": "Orange", "aspectRatio": {"width": 600, "height": 400}}
    post = create(
        "app.bsky.feed.post",
        {
            "text": "Look at this.",
            "createdAt": "2026-11-24T12:00:00Z",
            "embed": {"$type": "app.bsky.embed.images", "images": [image]},
        },
    )
    record = create("com.example.plant", {"name": "Bean"})
    return Home(server.origin("alice"), post, record)


def _call(server: Server, method: str, body: dict[str, Any] | bytes, token: str = "") -> Any:
    is_json = isinstance(body, dict)
    request = urllib.request.Request(
        f"{server.address}/xrpc/{method}",
        json.dumps(body).encode() if isinstance(body, dict) else body,
        {
            "Content-Type": "application/json" if is_json else "image/png",
            **({"Authorization": f"Bearer {token}"} if token else {}),
        },
    )
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.load(response)


def test_the_profile_shows_its_style_and_pictures(home: Home) -> None:
    seen = look(f"{home.origin}/", "member")
    assert seen.complaints == []
    assert {PAPER, ORANGE} <= seen.colours()


def test_the_post_shows_its_picture_on_a_narrow_screen(home: Home) -> None:
    seen = look(home.origin + home.post, "post-narrow", width=500, height=900)
    assert seen.complaints == []
    assert seen.picture.getpixel((250, 300)) == ORANGE


def test_at_night_the_page_is_dark(home: Home) -> None:
    seen = look(f"{home.origin}/", "member-dark", dark=True)
    assert seen.picture.getpixel((5, 5)) == NIGHT
    assert PAPER not in seen.colours()


@pytest.mark.parametrize("name", ["record", "missing"])
def test_other_pages_have_the_same_style(home: Home, name: str) -> None:
    path = home.record if name == "record" else "/repo/com.example.plant/nothing"
    seen = look(home.origin + path, name, height=700)
    assert seen.picture.getpixel((5, 5)) == PAPER
    assert [line for line in seen.complaints if "Security Policy" in line] == []


def test_the_front_door_has_the_same_style(home: Home) -> None:
    port = home.origin.rpartition(":")[2]
    seen = look(f"http://localhost:{port}/", "front-door", height=800)
    assert seen.complaints == []
    assert seen.picture.getpixel((5, 5)) == PAPER
