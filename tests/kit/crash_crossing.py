"""Records about somebody of both networks that a pod is killed in the middle of telling."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, ClassVar

import orjson

from adapters.atproto.did.plc import genesis, plc_did
from pod.keys.curves import SigningKey
from pod.model.ids import Handle, Origin
from pod.records.cid import cid_text, record_cid
from tests.kit.crash import AS2, POST, Answer, CrashPod, attempt
from tests.kit.crash_operations import Operation, key, some
from tests.kit.crash_peers import ARRIVES_S, Fediverse, signed

NOW = "2026-11-24T12:00:00.000Z"


def join_both(pod: CrashPod, peers: Fediverse, name: str) -> str:
    """Register a DID that names an actor of the peers, who names it in turn; the DID.

    A post of theirs has the actor's name as its key.
    """
    path, owner = f"/users/{name}", SigningKey.generate_k256()
    actor = peers.origin + path
    first = genesis(
        handle=Handle("eve.test"),
        webid=actor,
        signing_key=owner.did_key,
        rotation_keys=[owner.did_key],
        pds=Origin("https://pds.test"),
        key=owner,
    )
    did = plc_did(first)
    told = {"Content-Type": "application/json"}
    assert pod.ask("POST", f"/plc/{did}", orjson.dumps(first), headers=told).status == 200
    peers.documents[path] = peers.actor(path) | {"alsoKnownAs": [did]}
    peers.documents[f"/repo/{POST}/{name}"] = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{peers.origin}/repo/{POST}/{name}",
        "type": "Note",
        "attributedTo": actor,
        "content": "<p>one</p>",
    }
    return did


class CrossFollow(Operation):
    """A follow by record of somebody who is in the fediverse, until they heard of it"""

    settles_s = 0.8
    collection = "app.bsky.graph.follow"
    told: ClassVar[tuple[str, str]] = ("Follow", "Undo")
    """The activities that tell of the record, and of its end."""

    def __init__(self, peers: Fediverse) -> None:
        self._peers = peers
        self._did = ""

    def set_up(self, pod: CrashPod, number: int) -> None:
        self._did = self._did or join_both(pod, self._peers, type(self).__name__)

    def _record(self) -> dict[str, Any]:
        return {"subject": self._did, "createdAt": NOW}

    def act(self, pod: CrashPod, number: int) -> Answer:
        body = {"repo": pod.did, "collection": self.collection, "rkey": key(number)}
        return pod.xrpc("com.atproto.repo.createRecord", body | {"record": self._record()})

    def is_done(self, pod: CrashPod, number: int) -> bool:
        query = f"repo={pod.did}&collection={self.collection}&rkey={key(number)}"
        return pod.ask("GET", f"/xrpc/com.atproto.repo.getRecord?{query}").status == 200

    def finish(self, pod: CrashPod, number: int, *, is_acknowledged: bool) -> None:
        if not self.is_done(pod, number):
            assert attempt(lambda: self.act(pod, number))
        self._await(pod, number, self.told[0])
        assert attempt(lambda: self._delete(pod, number))
        self._await(pod, number, self.told[1])

    def _delete(self, pod: CrashPod, number: int) -> Answer:
        body = {"repo": pod.did, "collection": self.collection, "rkey": key(number)}
        return pod.xrpc("com.atproto.repo.deleteRecord", body)

    def _await(self, pod: CrashPod, number: int, kind: str) -> None:
        """What is told arrives, and at most twice."""
        until = time.monotonic() + ARRIVES_S
        url = f"http://{pod.home}/repo/{self.collection}/{key(number)}"
        while not (times := self._times(url, kind)):
            assert time.monotonic() < until, f"the {kind} never came"
            time.sleep(0.02)
        assert times <= 2, f"the {kind} came {times} times"

    def _times(self, url: str, kind: str) -> int:
        named = [each["id"] if kind == "Follow" else each["object"] for each in self._of(kind)]
        return sum((one["id"] if isinstance(one, dict) else one) == url for one in named)

    def _of(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in tuple(self._peers.accepted) if each["type"] == kind]

    def points(self, thread: str, call: str, expected: int) -> Iterable[int]:
        """Each fsync, and some of the writes, of which most are of one transaction."""
        return super().points(thread, call, expected) if "sync" in call else some(expected)


class CrossUnfollow(CrossFollow):
    """The end of such a follow, until they heard of it"""

    def set_up(self, pod: CrashPod, number: int) -> None:
        super().set_up(pod, number)
        assert super().act(pod, number).status == 200
        self._await(pod, number, "Follow")

    def act(self, pod: CrashPod, number: int) -> Answer:
        return self._delete(pod, number)

    def is_done(self, pod: CrashPod, number: int) -> bool:
        return not super().is_done(pod, number)

    def finish(self, pod: CrashPod, number: int, *, is_acknowledged: bool) -> None:
        assert attempt(lambda: self.act(pod, number))
        self._await(pod, number, "Undo")


class CrossAnswer(CrossFollow):
    """An answer and quote by record of a post of theirs"""

    collection = POST
    told: ClassVar[tuple[str, str]] = ("Create", "Delete")

    def _record(self) -> dict[str, Any]:
        ref = {
            "uri": f"at://{self._did}/{POST}/{type(self).__name__}",
            "cid": cid_text(record_cid(b"")),
        }
        embed = {"$type": "app.bsky.embed.record", "record": ref}
        thread = {"root": ref, "parent": ref}
        return {"text": "Yes", "createdAt": NOW, "reply": thread, "embed": embed}

    def finish(self, pod: CrashPod, number: int, *, is_acknowledged: bool) -> None:
        super().finish(pod, number, is_acknowledged=is_acknowledged)
        url = f"http://{pod.home}/repo/{POST}/{key(number)}"
        created = [each["object"] for each in self._of("Create") if each["object"]["id"] == url]
        note = f"{self._peers.origin}/repo/{POST}/{type(self).__name__}"
        assert {(each["inReplyTo"], each["quote"]) for each in created} == {(note, note)}
        wishes = [each for each in self._of("QuoteRequest") if each["instrument"]["id"] == url]
        assert 1 <= len(wishes) <= 2


class MoveIn(CrossFollow):
    """A Move in the inbox of somebody whom the member follows, until the new account is followed"""

    def _actor(self, number: int, which: str) -> str:
        return f"{self._peers.origin}/users/{which}{number:04d}"

    def set_up(self, pod: CrashPod, number: int) -> None:
        old, new = self._actor(number, "old"), self._actor(number, "new")
        path = new.removeprefix(self._peers.origin)
        self._peers.documents[path] = self._peers.actor(path) | {"alsoKnownAs": [old]}
        headers = {"Content-Type": AS2} | pod.signed_in
        body = orjson.dumps({"type": "Follow", "object": old})
        assert pod.ask("POST", "/outbox", body, host=pod.home, headers=headers).status == 201

    def act(self, pod: CrashPod, number: int) -> Answer:
        old, new = self._actor(number, "old"), self._actor(number, "new")
        return signed(pod, pod.home, old, "move", {"type": "Move", "object": old, "target": new})

    def is_done(self, pod: CrashPod, number: int) -> bool:
        return True  # that it is known to be due shows when it comes true

    def finish(self, pod: CrashPod, number: int, *, is_acknowledged: bool) -> None:
        if not is_acknowledged:
            assert attempt(lambda: self.act(pod, number))
        new, until = self._actor(number, "new"), time.monotonic() + ARRIVES_S
        while not (times := [each["object"] for each in self._of("Follow")].count(new)):
            assert time.monotonic() < until, "the Follow never came"
            time.sleep(0.02)
        assert times <= 2
        with pod.audited() as reader:
            (member,) = reader.members(after=0, limit=1)
            assert len(reader.about(member.id, "/data/social/follow/", new)) == 1
