"""What a Fedify server puts on the wire, kept raw, is understood when it is played again."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.node import peer
from tests.kit.process import free_port, running
from tests.kit.recording import KEY as POST_KEY
from tests.kit.recording import Recording, document, play, recorded
from tests.kit.wiretap import Wiretap, wiretap
from tests.kit.xrpc_client import PASSWORD, XrpcClient

pytestmark = pytest.mark.peer
WITHIN_S = 30.0


def record(folder: Path, scheme: str, port: int) -> Recording:
    """The acquaintance of a Fedify server and a member, whose pod is known at ``port``."""
    domains = [{"handle_suffix": ".test", "origin": f"http://{{name}}.localhost:{port}"}]
    environment = {
        "COMMONPOD_ORIGIN": f"http://localhost:{port}",
        "COMMONPOD_SERVICE_DOMAINS": json.dumps(domains),
    }
    with running(folder / "data", environment=environment) as server:
        alice = XrpcClient(server.address)
        given = {"handle": "alice.test", "email": "a@mail.example", "password": PASSWORD}
        alice.session = alice.post("com.atproto.server.createAccount", given)
        alice.token = alice.session["accessJwt"]
        body = {"repo": alice.session["did"], "collection": "app.bsky.feed.post", "rkey": POST_KEY}
        said = {"text": "Hello", "createdAt": "2026-11-24T12:00:00.000Z"}
        alice.post("com.atproto.repo.putRecord", {**body, "record": said})
        with wiretap(port, server.port) as tap, peer("fedify.mjs", "bob", scheme) as bob:
            member = f"http://alice.localhost:{port}"
            post = f"{member}/repo/app.bsky.feed.post/{POST_KEY}"
            ids: dict[str, str] = {}
            story: list[tuple[str, Callable[[], str]]] = [
                ("follow", lambda: bob.ask("follow", actor=f"{member}/me")),
                ("create", lambda: bob.ask("reply", object=post, text="<p>first</p>")),
                ("update", lambda: bob.ask("edit", id=ids["create"], text="<p>second</p>")),
                ("like", lambda: bob.ask("like", object=post)),
                ("unlike", lambda: bob.ask("undo", id=ids["like"])),
                ("announce", lambda: bob.ask("announce", object=post)),
                ("unannounce", lambda: bob.ask("undo", id=ids["announce"])),
                ("delete", lambda: bob.ask("delete", id=ids["create"])),
                ("unfollow", lambda: bob.ask("undo", id=ids["follow"])),
            ]
            for step, act in story:
                tap.step = step
                ids[step] = act()
                wait_for(tap, step)
            actor = document(bob.ready["actor"])
            requests = [each for each in tap.requests if each.status == 202]
    name = f"Fedify 2.3.6, {scheme}"
    return recorded(name, f"http://localhost:{port}", requests, {actor["id"]: actor})


def wait_for(tap: Wiretap, step: str) -> None:
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        posted = [each for each in tap.requests if each.step == step and each.method == "POST"]
        if any(each.status == 202 for each in posted):
            return
        time.sleep(0.02)
    raise AssertionError(f"{step} did not come: {tap.requests}")


@pytest.mark.parametrize("scheme", ["rfc9421", "cavage"])
def test_what_fedify_sends_is_understood_as_it_stood_on_the_wire(
    tmp_path: Path, scheme: str
) -> None:
    recording = record(tmp_path / "live", scheme, free_port())
    kinds = {name.lower() for each in recording["requests"] for name, _ in each["headers"]}
    assert ("signature-input" in kinds) == (scheme == "rfc9421")
    (tmp_path / "again").mkdir()
    asyncio.run(play(tmp_path / "again", recording))
