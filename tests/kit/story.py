"""The stage of the whole story: a pod, its members' clients, fediverse servers, a relay."""

from __future__ import annotations

import io
import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from atproto import Client
from PIL import Image

from tests.kit.firehose import Firehose, firehose
from tests.kit.guest import Guest
from tests.kit.node import Peer, peer
from tests.kit.process import Server, running

POSTS = "app.bsky.feed.post"
PASSWORD = "correct horse battery staple"
ALT = "A red tulip on a sunny field"
SIZE = (64, 48)
T = TypeVar("T")


def picture(colour: str) -> bytes:
    """A small PNG."""
    out = io.BytesIO()
    Image.new("RGB", SIZE, colour).save(out, "PNG")
    return out.getvalue()


def until(look: Callable[[], T | None], within_s: float = 30) -> T:
    """What ``look`` finds, asked again and again until it finds something."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        found = look()
        if found is not None:
            return found
        time.sleep(0.03)
    raise AssertionError("it did not come")


@dataclass
class Fediverse:
    """One Fedify server and what it accepted from the pod."""

    peer: Peer

    def heard(self, kind: str, about: str) -> list[dict[str, Any]]:
        """The activities of a type that are about an object or actor."""
        log: list[dict[str, Any]] = self.peer.ask("log")
        return [entry for entry in log if entry["type"] == kind and entry["object"] == about]

    def wait(self, kind: str, about: str) -> dict[str, Any]:
        """The first such activity; waits for it."""

        def look() -> dict[str, Any] | None:
            return next(iter(self.heard(kind, about)), None)

        return until(look)

    def knows_of(self, text: str) -> bool:
        """Whether a text is anywhere in what was accepted."""
        return text in json.dumps(self.peer.ask("log"))


@dataclass
class Post:
    """A post as its author's client tells of it."""

    uri: str
    cid: str
    author: Server
    name: str = "alice"

    @property
    def rkey(self) -> str:
        return self.uri.rpartition("/")[2]

    @property
    def path(self) -> str:
        return f"{POSTS}/{self.rkey}"

    @property
    def url(self) -> str:
        return f"{self.author.origin(self.name)}/repo/{self.path}"


@dataclass
class Stage:
    """Everybody in the story: alice with @atproto/api and a Solid app, carol with PyPI atproto."""

    pod: Server
    guest: Guest
    owner: Guest
    alice: Peer
    solid: Peer
    library: Peer
    carol: Client
    fediverse: list[Fediverse]
    firehose: Firehose
    did: str
    token: str

    def post(self, text: str, *, colour: str | None = None, **more: Any) -> Post:
        """A post of alice's in English, with a picture if it has a colour."""
        images = []
        if colour:
            body = b64encode(picture(colour)).decode()
            width, height = SIZE
            images = [
                {
                    "body": body,
                    "mimeType": "image/png",
                    "alt": ALT,
                    "width": width,
                    "height": height,
                }
            ]
        made = self.alice.ask("post", text=text, langs=["en"], images=images, **more)
        return Post(made["uri"], made["cid"], self.pod)

    def record(self, post: Post) -> dict[str, Any]:
        """A record and its CID, as anybody reads it by XRPC."""
        repo, collection, rkey = post.uri.removeprefix("at://").split("/")
        found: dict[str, Any] = self.guest.xrpc(
            "com.atproto.repo.getRecord", repo=repo, collection=collection, rkey=rkey
        )
        return found

    def settle(self) -> None:
        """Wait until a later post has reached the relay and every fediverse server."""
        last = self.post("And that was that.")
        self.firehose.op("create", last.path)
        for server in self.fediverse:
            server.wait("Create", last.url)


@contextmanager
def stage(folder: Path, *options: str) -> Iterator[Stage]:
    """A fresh pod with alice, bob and carol; two fediverse servers follow alice and carol.

    At the end nobody may have met an error that no test asked about.
    """
    with ExitStack() as stack:
        pod = stack.enter_context(running(folder / "pod", options=options))
        alice = stack.enter_context(peer("atproto_client.mjs", pod.url))
        bob = stack.enter_context(peer("atproto_client.mjs", pod.url))
        servers = [
            Fediverse(stack.enter_context(peer("fedify.mjs", name, scheme)))
            for name, scheme in (("fred", "rfc9421"), ("mona", "cavage"))
        ]
        guest = Guest(pod)
        stack.callback(guest.close)
        stream = stack.enter_context(firehose(pod, guest))
        sign_up(bob, "bob")
        session = sign_up(alice, "alice")["session"]
        carol = Client(base_url=f"{pod.address}/xrpc")
        carol.com.atproto.server.create_account(
            {"handle": "carol.test", "email": "carol@example.org", "password": PASSWORD}
        )
        owner = Guest(pod, session["accessJwt"])
        stack.callback(owner.close)
        for server in servers:
            for name in ("alice", "carol"):
                actor = f"{pod.origin(name)}/me"
                follow = server.peer.ask("follow", actor=actor)
                server.wait("Accept", follow)
        yield Stage(
            pod,
            guest,
            owner,
            alice,
            stack.enter_context(peer("solid_client.mjs", session["accessJwt"])),
            stack.enter_context(peer("repo_verify.mjs")),
            carol,
            servers,
            stream,
            session["did"],
            session["accessJwt"],
        )
        for server in servers:
            assert [entry for entry in server.peer.ask("log") if entry["type"] == "Error"] == []
        assert "Traceback" not in pod.log.read_text()


def sign_up(client: Peer, name: str) -> dict[str, Any]:
    """An account made by the official client."""
    made: dict[str, Any] = client.ask(
        "createAccount",
        handle=f"{name}.test",
        email=f"{name}@example.org",
        password=PASSWORD,
    )
    return made
