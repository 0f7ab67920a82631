"""Notifications of a real pod: a real client listens, and a crash loses none of them."""

from __future__ import annotations

import json
import signal
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from tests.kit.guest import JSON_LD, TURTLE, Guest
from tests.kit.node import peer
from tests.kit.process import Server, running, start
from tests.kit.story import until

pytestmark = pytest.mark.peer
NOTIFY = "http://www.w3.org/ns/solid/notifications#"
DOC = "/data/notes/today.ttl"
MESSAGES = 30


def joined(pod: Server) -> tuple[Guest, str]:
    """Alice's client, and her token."""
    given = {"handle": "alice.test", "email": "alice@mail.example", "password": "correct horse"}
    guest = Guest(pod)
    reply = guest.send(
        "POST",
        f"{pod.url}/xrpc/com.atproto.server.createAccount",
        json.dumps(given),
        content_type="application/json",
    )
    assert reply.status_code == 200, reply.text
    token: str = reply.json()["accessJwt"]
    return Guest(pod, token), token


def subscribed(alice: Guest, pod: Server, kind: str, **more: str) -> dict[str, Any]:
    """A new channel about the document."""
    origin = pod.origin("alice")
    context = ["https://www.w3.org/ns/solid/notification/v1"]
    wish = {"@context": context, "type": NOTIFY + kind, "topic": origin + DOC, **more}
    service = f"{origin}/.notifications/{kind}/"
    reply = alice.send("POST", service, json.dumps(wish), content_type=JSON_LD)
    assert reply.status_code == 200, reply.text
    told: dict[str, Any] = reply.json()
    return told


class Hook(BaseHTTPRequestHandler):
    """A webhook that keeps what it takes, unless it is deaf."""

    taken: ClassVar[list[dict[str, Any]]]
    is_deaf: ClassVar[threading.Event]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if not self.is_deaf.is_set():
            self.taken.append(json.loads(body))
        self.send_response(503 if self.is_deaf.is_set() else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def hook() -> Iterator[tuple[str, type[Hook]]]:
    """A deaf webhook on the loopback: its URL, and what it knows."""

    class Mine(Hook):
        taken: ClassVar[list[dict[str, Any]]] = []
        is_deaf = threading.Event()

    Mine.is_deaf.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mine)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", Mine
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])
@pytest.mark.parametrize("negotiates", [True, False])
def test_the_real_client_hears_of_every_write(
    tmp_path: Path, server: str, negotiates: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(tmp_path / "pod", options=("--server", server)) as pod:
        alice, token = joined(pod)
        topic = pod.origin("alice") + DOC
        assert alice.send("PUT", topic, "<> a <urn:x>.", content_type=TURTLE).status_code == 201
        channel = {} if negotiates else subscribed(alice, pod, "WebSocketChannel2023")
        with peer("solid_notifications.mjs", token) as app:
            app.ask("listen", topic=topic, endpoint=channel.get("receiveFrom"))
            told = app.ask("write", url=topic, count=MESSAGES)
            app.ask("close")
        assert [m["type"] for m in told["messages"]] == ["Update"] * MESSAGES
        assert {m["object"] for m in told["messages"]} == {topic}
        assert len({m["state"] for m in told["messages"]}) == MESSAGES
        with capsys.disabled():
            median = statistics.median(told["waits"])
            print(f"\n{server}: PUT to message {median:.1f} ms (median of {MESSAGES})")


def test_what_was_written_before_a_crash_reaches_the_webhook_after_it(tmp_path: Path) -> None:
    pod = start(tmp_path / "pod")
    try:
        pod.wait_until_healthy()
        alice, _ = joined(pod)
        topic = pod.origin("alice") + DOC
        with hook() as (url, mine):
            subscribed(alice, pod, "WebhookChannel2023", sendTo=url)
            for number in range(5):
                body = f"<> <urn:number> {number}."
                reply = alice.send("PUT", topic, body, content_type=TURTLE)
                assert reply.status_code in (201, 204)
            pod.stop(signal.SIGKILL)
            assert mine.taken == []
            mine.is_deaf.clear()
            pod = start(pod.data_dir, port=pod.port)
            pod.wait_until_healthy()
            until(lambda: len(mine.taken) >= 5 or None)
            assert [m["type"] for m in mine.taken] == ["Create"] + ["Update"] * 4
            assert len({message["id"] for message in mine.taken}) == 5
    finally:
        pod.stop()


@pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])
def test_a_stream_arrives_as_it_happens(tmp_path: Path, server: str) -> None:
    with running(tmp_path / "pod", options=("--server", server)) as pod:
        alice, token = joined(pod)
        topic = pod.origin("alice") + DOC
        assert alice.send("PUT", topic, "<> a <urn:x>.", content_type=TURTLE).status_code == 201
        link = next(
            part for part in alice.get(topic, TURTLE).headers["link"].split(", ") if "Via" in part
        )
        path = link[1:].partition(">")[0].removeprefix(pod.origin("alice"))
        headers = {"host": f"alice.localhost:{pod.port}", "authorization": f"Bearer {token}"}
        with (
            httpx.Client(base_url=pod.address, headers=headers, timeout=10) as client,
            client.stream("GET", path, headers={"accept": JSON_LD}) as answer,
        ):
            lines = answer.iter_lines()
            assert json.loads(next(lines))["type"] == "Update"
            assert alice.send("DELETE", topic).status_code == 205
            assert json.loads(next(lines))["type"] == "Delete"


@pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])
def test_a_pod_that_is_listened_to_still_stops_at_once(tmp_path: Path, server: str) -> None:
    pod = start(tmp_path / "pod", options=("--server", server))
    try:
        pod.wait_until_healthy()
        alice, token = joined(pod)
        topic = pod.origin("alice") + DOC
        alice.send("PUT", topic, "<> a <urn:x>.", content_type=TURTLE)
        with peer("solid_notifications.mjs", token) as app:
            app.ask("listen", topic=topic)
            assert pod.stop(within_s=5) == 0
    finally:
        pod.stop()
