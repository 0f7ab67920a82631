"""Fediverse peers of a pod that is killed: their server, and what they send to the inbox."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from sqlite3 import connect
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapters.activitypub.signature import cavage
from adapters.activitypub.signature.request import Request
from tests.kit.crash import AS2, POST, Answer, CrashPod, attempt
from tests.kit.crash_operations import CreateRecord, Operation, key

PEER_KEY = generate_private_key(public_exponent=65537, key_size=2048)
ARRIVES_S = 20.0


class Fediverse:
    """A server of many actors who share a key; ``accepted`` holds what came into their inboxes.

    ``documents`` are shown instead of an actor, by path.
    """

    def __init__(self, port: int) -> None:
        self.origin = f"http://peer.localhost:{port}"
        self.accepted: list[dict[str, Any]] = []
        self.documents: dict[str, dict[str, Any]] = {}

    def actor(self, path: str) -> dict[str, Any]:
        pem = PEER_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        me = self.origin + path
        owned = {"id": f"{me}#key", "owner": me, "publicKeyPem": pem.decode()}
        named = {"type": "Person", "preferredUsername": path.rpartition("/")[2]}
        return {"@context": "https://www.w3.org/ns/activitystreams", "id": me} | named | {
            "inbox": f"{me}/inbox",
            "publicKey": owned,
        }  # fmt: skip


@contextmanager
def fediverse() -> Iterator[Fediverse]:
    """The actors' server, on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shown = peers.documents.get(self.path) or peers.actor(self.path)
            self._answer(200, orjson.dumps(shown))

        def do_POST(self) -> None:
            peers.accepted.append(
                orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
            )
            self._answer(202, b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", AS2)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        peers = Fediverse(server.server_port)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield peers
        finally:
            server.shutdown()
            thread.join()


def signed(pod: CrashPod, home: str, actor: str, name: str, said: Mapping[str, str]) -> Answer:
    """Post an activity of an actor of the peers to the inbox of the member at ``home``."""
    context = {"@context": "https://www.w3.org/ns/activitystreams"}
    body = orjson.dumps({**context, "id": f"{actor}/{name}", "actor": actor, **said})
    request = Request("POST", f"http://{home}/inbox", [("Content-Type", AS2)], body)
    headers = cavage.sign(
        request,
        key_id=f"{actor}#key",
        sign=lambda message: PEER_KEY.sign(message, PKCS1v15(), SHA256()),
        now=datetime.now(UTC),
    )
    return pod.ask("POST", "/inbox", body, host=home, headers={"Content-Type": AS2} | headers)


class Follow(Operation):
    """A signed Follow in the inbox, until its Accept was delivered and the member was told"""

    def __init__(self, peers: Fediverse) -> None:
        self._peers = peers

    def _actor(self, number: int) -> str:
        return f"{self._peers.origin}/users/u{number:04d}"

    def _kind(self, pod: CrashPod, number: int) -> dict[str, str]:
        return {"type": "Follow", "object": f"http://{pod.home}/me"}

    def act(self, pod: CrashPod, number: int) -> Answer:
        name = type(self).__name__
        return signed(pod, pod.home, self._actor(number), name, self._kind(pod, number))

    def is_done(self, pod: CrashPod, number: int) -> bool:
        before = self._actor(number)[:-1]
        page = pod.ask("GET", f"/followers?page={before}", host=pod.home, accept=AS2)
        assert page.status == 200, page
        return page.json["orderedItems"].count(self._actor(number)) == 1

    def finish(self, pod: CrashPod, number: int, *, is_acknowledged: bool) -> None:
        if not self.is_done(pod, number):  # what is there needs no repetition
            assert not is_acknowledged
            assert attempt(lambda: self.act(pod, number))
        until = time.monotonic() + ARRIVES_S
        while not any(
            activity["type"] == "Accept" and activity["object"]["actor"] == self._actor(number)
            for activity in self._peers.accepted
        ):
            assert time.monotonic() < until, "the Accept never came"
            time.sleep(0.02)
        while self._notices(pod, number) != 1:
            assert time.monotonic() < until, "the member was not told"
            time.sleep(0.02)

    def _notices(self, pod: CrashPod, number: int) -> int:
        database = connect(pod.data_dir / "pod.sqlite", timeout=10)
        try:
            ask = "SELECT count(*) FROM notice WHERE kind = 'follow' AND actor = ?"
            return int(database.execute(ask, (self._actor(number),)).fetchone()[0])
        finally:
            database.close()


class Like(Follow):
    """A signed Like in the inbox"""

    def set_up(self, pod: CrashPod, number: int) -> None:
        assert CreateRecord().act(pod, number).status == 200

    def _kind(self, pod: CrashPod, number: int) -> dict[str, str]:
        return {"type": "Like", "object": f"http://{pod.home}/repo/{POST}/{key(number)}"}

    def is_done(self, pod: CrashPod, number: int) -> bool:
        path = f"/repo/{POST}/{key(number)}"
        note = pod.ask("GET", path, host=pod.home, accept=AS2)
        assert note.status == 200, note
        likes = note.json["likes"].partition(pod.home)[2]
        total = pod.ask("GET", likes, host=pod.home, accept=AS2).json["totalItems"]
        assert total in (0, 1)
        return bool(total)

    def finish(self, pod: CrashPod, number: int, *, is_acknowledged: bool) -> None:
        assert attempt(lambda: self.act(pod, number))
        assert self.is_done(pod, number)


class Block(Follow):
    """A member's client blocks a follower: several transactions, and what the blocked is told"""

    def set_up(self, pod: CrashPod, number: int) -> None:
        assert super().act(pod, number).status == 202
        assert super().is_done(pod, number)

    def _kind(self, pod: CrashPod, number: int) -> dict[str, str]:
        return {"type": "Follow", "object": f"http://{pod.home}/me"}

    def act(self, pod: CrashPod, number: int) -> Answer:
        body = orjson.dumps({"type": "Block", "object": self._actor(number)})
        headers = {"Content-Type": AS2} | pod.signed_in
        return pod.ask("POST", "/outbox", body, host=pod.home, headers=headers)

    def is_done(self, pod: CrashPod, number: int) -> bool:
        with pod.audited() as reader:
            (member,) = reader.members(after=0, limit=1)
            found = reader.about(member.id, "/data/social/block/", self._actor(number))
        assert len(found) in (0, 1)
        assert not found or not super().is_done(pod, number), "who is blocked still follows"
        return bool(found)

    def finish(self, pod: CrashPod, number: int, *, is_acknowledged: bool) -> None:
        if not is_acknowledged:
            assert attempt(lambda: self.act(pod, number))
            assert self.is_done(pod, number)
        until, told = time.monotonic() + ARRIVES_S, set()
        while not {"Block", "Reject"} <= told:
            assert time.monotonic() < until, f"only {told} came"
            time.sleep(0.02)
            told = {
                each["type"]
                for each in tuple(self._peers.accepted)
                if (each["type"] == "Block" and each["object"] == self._actor(number))
                or (each["type"] == "Reject" and each["object"]["actor"] == self._actor(number))
            }
