"""The deletion of an account that a pod is killed in the middle of, and all that must be gone."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from sqlite3 import Connection, connect

import orjson

from pod.records.cid import cid_text, raw_cid
from storage.blobs import blob_name
from storage.tables import metadata
from tests.kit.crash import ADMIN, AS2, POST, Answer, CrashPod, attempt
from tests.kit.crash_operations import Operation, key, post, some
from tests.kit.crash_peers import ARRIVES_S, Fediverse, signed

STAYS = {"change_log": 1, "usage": 1}
"""Rows that tell that there was somebody: their last event, and that nothing is used."""


class DeleteAccount(Operation):
    """com.atproto.admin.deleteAccount of a member with a post, a picture and a follower"""

    settles_s = 0.8

    def __init__(self, peers: Fediverse) -> None:
        self._peers = peers
        self._dids: dict[int, str] = {}

    def _home(self, pod: CrashPod, number: int) -> str:
        return f"d{number:04d}.localhost:{pod.port}"

    def _picture(self, number: int) -> bytes:
        return b"\x89PNG\r\n\x1a\n of d%d" % number

    def set_up(self, pod: CrashPod, number: int) -> None:
        names = {"handle": f"d{number:04d}.test", "email": f"d{number}@pod.test"}
        password = {"password": "correct horse"}
        made = pod.xrpc("com.atproto.server.createAccount", names | password).json
        self._dids[number] = did = made["did"]
        token = {"Authorization": f"Bearer {made['accessJwt']}"}
        png = {"Content-Type": "image/png"}
        upload = "/xrpc/com.atproto.repo.uploadBlob"
        uploaded = pod.ask("POST", upload, self._picture(number), headers=token | png).json
        embed = {
            "$type": "app.bsky.embed.images",
            "images": [{"alt": "", "image": uploaded["blob"]}],
        }
        body = {"repo": did, "collection": POST, "rkey": key(number)}
        record = orjson.dumps(body | {"record": post("with a picture", embed=embed)})
        written = {"Content-Type": "application/json"} | token
        create = "/xrpc/com.atproto.repo.createRecord"
        assert pod.ask("POST", create, record, headers=written).status == 200
        home, actor = self._home(pod, number), f"{self._peers.origin}/users/f{number:04d}"
        follow = {"type": "Follow", "object": f"http://{home}/me"}
        assert signed(pod, home, actor, "follow", follow).status == 202
        assert self._blob(pod, number)

    def act(self, pod: CrashPod, number: int) -> Answer:
        basic = b64encode(f"admin:{ADMIN}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/json"}
        body = orjson.dumps({"did": self._dids[number]})
        return pod.ask("POST", "/xrpc/com.atproto.admin.deleteAccount", body, headers=headers)

    def is_done(self, pod: CrashPod, number: int) -> bool:
        status = pod.ask("GET", "/me", host=self._home(pod, number), accept=AS2).status
        assert status in (200, 410)
        return status == 410

    def finish(self, pod: CrashPod, number: int, *, is_acknowledged: bool) -> None:
        if not self.is_done(pod, number):
            assert self._blob(pod, number)
            assert attempt(lambda: self.act(pod, number))
        until, me = time.monotonic() + ARRIVES_S, f"http://{self._home(pod, number)}/me"
        while not (told := self._told(me)) or (left := self._left(pod, number)):
            assert time.monotonic() < until, f"told {told} times; {left if told else ''} is left"
            time.sleep(0.05)
        assert told <= 2
        answer = pod.ask("GET", "/me", host=self._home(pod, number), accept=AS2)
        assert (answer.status, answer.json["type"]) == (410, "Tombstone")
        assert pod.ask("GET", "/me", host=pod.home, accept=AS2).status == 200

    def _told(self, me: str) -> int:
        """How often the follower was told."""
        farewells = [each for each in tuple(self._peers.accepted) if each["type"] == "Delete"]
        return sum(each["object"] == me for each in farewells)

    def _left(self, pod: CrashPod, number: int) -> dict[str, int]:
        """How many rows and bytes of the member are left that should not be."""
        with _database(pod) as database:
            ask = "SELECT id FROM member WHERE did = ? AND email IS NULL"
            ((member,),) = database.execute(ask, (self._dids[number],)).fetchall()
            counted = {
                table.name: database.execute(
                    f'SELECT count(*) FROM "{table.name}" WHERE member_id = ?', (member,)
                ).fetchone()[0]
                for table in metadata.sorted_tables
                if "member_id" in table.c
            }
        left = {name: n for name, n in counted.items() if n > STAYS.get(name, 0)}
        return left | ({"bytes": 1} if self._blob(pod, number) else {})

    def _blob(self, pod: CrashPod, number: int) -> bool:
        name = blob_name(cid_text(raw_cid(self._picture(number))))
        return (pod.data_dir / "blobs" / name).exists()

    def points(self, thread: str, call: str, expected: int) -> Iterable[int]:
        """Each fsync, and some of the writes, of which most are of one transaction."""
        return super().points(thread, call, expected) if "sync" in call else some(expected)


@contextmanager
def _database(pod: CrashPod) -> Iterator[Connection]:
    database = connect(pod.data_dir / "pod.sqlite", timeout=10)
    try:
        yield database
    finally:
        database.close()
