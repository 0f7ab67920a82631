"""Imports and exports a repository of a million records and prints time, memory and stalls.

    python -m bench.big_repo [--records 1000000] [--server hypercorn] [--data-dir DIR]

The CAR file goes through HTTP to a server process of its own and back; its memory is what the
kernel says (VmHWM, reset before each step). Stalls are the slowest of the health checks that run
beside, twenty a second.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from adapters.atproto.repo.car import CarReader, car_block, car_header
from adapters.atproto.repo.commit import read_commit, sign_commit
from adapters.atproto.repo.stream import nodes_of
from pod.keys.curves import SigningKey
from pod.keys.keyring import REPO
from pod.model.ids import Cid, Did
from pod.records.cbor import encode
from pod.records.cid import record_cid
from pod.records.tid import tid_from_us
from storage.engine import Database
from storage.key_vault import Seal
from storage.store import SqlStore
from tests.kit.process import Server, free_port, start

START_US = 1_700_000_000_000_000


def records(count: int) -> Iterator[tuple[str, bytes]]:
    """Posts and likes in key order."""
    for number in range(count):
        kind = "app.bsky.feed.like" if number < count // 2 else "app.bsky.feed.post"
        text = f"{number}: {sha256(str(number).encode()).hexdigest()}"
        block = encode({"$type": kind, "text": text, "createdAt": "2026-11-24T12:00:00.000Z"})
        yield f"{kind}/{tid_from_us(START_US + number, 7)}", block


def write_car(path: Path, did: Did, key: SigningKey, count: int) -> None:
    """A repository in no particular order: the tree last, as it is made."""
    root = Cid(b"")
    with path.open("wb") as file:
        file.write(bytes(len(car_header(record_cid(b"")))))

        def items() -> Iterator[tuple[str, Cid]]:
            for name, block in records(count):
                cid = record_cid(block)
                file.write(car_block(cid, block))
                yield name, cid

        nodes = ((cid, car_block(cid, block)) for cid, block in nodes_of(items()))
        for root, section in nodes:  # noqa: B007  the last is the root
            file.write(section)
        commit = sign_commit(did, tid_from_us(START_US, 1), root, key)
        file.write(car_block(record_cid(commit), commit))
        file.seek(0)
        file.write(car_header(record_cid(commit)))


class Measured:
    """One step: how long it takes, the memory of the server, and its slowest health check."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._is_over = threading.Event()
        self.slowest_ms = 0.0
        self.figures: dict[str, float] = {}

    def memory_mb(self, name: str) -> float:
        """A figure of the kernel about the server, in MB."""
        status = Path(f"/proc/{self._server.process.pid}/status").read_text()
        return int(status.split(f"{name}:")[1].split()[0]) / 1024

    def _watch(self) -> None:
        while not self._is_over.wait(0.05):
            begun = time.perf_counter()
            connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=60)
            connection.request("GET", "/xrpc/_health")
            connection.getresponse().read()
            connection.close()
            self.slowest_ms = max(self.slowest_ms, (time.perf_counter() - begun) * 1000)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure what happens inside."""
        Path(f"/proc/{self._server.process.pid}/clear_refs").write_text("5")
        before, self.slowest_ms = self.memory_mb("VmRSS"), 0.0
        self._is_over.clear()
        watcher = threading.Thread(target=self._watch)
        watcher.start()
        begun = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - begun
            self._is_over.set()
            watcher.join()
        self.figures[f"{name} MB"] = self.memory_mb("VmHWM")
        print(
            f"{name}: {seconds:.1f} s, RSS {before:.0f} -> peak {self.memory_mb('VmHWM'):.0f} MB,"
            f" slowest health check {self.slowest_ms:.0f} ms",
            flush=True,
        )


def call(server: Server, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
    """One request; a file as body is streamed."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=3600)
    connection.request(method, path, body=body, headers=headers)
    answer = connection.getresponse()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status} {answer.read()[:300]!r}")
    return answer


async def key_of(data_dir: Path, did: Did) -> SigningKey:
    """The signing key of a member, while nothing serves."""
    database = Database(data_dir / "pod.sqlite")
    store = SqlStore(database, Seal.open(data_dir / "seal.key"))
    try:
        member = store.member_by_did(did)
        secret = store.secret(member.id, REPO) if member is not None else None
        assert secret is not None
        return SigningKey.from_bytes(secret)
    finally:
        await database.close()


def main() -> None:
    """Run the round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--server", default="hypercorn")
    parser.add_argument("--data-dir", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="commonpod-big-") as name:
        folder = options.data_dir or Path(name)
        run(folder, options.records, options.server)


def run(folder: Path, count: int, server_name: str) -> dict[str, float]:
    """Fill a fresh pod in ``folder`` with one large repository and read it back.

    Returns the peak of the server's memory by step, and whether the same tree ``came back``.
    """
    data_dir, car, back = folder / "pod", folder / "in.car", folder / "out.car"
    port = free_port()
    server = start(data_dir, port=port, options=("--server", server_name))
    server.wait_until_healthy()
    given = {"handle": "alice.test", "email": "a@mail.example", "password": "correct horse"}
    answer = call(
        server,
        "POST",
        "/xrpc/com.atproto.server.createAccount",
        json.dumps(given),
        {"content-type": "application/json"},
    )
    session = json.loads(answer.read())
    server.stop()
    did = Did(session["did"])
    write_car(car, did, asyncio.run(key_of(data_dir, did)), count)
    server = start(data_dir, port=port, options=("--server", server_name))
    server.wait_until_healthy()
    measured = Measured(server)
    token = {"authorization": f"Bearer {session['accessJwt']}"}
    print(f"{count} records, a CAR file of {car.stat().st_size / 1e6:.0f} MB")
    with measured.step("import"), car.open("rb") as file:
        headers = token | {"content-type": "application/vnd.ipld.car"}
        headers["content-length"] = str(car.stat().st_size)
        call(server, "POST", "/xrpc/com.atproto.repo.importRepo", file, headers).read()
    with measured.step("export"):
        export(server, f"/xrpc/com.atproto.sync.getRepo?did={did}", back)
    measured.figures["came back"] = tree_of(car) == tree_of(back)
    print("the same tree came back" if measured.figures["came back"] else "ANOTHER TREE CAME BACK")
    with measured.step("export of one collection"):
        path = f"/xrpc/com.atproto.sync.getRepo?did={did}&collection=app.bsky.feed.post"
        export(server, path, folder / "part.car")
    with measured.step("first write"):
        post = {"text": "one more", "createdAt": "2026-11-24T12:00:00.000Z"}
        given = {"repo": did, "collection": "app.bsky.feed.post", "record": post}
        headers = token | {"content-type": "application/json"}
        path = "/xrpc/com.atproto.repo.createRecord"
        call(server, "POST", path, json.dumps(given), headers).read()
    server.stop()
    return measured.figures


def export(server: Server, path: str, to: Path) -> None:
    """Stream an answer to a file."""
    answer = call(server, "GET", path, None, {})
    with to.open("wb") as file:
        while chunk := answer.read(1 << 20):
            file.write(chunk)


def tree_of(path: Path) -> tuple[Cid, int]:
    """The root of the tree that a CAR file's commit signs, and its number of blocks."""
    reader, total, commit = CarReader(), 0, b""
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            for cid, block in reader.feed(chunk):
                total += 1
                commit = block if cid == reader.root else commit
    reader.finish()
    return read_commit(commit).data, total


if __name__ == "__main__":
    main()
