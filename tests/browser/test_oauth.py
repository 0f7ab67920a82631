"""The official OAuth client signs a member in through a real browser, and is held to its scope."""

from __future__ import annotations

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.kit.browser import SCREENSHOTS
from tests.kit.node import Peer, peer
from tests.kit.process import Server, running

pytestmark = [pytest.mark.browser, pytest.mark.peer]

POST = "app.bsky.feed.post"
LIKE = "app.bsky.feed.like"
SCOPE = f"atproto repo:{POST}?action=create"
PASSWORD = "correct horse battery"


@dataclass
class Stage:
    """A pod with one member, and an app with a browser."""

    server: Server
    did: str
    app: Peer

    def sign_in(self, password: str = PASSWORD) -> str:
        """Type the password; the page that comes then."""
        self.app.ask("type", selector="input[type=password]", value=password)
        return self.app.ask("press", label="Sign in")

    def create(self, collection: str, record: dict[str, Any]) -> Any:
        """Create a record with the app's token."""
        body = {
            "repo": self.did,
            "collection": collection,
            "record": {"$type": collection, **record},
        }
        return self.app.ask(
            "call", method="POST", path="/xrpc/com.atproto.repo.createRecord", json=body
        )

    def post(self) -> Any:
        """Create a post."""
        return self.create(POST, {"text": "by an app", "createdAt": "2026-11-24T12:00:00Z"})

    def picture(self, name: str, **more: Any) -> None:
        """Keep a screenshot."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.app.ask("screenshot", path=str(SCREENSHOTS / f"oauth-{name}.png"), **more)

    def is_accessible(self, scripts: int = 0) -> None:
        """Every control has a name, nothing comes from elsewhere, and a phone is wide enough."""
        assert self.app.ask("outline") == {
            "unnamed": [],
            "foreign": [],
            "scripts": scripts,
            "headings": 1,
            "language": "en",
            "overflows": False,
        }


@pytest.fixture
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium")
    with running(tmp_path_factory.mktemp("oauth") / "pod") as server:
        body = {"handle": "alice.test", "email": "alice@example.org", "password": PASSWORD}
        request = urllib.request.Request(
            f"{server.address}/xrpc/com.atproto.server.createAccount",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            did = json.load(response)["did"]
        plc = f"{server.url}/plc"
        with peer("oauth_client.mjs", server.url, plc, chromium, timeout_s=60) as app:
            yield Stage(server, did, app)


def test_an_app_signs_a_member_in_and_is_held_to_its_scope(stage: Stage) -> None:
    app = stage.app
    url = app.ask("begin", handle="alice.test", scope=SCOPE, state="s1")
    assert "request_uri=" in url

    assert "Sign in" in app.ask("open", url=url, script=False)
    stage.is_accessible()
    stage.picture("sign-in")
    assert "do not match" in stage.sign_in("wrong")
    stage.picture("sign-in-wrong", dark=True)
    stage.is_accessible()
    app.ask("open", url=url, script=False)
    page = stage.sign_in()
    assert "alice.test" in page
    assert POST in page
    stage.is_accessible()
    stage.picture("consent")
    stage.picture("consent-dark", dark=True)
    assert app.ask("press", label="Authorize") == "back in the app"
    assert app.ask("finish") == {"did": stage.did, "state": "s1", "scope": SCOPE}

    assert stage.post()["status"] == 200
    like = stage.create(
        LIKE,
        {
            "subject": {
                "uri": f"at://{stage.did}/{POST}/3jzfcijpj2z2a",
                "cid": "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a",
            },
            "createdAt": "2026-11-24T12:00:00Z",
        },
    )
    assert like["status"] == 403
    assert json.loads(like["body"]) == {
        "error": "ScopeMissingError",
        "message": f'Missing required scope "repo:{LIKE}?action=create"',
    }
    session = json.loads(app.ask("call", path="/xrpc/com.atproto.server.getSession")["body"])
    assert session["did"] == stage.did
    assert "email" not in session

    assert app.ask("refresh")
    assert stage.post()["status"] == 200
    app.ask("revoke")
    assert stage.post()["status"] == 401
    # The wrong password was answered with 401, which the browser's console tells.
    assert [each for each in app.ask("complaints") if "401" not in each] == []


def test_a_member_says_no(stage: Stage) -> None:
    app = stage.app
    url = app.ask("begin", handle="alice.test", scope=SCOPE, state="s2")
    app.ask("open", url=url, script=False)
    stage.sign_in()
    app.ask("press", label="Cancel")
    assert app.ask("refused") == {
        "error": "access_denied",
        "iss": stage.server.url,
        "state": "s2",
    }


def test_who_is_signed_in_need_only_agree_and_may_end_it_on_their_page(stage: Stage) -> None:
    app = stage.app
    for state in ("s3", "s4"):
        url = app.ask("begin", handle="alice.test", scope="atproto transition:generic", state=state)
        page = app.ask("open", url=url)
        if state == "s3":
            page = stage.sign_in()
        assert "Use your account as you do" in page
        app.ask("press", label="Authorize")
        assert app.ask("finish")["state"] == state
    assert stage.post()["status"] == 200

    assert "an app on this device" in app.ask("open", url=f"{stage.server.url}/account")
    stage.is_accessible(scripts=1)
    stage.picture("account", width=720)
    stage.picture("account-dark", width=720, dark=True)
    app.ask("press", label="Sign out everywhere")
    assert stage.post()["status"] == 401
    assert app.ask("complaints") == []


def test_a_passkey_is_made_and_asked_for(stage: Stage) -> None:
    app, account = stage.app, f"{stage.server.url}/account"
    app.ask("authenticator")
    app.ask("open", url=account)
    app.ask("type", selector="#name", value="alice.test")
    assert "Your account" in stage.sign_in()
    app.ask("unfold", selector="form[data-passkey=create]")
    app.ask("type", selector="#passkey-name", value="My key")
    app.ask("type", selector="#passkey-now", value=PASSWORD)
    assert "From now on a passkey is asked for" in app.ask("press", label="Add it")
    assert "My key" in app.ask("press", label="Sign out everywhere")
    app.ask("press", label="Sign out")

    app.ask("type", selector="#name", value="alice.test")
    assert "One more step" in stage.sign_in()
    stage.is_accessible(scripts=1)
    stage.picture("passkey")
    assert "Your account" in app.ask("press", label="Use your passkey")
    body = {"identifier": "alice.test", "password": PASSWORD}
    request = urllib.request.Request(
        f"{stage.server.address}/xrpc/com.atproto.server.createSession",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    assert json.load(refused.value)["error"] == "AuthFactorTokenRequired"
    assert app.ask("complaints") == []
