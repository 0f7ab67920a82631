"""How a real peer and a member become acquainted, step by step, while the line is tapped."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.kit.node import PEERS, Peer, peer
from tests.kit.process import Server, free_port, running
from tests.kit.recording import KEY, Recording, document, is_of_step, recorded
from tests.kit.wiretap import Wiretap, wiretap
from tests.kit.xrpc_client import PASSWORD, XrpcClient

WITHIN_S: Final = 30.0
_KEY_ID: Final = re.compile(r'key[iI]d="([^"]+)"')


@dataclass(frozen=True)
class Meeting:
    """A member with a post, and a peer; between them a tap."""

    server: Server
    alice: XrpcClient
    member: str
    tap: Wiretap
    bob: Peer

    @property
    def post(self) -> str:
        return f"{self.member}/repo/app.bsky.feed.post/{KEY}"

    def wait_for(self, step: str) -> None:
        """Wait until an activity of this step was taken; fails when none is."""
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until:
            posted = [each for each in self.tap.requests if each.step == step]
            if any(map(is_of_step, posted)):
                return
            time.sleep(0.02)
        raise AssertionError(f"{step} did not come: {posted}")


@contextmanager
def meeting(folder: Path, script: str, *arguments: str, peers: Path = PEERS) -> Iterator[Meeting]:
    """A pod that is known at the tap's port, its member alice, and a peer."""
    port = free_port()
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
        body = {"repo": alice.session["did"], "collection": "app.bsky.feed.post", "rkey": KEY}
        said = {"text": "Hello", "createdAt": "2026-11-24T12:00:00.000Z"}
        alice.post("com.atproto.repo.putRecord", {**body, "record": said})
        with (
            wiretap(port, server.port) as tap,
            peer(script, *arguments, folder=peers) as bob,
        ):
            yield Meeting(server, alice, f"http://alice.localhost:{port}", tap, bob)


def record(met: Meeting, name: str) -> Recording:
    """Have the peer follow, answer, edit, like and boost, and take all of it back."""
    bob, ids, by_step = met.bob, dict[str, str](), dict[str, dict[str, Any]]()
    story: list[tuple[str, Callable[[], str]]] = [
        ("follow", lambda: bob.ask("follow", actor=f"{met.member}/me")),
        ("create", lambda: bob.ask("reply", object=met.post, text="<p>first</p>")),
        ("update", lambda: bob.ask("edit", id=ids["create"], text="<p>second</p>")),
        ("like", lambda: bob.ask("like", object=met.post)),
        ("unlike", lambda: bob.ask("undo", id=ids["like"])),
        ("announce", lambda: bob.ask("announce", object=met.post)),
        ("unannounce", lambda: bob.ask("undo", id=ids["announce"])),
        ("delete", lambda: bob.ask("delete", id=ids["create"])),
        ("unfollow", lambda: bob.ask("undo", id=ids["follow"])),
    ]
    for step, act in story:
        met.tap.step = step
        ids[step] = act()
        met.wait_for(step)
        by_step[step] = _named(met, step)
    taken = [each for each in met.tap.requests if each.status == 202]
    origin = met.member.replace("alice.", "")
    return recorded(name, origin, taken, _documents(bob.ready["actor"], met.tap), by_step)


def _named(met: Meeting, step: str) -> dict[str, Any]:
    """What the peer gives now for the objects that its activities only name."""
    base = met.bob.ready["base"].rstrip("/")
    posted = [each for each in met.tap.requests if each.step == step and each.method == "POST"]
    objects = [json.loads(each.body).get("object") for each in posted]
    return {url: document(url) for url in objects if str(url).startswith(f"{base}/")}


def _documents(actor: str, tap: Wiretap) -> dict[str, Any]:
    """The actor, and the keys that signed what was taken."""
    told = " ".join(value for each in tap.requests for _, value in each.headers)
    urls = {key.partition("#")[0] for key in _KEY_ID.findall(told)}
    return {url: document(url) for url in [actor, *sorted(urls - {actor})]}
