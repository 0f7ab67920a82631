"""A member answers who asks to follow, and keeps others away, in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import httpx
import pytest

from tests.browser.test_oauth import PASSWORD, Stage
from tests.kit.node import peer
from tests.kit.process import running

ADMIN = "swordfish"

pytestmark = [pytest.mark.browser, pytest.mark.peer]


@pytest.fixture
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium")
    secret = {"COMMONPOD_ADMIN_PASSWORD": ADMIN}
    with running(tmp_path_factory.mktemp("fediverse") / "pod", environment=secret) as server:
        account = {"handle": "alice.test", "email": "alice@example.org", "password": PASSWORD}
        url = f"{server.address}/xrpc/com.atproto.server.createAccount"
        did = httpx.post(url, json=account, timeout=20).json()["did"]
        with peer(
            "oauth_client.mjs", server.url, f"{server.url}/plc", chromium, timeout_s=60
        ) as app:
            yield Stage(server, did, app)


def test_a_member_locks_their_account_and_answers_who_asks(stage: Stage) -> None:
    app, page = stage.app, f"{stage.server.url}/account/fediverse"
    app.ask("open", url=page)
    app.ask("type", selector="#name", value="alice.test")
    assert "You in the fediverse" in stage.sign_in()
    stage.is_accessible()
    app.ask("type", selector="#tags", value="bread")
    app.ask("tick", selector="input[name=locked]")
    assert "Your profile is changed" in app.ask("press", label="Save")
    with peer("fedify.mjs", "bob") as bob:
        bob.ask("follow", actor=f"{stage.server.origin('alice')}/me")
        assert "bob@127.0.0.1:" in app.ask("open", url=page)
        stage.picture("fediverse", width=720)
        stage.picture("fediverse-dark", width=400, dark=True)
        assert "follows you now" in app.ask("press", label="Accept")
    assert app.ask("complaints") == []


def test_the_administrators_pages_are_for_phones_and_keyboards_too(stage: Stage) -> None:
    app = stage.app
    admin = stage.server.url.replace("://", f"://admin:{ADMIN}@") + "/admin"
    app.ask("open", url=f"{admin}/federation")
    app.ask("type", selector="#domain", value="a-rather-long-name.of-a-server.somewhere.example")
    app.ask("type", selector="#private-comment", value="seen by two members")
    assert "holds" in app.ask("press", label="Set it")
    stage.is_accessible()
    stage.picture("federation", width=360)
    for name in ("domains", "relays"):
        assert name.capitalize() in app.ask("open", url=f"{admin}/{name}")
        stage.is_accessible()
    assert app.ask("complaints") == []
