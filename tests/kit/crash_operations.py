"""The operations that a pod is killed in the middle of."""

from __future__ import annotations

import itertools
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapters.activitypub.signature import cavage
from adapters.activitypub.signature.request import Request
from pod.records.cid import cid_text, raw_cid
from tests.kit.crash import AS2, POST, Answer, CrashPod, attempt

PEER_KEY = generate_private_key(public_exponent=65537, key_size=2048)
ARRIVES_S = 20.0


def key(number: int, letter: str = "a") -> str:
    """A record key that is a TID; each attempt has its own."""
    return "3k" + f"{number:09d}".translate(str.maketrans("0189", "abcd")) + "2" + letter


def post(text: str, **more: object) -> dict[str, object]:
    return {"$type": POST, "text": text, "createdAt": "2026-11-24T12:00:00.000Z", **more}


class Operation:
    """One write; ``number`` makes each attempt different from all before."""

    def set_up(self, pod: CrashPod, number: int) -> None:
        """What must be there before; not part of what is killed."""

    def act(self, pod: CrashPod, number: int) -> Answer:
        raise NotImplementedError

    def is_done(self, pod: CrashPod, number: int) -> bool:
        """Whether it is wholly there; fails when it is there in part."""
        raise NotImplementedError

    def finish(self, pod: CrashPod, number: int, *, is_acknowledged: bool) -> None:
        """What must come true after the restart."""

    def points(self, thread: str, call: str, expected: int) -> Iterable[int]:
        """Which calls to die at; the sweep goes on until one is not reached."""
        return range(1, expected + 1) if thread == "pool" else itertools.count(1)


class CreateRecord(Operation):
    """com.atproto.repo.createRecord"""

    def act(self, pod: CrashPod, number: int) -> Answer:
        body = {"repo": pod.did, "collection": POST, "rkey": key(number)}
        return pod.xrpc("com.atproto.repo.createRecord", body | {"record": post(f"p{number}p")})

    def is_done(self, pod: CrashPod, number: int) -> bool:
        pod.check_views(key(number))
        found = pod.record(key(number))
        assert found in (None, post(f"p{number}p"))
        return found is not None


class DeleteRecord(Operation):
    """com.atproto.repo.deleteRecord"""

    def set_up(self, pod: CrashPod, number: int) -> None:
        assert CreateRecord().act(pod, number).status == 200

    def act(self, pod: CrashPod, number: int) -> Answer:
        body = {"repo": pod.did, "collection": POST, "rkey": key(number)}
        return pod.xrpc("com.atproto.repo.deleteRecord", body)

    def is_done(self, pod: CrashPod, number: int) -> bool:
        return not CreateRecord().is_done(pod, number)


class ApplyWrites(Operation):
    """com.atproto.repo.applyWrites: a create, an update and a delete"""

    def _write(self, kind: str, letter: str, number: int, text: str | None) -> dict[str, object]:
        write = {"$type": f"com.atproto.repo.applyWrites#{kind}", "collection": POST}
        value = {} if text is None else {"value": post(text)}
        return write | {"rkey": key(number, letter)} | value

    def set_up(self, pod: CrashPod, number: int) -> None:
        writes = [self._write("create", letter, number, f"{letter}{number}old") for letter in "bc"]
        body = {"repo": pod.did, "writes": writes}
        assert pod.xrpc("com.atproto.repo.applyWrites", body).status == 200

    def act(self, pod: CrashPod, number: int) -> Answer:
        writes = [
            self._write("create", "a", number, f"a{number}new"),
            self._write("update", "b", number, f"b{number}new"),
            self._write("delete", "c", number, None),
        ]
        return pod.xrpc("com.atproto.repo.applyWrites", {"repo": pod.did, "writes": writes})

    def is_done(self, pod: CrashPod, number: int) -> bool:
        for letter in "abc":
            pod.check_views(key(number, letter))
        found = [pod.record(key(number, letter)) for letter in "abc"]
        texts = [value and value["text"] for value in found]
        after = [f"a{number}new", f"b{number}new", None]
        assert texts in (after, [None, f"b{number}old", f"c{number}old"])
        return texts == after


class UploadBlob(Operation):
    """com.atproto.repo.uploadBlob; it is there when a record may refer to it"""

    def _body(self, number: int) -> bytes:
        return b"\x89PNG\r\n\x1a\n picture %d" % number

    def act(self, pod: CrashPod, number: int) -> Answer:
        return pod.upload(self._body(number))

    def is_done(self, pod: CrashPod, number: int) -> bool:
        body = self._body(number)
        ref = {"$link": cid_text(raw_cid(body))}
        blob = {"$type": "blob", "ref": ref, "mimeType": "image/png", "size": len(body)}
        embed = {"$type": "app.bsky.embed.images", "images": [{"alt": "", "image": blob}]}
        record = post("with a picture", embed=embed)
        request = {"repo": pod.did, "collection": POST, "rkey": key(number), "record": record}
        answer = pod.xrpc("com.atproto.repo.createRecord", request)
        if answer.status == 400:
            assert answer.json["error"] == "BlobNotFound", answer
            return False
        query = f"did={pod.did}&cid={ref['$link']}"
        assert pod.ask("GET", f"/xrpc/com.atproto.sync.getBlob?{query}").body == body
        pod.check_views(key(number))
        return True


class PutDocument(Operation):
    """PUT of a Turtle document into a new container"""

    media_type = "text/turtle"

    def _path(self, number: int) -> str:
        return f"/data/box{number}/thing"

    def _body(self, number: int) -> bytes:
        return b'<#it> <http://purl.org/dc/terms/title> "thing %d" .' % number

    def act(self, pod: CrashPod, number: int) -> Answer:
        headers = pod.signed_in | {"Content-Type": self.media_type}
        return pod.ask(
            "PUT", self._path(number), self._body(number), host=pod.home, headers=headers
        )

    def is_done(self, pod: CrashPod, number: int) -> bool:
        path = self._path(number)
        found = [
            pod.ask("GET", where, host=pod.home, headers=pod.signed_in)
            for where in (path, path.removesuffix("thing"))
        ]
        assert [answer.status for answer in found] in ([200, 200], [404, 404])
        if found[0].status == 404:
            return False
        assert found[0].body == self._body(number)
        assert pod.ask("GET", path, host=pod.home).status == 401
        return True


class PutBinary(PutDocument):
    """PUT of a picture into a new container"""

    media_type = "image/png"

    def _body(self, number: int) -> bytes:
        return b"\x89PNG\r\n\x1a\n put %d" % number


class Fediverse:
    """A server of many actors who share a key; ``accepted`` holds what came into their inboxes."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://peer.localhost:{port}"
        self.accepted: list[dict[str, Any]] = []

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
            self._answer(200, orjson.dumps(peers.actor(self.path)))

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


class Follow(Operation):
    """A signed Follow in the inbox, until its Accept was delivered; peers repeat what fails"""

    def __init__(self, peers: Fediverse) -> None:
        self._peers = peers

    def _actor(self, number: int) -> str:
        return f"{self._peers.origin}/users/u{number:04d}"

    def _kind(self, pod: CrashPod, number: int) -> dict[str, str]:
        return {"type": "Follow", "object": f"http://{pod.home}/me"}

    def act(self, pod: CrashPod, number: int) -> Answer:
        actor = self._actor(number)
        activity = {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"{actor}/{type(self).__name__}",
            "actor": actor,
            **self._kind(pod, number),
        }
        body = orjson.dumps(activity)
        request = Request("POST", f"http://{pod.home}/inbox", [("Content-Type", AS2)], body)
        headers = cavage.sign(
            request,
            key_id=f"{actor}#key",
            sign=lambda message: PEER_KEY.sign(message, PKCS1v15(), SHA256()),
            now=datetime.now(UTC),
        )
        headers = {"Content-Type": AS2} | headers
        return pod.ask("POST", "/inbox", body, host=pod.home, headers=headers)

    def is_done(self, pod: CrashPod, number: int) -> bool:
        before = self._actor(number)[:-1]
        page = pod.ask("GET", f"/followers?page={before}", host=pod.home, accept=AS2)
        assert page.status == 200, page
        return page.json["orderedItems"].count(self._actor(number)) == 1

    def finish(self, pod: CrashPod, number: int, *, is_acknowledged: bool) -> None:
        if not is_acknowledged:
            assert attempt(lambda: self.act(pod, number))
            assert self.is_done(pod, number)
        until = time.monotonic() + ARRIVES_S
        while not any(
            activity["type"] == "Accept" and activity["object"]["actor"] == self._actor(number)
            for activity in self._peers.accepted
        ):
            assert time.monotonic() < until, "the Accept never came"
            time.sleep(0.02)


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


class Checkpoint(Operation):
    """Many records at once, until the log is moved into the file by its thread; some points"""

    batches = 6
    size = 200

    def __init__(self) -> None:
        self._acknowledged: set[int] = set()

    def _rkey(self, number: int, place: int) -> str:
        return key(number * self.batches * self.size + place, "d")

    def act(self, pod: CrashPod, number: int) -> Answer:
        answer = Answer(0, b"")
        self._acknowledged.clear()
        for batch in range(self.batches):
            kind = {"$type": "com.atproto.repo.applyWrites#create", "collection": POST}
            writes = [
                kind | {"rkey": self._rkey(number, place), "value": post("x" * 250)}
                for place in range(batch * self.size, (batch + 1) * self.size)
            ]
            body = {"repo": pod.did, "writes": writes}
            answer = pod.xrpc("com.atproto.repo.applyWrites", body)
            self._acknowledged.add(batch)
        return answer

    def is_done(self, pod: CrashPod, number: int) -> bool:
        there = []
        for batch in range(self.batches):
            first, last = batch * self.size, (batch + 1) * self.size - 1
            found = [pod.record(self._rkey(number, place)) for place in (first, last)]
            assert (found[0] is None) == (found[1] is None)
            there.append(found[0] is not None)
        assert all(there[batch] for batch in self._acknowledged)
        return all(there)

    def points(self, thread: str, call: str, expected: int) -> Iterable[int]:
        return [] if thread != "checkpoint" else sorted({1, 2, expected // 2, expected} - {0})


class Stop(Operation):
    """An orderly end, which moves the log into the file and empties it"""

    def act(self, pod: CrashPod, number: int) -> Answer:
        pod.server.process.send_signal(signal.SIGTERM)
        code = pod.server.process.wait(30)
        if code == -signal.SIGKILL:
            raise ConnectionError
        return Answer(200 if code == 0 else 500, b"")

    def is_done(self, pod: CrashPod, number: int) -> bool:
        return True

    def points(self, thread: str, call: str, expected: int) -> Iterable[int]:
        if expected <= 8:
            return super().points(thread, call, expected)
        return sorted({1, 2, 3, expected // 3, expected // 2, expected - 1, expected})
