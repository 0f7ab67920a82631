"""A page in a browser signs in by Inrupt's library, edits what it was allowed to, signs out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.kit.browser import SCREENSHOTS
from tests.kit.node import Peer, peer
from tests.kit.process import Server, running
from tests.kit.programs import PASSWORD, join

pytestmark = [pytest.mark.browser, pytest.mark.peer]
TURTLE = {"content-type": "text/turtle"}


@pytest.fixture
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Peer]]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium")
    with running(tmp_path_factory.mktemp("solid") / "pod") as server:
        join(server, "alice")
        with peer("solid_session.mjs", chromium, timeout_s=60) as app:
            yield server, app


def picture(app: Peer, name: str, **more: object) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    app.ask("screenshot", path=str(SCREENSHOTS / f"solid-{name}.png"), **more)


def begin(server: Server, app: Peer) -> str:
    """Go from the app's page to the pod's, and sign in there; the page that comes then."""
    assert "Sign in" in app.ask("open", issuer=server.url)
    app.ask("type", selector="#name", value="alice.test")
    app.ask("type", selector="#password", value=PASSWORD)
    return str(app.ask("press", label="Sign in"))


def test_a_page_signs_in_edits_and_signs_out(stage: tuple[Server, Peer]) -> None:
    server, app = stage
    alice = server.origin("alice")
    note, other = f"{alice}/data/notes/a.ttl", f"{alice}/data/diary/b.ttl"
    page = begin(server, app)
    assert "Let Notes in?" in page
    assert "What it may reach in your pod" in page
    app.ask("press", label="Authorize")
    assert app.ask("arrived") == f"{alice}/me"
    for url in (note, other):
        made = app.ask("browse", url=url, method="PUT", headers=TURTLE, body="<#a> <#b> 1.")
        assert made["status"] == 201
    read = app.ask("browse", url=note)
    assert (read["status"], "<#b>" in read["body"] or "#b" in read["body"]) == (200, True)
    assert "write" in read["wac"]

    left = app.ask("logout")
    assert left.startswith(app.ready["home"])
    page = app.ask("visit", url=f"{server.url}/account")
    assert "Sign in" in page

    assert "Let Notes in?" in begin(server, app)
    app.ask("choose", selector='select[name="reach /"]', value="none")
    app.ask("choose", selector='select[name="reach /data/notes/"]', value="w")
    picture(app, "consent")
    picture(app, "consent-dark", dark=True)
    assert app.ask("unnamed") == []
    app.ask("press", label="Authorize")
    assert app.ask("arrived") == f"{alice}/me"
    saved = app.ask("browse", url=note, method="PUT", headers=TURTLE, body="<#a> <#b> 2.")
    assert saved["status"] in (204, 205)
    assert app.ask("browse", url=other)["status"] == 403
    assert "changes notes" in app.ask("visit", url=f"{server.url}/account")
    picture(app, "account", width=720)
    assert app.ask("complaints") == []


def test_a_member_says_no_to_a_page(stage: tuple[Server, Peer]) -> None:
    server, app = stage
    begin(server, app)
    app.ask("press", label="Cancel")
    assert "access_denied" in app.ask("arrived")
