"""The operations that a pod is killed in the middle of."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterable

from pod.records.cid import cid_text, raw_cid
from tests.kit.crash import AS2, POST, Answer, CrashPod, attempt


def key(number: int, letter: str = "a") -> str:
    """A record key that is a TID; each attempt has its own."""
    return "3k" + f"{number:09d}".translate(str.maketrans("0189", "abcd")) + "2" + letter


def post(text: str, **more: object) -> dict[str, object]:
    return {"$type": POST, "text": text, "createdAt": "2026-11-24T12:00:00.000Z", **more}


def some(expected: int, most: int = 6) -> Iterable[int]:
    """At most so many points, evenly among those that are expected."""
    return range(1, expected + 1, -(-expected // most) or 1)


class Operation:
    """One write; ``number`` makes each attempt different from all before."""

    settles_s = 0.3
    """What follows once it was answered takes so long: cursors, deliveries."""

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


class CreateAccount(Operation):
    """com.atproto.server.createAccount; who was not answered may try again"""

    def act(self, pod: CrashPod, number: int) -> Answer:
        names = {"handle": f"m{number:04d}.test", "email": f"m{number}@pod.test"}
        password = {"password": "correct horse"}
        return pod.xrpc("com.atproto.server.createAccount", names | password)

    def is_done(self, pod: CrashPod, number: int) -> bool:
        signed_in = {"identifier": f"m{number:04d}.test", "password": "correct horse"}
        answer = pod.xrpc("com.atproto.server.createSession", signed_in)
        assert answer.status in (200, 401), answer
        actor = pod.ask("GET", "/me", host=f"m{number:04d}.localhost:{pod.port}", accept=AS2)
        assert actor.status == (200 if answer.status == 200 else 404), actor
        return answer.status == 200

    def points(self, thread: str, call: str, expected: int) -> Iterable[int]:
        """Every third write of the database: most of them are of one transaction."""
        if call == "pwrite64":
            return range(1, expected + 1, 3)
        return super().points(thread, call, expected)

    def finish(self, pod: CrashPod, number: int, *, is_acknowledged: bool) -> None:
        if not self.is_done(pod, number):
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
