"""A strict relay follows a pod through random life: writes, imports, renames, rests and restarts.

    python -m tests.peers.soak [--minutes 60] [--seed 1] [--rate 12] [--data-dir DIR]

Every frame is held to the relay's rules by `tests.kit.strict_relay` (atmst inverts each commit)
and every commit a second time by @atproto/repo in Node. The server is stopped or killed now and
then; the relay comes back at its cursor. Ends with a line of figures, or with the first refusal.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import tempfile
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from pod.records.cid import cid_from_text, cid_text
from tests.kit.node import Peer, peer
from tests.kit.process import Server, free_port, start
from tests.kit.strict_relay import Refused, StrictRelay

PASSWORD = "correct horse battery"
POST = "app.bsky.feed.post"
COLLECTIONS = (POST, "app.bsky.feed.like", "com.example.note")
NOW = "2026-11-24T12:00:00.000Z"


@dataclass
class Account:
    """One member, and the keys of the records that stand."""

    did: str
    handle: str
    token: str
    records: set[tuple[str, str]] = field(default_factory=set)
    renames: int = 0


class Refusal(Exception):
    """The server answered an error."""


class Host:
    """The pod over HTTP, across its restarts."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.server: Server = self._start()

    def _start(self) -> Server:
        server = start(self.data_dir, port=self.port)
        server.wait_until_healthy()
        return server

    def restart(self, number: int) -> None:
        """Stop (SIGTERM) or kill (SIGKILL) the server and start it again on its data."""
        self.server.stop(number)
        self.server = self._start()

    def ask(
        self,
        nsid: str,
        body: Any = None,
        *,
        token: str = "",
        raw: bytes | None = None,
        **query: Any,
    ) -> Any:
        """Call a method: a procedure with body or token, else a query. Raises Refusal."""
        url = f"http://127.0.0.1:{self.port}/xrpc/{nsid}"
        if query:
            url += "?" + urlencode(query)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        data = raw
        if raw is not None:
            headers["Content-Type"] = "application/vnd.ipld.car"
        elif body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        elif token:
            data = b""
        request = urllib.request.Request(url, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                content: bytes = answer.read()
                kind = answer.headers.get("Content-Type", "")
        except urllib.error.HTTPError as err:
            raise Refusal(f"{nsid}: {err.code} {err.read()[:200]!r}") from err
        return json.loads(content) if "json" in kind and content else content

    def key_of(self, did: str) -> str:
        """The signing key of a DID, from its document."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/plc/{did}", timeout=30) as got:
            document = json.load(got)
        return f"did:key:{document['verificationMethod'][0]['publicKeyMultibase']}"


class Follower(threading.Thread):
    """The relay: one connection after another, each from the last event that it took."""

    def __init__(self, host: Host, verifier: Peer) -> None:
        super().__init__(daemon=True)
        self._host = host
        self._verifier = verifier
        self._keys: dict[str, str] = {}
        self.relay = StrictRelay(self._key)
        self.cursor = 0
        self.error: BaseException | None = None
        self.connections = 0
        self.inverted = 0
        self.is_over = threading.Event()

    def run(self) -> None:
        """Follow until told to stop, or until the first frame that breaks a rule."""
        while not self.is_over.is_set():
            url = f"ws://127.0.0.1:{self._host.port}/xrpc/com.atproto.sync.subscribeRepos"
            try:
                with connect(f"{url}?cursor={self.cursor}", max_size=None) as socket:
                    self.connections += 1
                    while not self.is_over.is_set():
                        try:
                            frame = socket.recv(timeout=1)
                        except TimeoutError:
                            continue
                        assert isinstance(frame, bytes)
                        self._take(frame)
            except (OSError, WebSocketException, EOFError):
                time.sleep(0.1)
            except BaseException as err:  # shown by the main thread, which ends the run
                self.error = err
                return

    def catch_up(self, seq_before: int) -> None:
        """Wait until events after ``seq_before`` came and no more are under way."""
        until = time.monotonic() + 30
        while time.monotonic() < until and self.error is None:
            seen = self.cursor
            time.sleep(0.3)
            if self.cursor == seen and seen > seq_before:
                return
        raise self.error or Refused("the relay did not hear of it")

    def _key(self, did: str) -> str:
        if did not in self._keys:
            self._keys[did] = self._host.key_of(did)
        return self._keys[did]

    def _take(self, frame: bytes) -> None:
        body = self.relay.take(frame)
        kind = self.relay.seen[-1]
        if kind == "#commit":
            self._invert_again(body)
        elif kind == "#sync":
            self._resync(body["did"])
        if "seq" in body:
            self.cursor = body["seq"]

    def _invert_again(self, body: dict[str, Any]) -> None:
        ops = [
            {
                "action": op["action"],
                "path": op["path"],
                "cid": None if op["cid"] is None else cid_text(bytes(op["cid"])),
                "prev": cid_text(bytes(op["prev"])) if op.get("prev") else None,
            }
            for op in body["ops"]
        ]
        prev = body.get("prevData")
        self._verifier.ask(
            "commit",
            car=b64encode(body["blocks"]).decode(),
            did=body["repo"],
            key=self._key(body["repo"]),
            ops=ops,
            prevData=cid_text(bytes(prev)) if prev else None,
        )
        self.inverted += 1

    def _resync(self, did: str) -> None:
        records = self.relay.repos[did].records
        for collection in COLLECTIONS:
            cursor: dict[str, str] = {}
            while True:
                page = self._host.ask(
                    "com.atproto.repo.listRecords",
                    repo=did,
                    collection=collection,
                    limit=100,
                    **cursor,
                )
                for item in page["records"]:
                    path = item["uri"].split("/", 3)[3]
                    records[path] = bytes(cid_from_text(item["cid"]))
                if "cursor" not in page:
                    break
                cursor = {"cursor": page["cursor"]}


class Life:
    """What happens to the pod, one thing at a time."""

    def __init__(self, host: Host, follower: Follower, seed: int) -> None:
        self.host = host
        self.follower = follower
        self.random = random.Random(seed)
        self.accounts: list[Account] = []
        self.done: Counter[str] = Counter()
        self.exports: dict[str, tuple[bytes, set[tuple[str, str]]]] = {}

    def sign_up(self) -> None:
        handle = f"m{len(self.accounts)}x{self.random.randrange(10_000)}.test"
        made = self.host.ask(
            "com.atproto.server.createAccount",
            {"handle": handle, "email": f"{handle}@example.org", "password": PASSWORD},
        )
        self.accounts.append(Account(made["did"], handle, made["accessJwt"]))

    def step(self) -> None:
        choice = self.random.random()
        account = self.random.choice(self.accounts)
        acts = (
            (0.55, self.create),
            (0.70, self.update),
            (0.85, self.delete),
            (0.955, self.batch),
            (0.965, self.rename),
            (0.975, self.export),
            (0.985, self.import_),
            (0.995, self.rest_and_return),
            (1.0, self.restart),
        )
        act = next(act for bound, act in acts if choice < bound)
        act(account)
        self.done[act.__name__] += 1

    def record(self, collection: str) -> dict[str, Any]:
        if collection == "app.bsky.feed.like":
            cid = "bafyreide3zf4tewriludpogrzdj574cdb3p4f56l6ffgzdgmuhl4j55jmm"
            key = f"3m{self.random.randrange(10**9):09d}".translate(str.maketrans("0189", "abcd"))
            uri = f"at://{self.random.choice(self.accounts).did}/{POST}/{key}2c"
            return {"$type": collection, "subject": {"uri": uri, "cid": cid}, "createdAt": NOW}
        text = f"{self.random.random()} 🌻 {'x' * self.random.randrange(200)}"
        return {"$type": collection, "text": text, "createdAt": NOW}

    def create(self, account: Account) -> None:
        collection = self.random.choice(COLLECTIONS)
        made = self._repo(
            account, "createRecord", collection=collection, record=self.record(collection)
        )
        account.records.add((collection, made["uri"].rpartition("/")[2]))

    def update(self, account: Account) -> None:
        if not account.records:
            return
        collection, rkey = self.random.choice(sorted(account.records))
        record = self.record(collection)
        self._repo(account, "putRecord", collection=collection, rkey=rkey, record=record)

    def delete(self, account: Account) -> None:
        if not account.records:
            return
        collection, rkey = self.random.choice(sorted(account.records))
        self._repo(account, "deleteRecord", collection=collection, rkey=rkey)
        account.records.discard((collection, rkey))

    def batch(self, account: Account) -> None:
        writes: list[dict[str, Any]] = []
        for collection, rkey in self.random.sample(
            sorted(account.records), min(len(account.records), self.random.randrange(20))
        ):
            kind = self.random.choice(["update", "delete"])
            write = {"$type": f"com.atproto.repo.applyWrites#{kind}", "collection": collection}
            write |= {"rkey": rkey}
            if kind == "update":
                write["value"] = self.record(collection)  # type: ignore[assignment]  JSON
            else:
                account.records.discard((collection, rkey))
            writes.append(write)
        for number in range(self.random.randrange(1, 60)):
            rkey = f"b{self.random.randrange(10**12)}n{number}"
            writes.append(
                {
                    "$type": "com.atproto.repo.applyWrites#create",
                    "collection": "com.example.note",
                    "rkey": rkey,
                    "value": self.record("com.example.note"),
                }
            )
            account.records.add(("com.example.note", rkey))
        self._repo(account, "applyWrites", writes=writes)

    def rename(self, account: Account) -> None:
        """A PLC directory takes ten operations of a DID in an hour."""
        if account.renames == 8:
            return
        account.renames += 1
        handle = f"r{self.random.randrange(10**9)}.test"
        self.host.ask("com.atproto.identity.updateHandle", {"handle": handle}, token=account.token)

    def export(self, account: Account) -> None:
        car = self.host.ask("com.atproto.sync.getRepo", did=account.did)
        self.exports[account.did] = car, set(account.records)

    def import_(self, account: Account) -> None:
        if account.did not in self.exports:
            return
        car, records = self.exports[account.did]
        before = self.follower.cursor
        head = self.host.ask("com.atproto.sync.getLatestCommit", did=account.did)
        self.host.ask("com.atproto.repo.importRepo", raw=car, token=account.token)
        account.records = set(records)
        # What is here already makes no commit and no event.
        if self.host.ask("com.atproto.sync.getLatestCommit", did=account.did) != head:
            self.follower.catch_up(before)

    def rest_and_return(self, account: Account) -> None:
        before = self.follower.cursor
        self.host.ask("com.atproto.server.deactivateAccount", {}, token=account.token)
        self.host.ask("com.atproto.server.activateAccount", token=account.token)
        self.follower.catch_up(before)

    def restart(self, account: Account) -> None:
        self.host.restart(self.random.choice([signal.SIGTERM, signal.SIGKILL]))
        signed = self.host.ask(
            "com.atproto.server.createSession", {"identifier": account.did, "password": PASSWORD}
        )
        account.token = signed["accessJwt"]

    def _repo(self, account: Account, method: str, **body: Any) -> Any:
        body["repo"] = account.did
        return self.host.ask(f"com.atproto.repo.{method}", body, token=account.token)


def compare(life: Life, relay: StrictRelay) -> int:
    """The relay's view of every repository must be the host's own; returns how many records."""
    total = 0
    for account in life.accounts:
        held: dict[str, bytes] = {}
        for collection in COLLECTIONS:
            cursor: dict[str, str] = {}
            while True:
                page = life.host.ask(
                    "com.atproto.repo.listRecords",
                    repo=account.did,
                    collection=collection,
                    limit=100,
                    **cursor,
                )
                held |= {
                    item["uri"].split("/", 3)[3]: bytes(cid_from_text(item["cid"]))
                    for item in page["records"]
                }
                if "cursor" not in page:
                    break
                cursor = {"cursor": page["cursor"]}
        if held != relay.repos[account.did].records:
            raise Refused(f"the records of {account.did} differ")
        total += len(held)
    return total


def soak(data_dir: Path, *, minutes: float, seed: int, rate: float) -> str:
    """Live for some minutes at ``rate`` acts a second; returns the figures."""
    host = Host(data_dir)
    try:
        with peer("repo_verify.mjs", timeout_s=60) as verifier:
            follower = Follower(host, verifier)
            follower.start()
            life = Life(host, follower, seed)
            for _ in range(6):
                life.sign_up()
            began = time.monotonic()
            token_age = began
            while time.monotonic() - began < minutes * 60 and follower.error is None:
                at = time.monotonic()
                life.step()
                if at - token_age > 3_000:
                    token_age = at
                    for account in life.accounts:
                        signed = host.ask(
                            "com.atproto.server.createSession",
                            {"identifier": account.did, "password": PASSWORD},
                        )
                        account.token = signed["accessJwt"]
                time.sleep(max(0.0, 1 / rate - (time.monotonic() - at)))
            if follower.error is not None:
                raise follower.error
            life.create(life.accounts[0])
            follower.catch_up(0)
            follower.is_over.set()
            follower.join(10)
            records = compare(life, follower.relay)
            kinds = Counter(follower.relay.seen)
            return (
                f"{minutes} minutes, seed {seed}: {sum(kinds.values())} frames {dict(kinds)}, "
                f"{follower.inverted} commits inverted by both libraries, "
                f"{follower.connections} connections, acts {dict(life.done)}, "
                f"{records} records equal at the end, refused 0"
            )
    finally:
        host.server.stop()


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=12)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(soak(Path(folder) / "pod", minutes=given.minutes, seed=given.seed, rate=given.rate))


if __name__ == "__main__":
    main()
