"""A pod that is killed again and again on the same data, and all that must hold after each time."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import orjson
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from pod.model.member import Standing
from server.check import check
from storage.audit import open_for_audit
from tests.kit.other_cbor import decode_multi_dag_cbor_in_violation_of_the_spec
from tests.kit.process import Server, free_port, start
from tests.kit.strict_relay import StrictRelay

POST = "app.bsky.feed.post"
DYING_S = 10.0
HANGS_AFTER_S = 30.0
ADMIN = "swordfish"

AS2 = "application/activity+json"
VIEWS = ("application/json", AS2, "text/turtle")


@dataclass
class Answer:
    """A response, read to its end."""

    status: int
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class CrashPod:
    """A server with one member, on one port and one folder through all its lives."""

    data_dir: Path
    port: int = field(default_factory=free_port)
    starts: list[float] = field(default_factory=list)
    seen: dict[int, bytes] = field(default_factory=dict)
    server: Server = field(init=False)
    did: str = field(init=False)
    token: str = field(init=False)
    relay: StrictRelay = field(init=False)

    @property
    def home(self) -> str:
        """Host and port of the member's origin."""
        return f"alice.localhost:{self.port}"

    @property
    def pid(self) -> int:
        return self.server.process.pid

    def open(self) -> None:
        """Start for the first time, and sign the member up."""
        self.start()
        body = {"handle": "alice.test", "email": "alice@pod.test", "password": "correct horse"}
        account = self.xrpc("com.atproto.server.createAccount", body).json
        self.did, self.token = account["did"], account["accessJwt"]
        self.relay = StrictRelay(self._key_of)
        self.warm()

    def start(self) -> None:
        """Start on what is there."""
        secret = {"COMMONPOD_ADMIN_PASSWORD": ADMIN}
        self.server = start(self.data_dir, port=self.port, environment=secret)
        self.starts.append(self.server.wait_until_healthy())

    def warm(self) -> None:
        """Have every thread started and every key loaded that an operation needs."""
        picture = b"\x89PNG\r\n\x1a\n" + str(time.monotonic_ns()).encode()
        assert self.upload(picture).status == 200
        for host in (self.home, f"localhost:{self.port}"):
            path = "/me" if host == self.home else "/actor"
            assert self.ask("GET", path, host=host, accept=AS2).status == 200

    def kill(self) -> None:
        self.server.stop(signal.SIGKILL)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        host: str = "",
        accept: str = "*/*",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own; OSError or HTTPException when it breaks."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=HANGS_AFTER_S)
        try:
            more = {"Host": host or f"localhost:{self.port}", "Accept": accept, **(headers or {})}
            connection.request(method, path, body, more)
            response = connection.getresponse()
            return Answer(response.status, response.read(), response.getheaders())
        finally:
            connection.close()

    @property
    def signed_in(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if hasattr(self, "token") else {}

    def xrpc(self, method: str, body: object) -> Answer:
        """Call a procedure as the member; signing up and in are done as nobody yet."""
        is_new = method.endswith((".createAccount", ".createSession"))
        headers = ({} if is_new else self.signed_in) | {"Content-Type": "application/json"}
        return self.ask("POST", f"/xrpc/{method}", orjson.dumps(body), headers=headers)

    def upload(self, body: bytes) -> Answer:
        headers = self.signed_in | {"Content-Type": "image/png"}
        return self.ask("POST", "/xrpc/com.atproto.repo.uploadBlob", body, headers=headers)

    def record(self, rkey: str) -> dict[str, Any] | None:
        """The value of a post, None if there is none."""
        query = f"repo={self.did}&collection={POST}&rkey={rkey}"
        answer = self.ask("GET", f"/xrpc/com.atproto.repo.getRecord?{query}")
        if answer.status == 400:
            assert answer.json["error"] == "RecordNotFound"
            return None
        assert answer.status == 200, answer
        return dict(answer.json["value"])

    def check_views(self, rkey: str) -> None:
        """The three views of a post say what the record says, or that there is none."""
        value = self.record(rkey)
        for accept in VIEWS:
            answer = self.ask("GET", f"/repo/{POST}/{rkey}", host=self.home, accept=accept)
            if value is None:
                assert answer.status in (404, 410), answer
            else:
                assert answer.status == 200, (accept, answer)
                assert value["text"].encode() in answer.body, (accept, answer)

    @contextmanager
    def consumer(self) -> Iterator[dict[int, bytes]]:
        """A consumer at the live end of the firehose: its frames by seq, also after a kill."""
        got: dict[int, bytes] = {}
        url = f"ws://127.0.0.1:{self.port}/xrpc/com.atproto.sync.subscribeRepos"
        with connect(url, max_size=None, compression=None) as socket:

            def listen() -> None:
                with suppress(ConnectionClosed):
                    for frame in socket:
                        got[seq_of(frame)] = frame

            thread = threading.Thread(target=listen)
            thread.start()
            try:
                yield got
            finally:
                socket.close_socket()
                thread.join()

    def wait_for_death(self, seconds: float) -> bool:
        """Whether the process ends within some seconds."""
        until = time.monotonic() + seconds
        while self.server.process.poll() is None:
            if time.monotonic() > until:
                return False
            time.sleep(0.005)
        return True

    def verify(self) -> None:
        """The data fits together, and the firehose from its beginning says what it always said."""
        assert list(check(self.data_dir)) == []
        with open_for_audit(*self._files) as reader:
            members = reader.members(after=0, limit=10_000)
        gone = {member.did for member in members if member.standing is Standing.DELETED}
        frames = self.replay()
        for seq, frame in self.seen.items():
            is_erased = seq not in frames and _owner_of(frame) in gone
            assert is_erased or frames.get(seq) == frame, f"seq {seq} has another meaning now"
        for seq in sorted(frames.keys() - self.seen.keys()):
            self.relay.take(frames[seq])
        self.seen = frames
        with open_for_audit(*self._files) as reader:
            for member in members:
                stored = {key: bytes(cid) for key, cid in reader.record_index(member.id)}
                known = self.relay.repos[member.did].records if member.did not in gone else {}
                assert known == stored

    def replay(self) -> dict[int, bytes]:
        """All frames from cursor 0 to the head."""
        with open_for_audit(*self._files) as reader:
            head = max(seq for seq, _ in reader.frames(after=0, limit=1_000_000))
        frames: dict[int, bytes] = {}
        url = f"ws://127.0.0.1:{self.port}/xrpc/com.atproto.sync.subscribeRepos?cursor=0"
        with connect(url, max_size=None, compression=None) as socket:
            while head not in frames:
                frame = socket.recv(HANGS_AFTER_S)
                assert isinstance(frame, bytes)
                assert seq_of(frame) not in frames
                frames[seq_of(frame)] = frame
            socket.close_socket()
        return frames

    def audited(self) -> AbstractContextManager[Any]:
        """The data as it lies in the files, to be read."""
        return open_for_audit(*self._files)

    @property
    def _files(self) -> tuple[Path, Path]:
        return self.data_dir / "pod.sqlite", self.data_dir / "seal.key"

    def _key_of(self, did: str) -> str:
        document = self.ask("GET", f"/plc/{did}").json
        return f"did:key:{document['verificationMethod'][0]['publicKeyMultibase']}"


def attempt(act: Any) -> bool:
    """Whether an operation was acknowledged; False when the connection broke."""
    try:
        answer = act()
    except (OSError, HTTPException):
        return False
    assert answer.status < 300, answer
    return True


def seq_of(frame: str | bytes) -> int:
    """The sequence number of an event."""
    assert isinstance(frame, bytes)
    return int(_body_of(frame)["seq"])


def _body_of(frame: bytes) -> dict[str, Any]:
    _, body = decode_multi_dag_cbor_in_violation_of_the_spec(frame)
    assert isinstance(body, dict)
    return body


def _owner_of(frame: bytes) -> str:
    body = _body_of(frame)
    return str(body.get("repo") or body["did"])
