"""A backup comes back: a strict relay that saw more stays at its cursor and ends equal."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

from websockets.sync.client import connect

from adapters.atproto.repo.car import read_car
from adapters.atproto.repo.commit import read_commit
from adapters.atproto.repo.foreign import index_of
from tests.kit.process import ROOT, Server, free_port, running
from tests.kit.strict_relay import StrictRelay
from tests.kit.xrpc_client import XrpcClient

POST = "app.bsky.feed.post"


def write_posts(client: XrpcClient, count: int) -> None:
    record = {"text": "hello", "createdAt": "2026-11-24T12:00:00.000Z"}
    given = {"repo": client.session["did"], "collection": POST, "record": record}
    for _ in range(count):
        client.post("com.atproto.repo.createRecord", given)


def follow(server: Server, relay: StrictRelay, cursor: int, until: int) -> int:
    """Let the relay read from its cursor until it has some frames; gives the new cursor."""
    url = f"ws://127.0.0.1:{server.port}/xrpc/com.atproto.sync.subscribeRepos?cursor={cursor}"
    with connect(url, max_size=5_000_000) as connection:
        for _ in range(until):
            frame = connection.recv(timeout=5)
            assert isinstance(frame, bytes)
            cursor = relay.take(frame)["seq"]
    return cursor


def resync(client: XrpcClient, relay: StrictRelay, did: str) -> None:
    """What a relay's reader does after a #sync: read the whole repository."""
    root, blocks = read_car(client.raw("com.atproto.sync.getRepo", did=did))
    commit = read_commit(blocks[root])
    state = relay.repos[did]
    assert (commit.data, commit.rev) == (state.data, state.rev)
    state.records = dict(index_of(commit.data, blocks.get))


def test_a_relay_goes_on_at_its_cursor_after_a_backup_came_back(tmp_path: Path) -> None:
    port, data, copy = free_port(), tmp_path / "data", tmp_path / "copy"
    keys: dict[str, str] = {}
    relay = StrictRelay(keys.__getitem__)
    with running(data, port=port) as server:
        people = [XrpcClient(server.address) for _ in range(3)]
        for person, name in zip(people, ("alice", "bobby", "carol"), strict=True):
            session = person.join(name)
            method = session["didDoc"]["verificationMethod"][0]["publicKeyMultibase"]
            keys[session["did"]] = f"did:key:{method}"
            write_posts(person, 3)
        people[2].post("com.atproto.server.deactivateAccount", {})
        server.stop(signal.SIGKILL)
    shutil.copytree(data, copy)
    with running(data, port=port) as server:
        write_posts(people[0], 5)
        write_posts(people[1], 2)
        cursor = follow(server, relay, 0, 3 * 4 + 9 + 1 + 7)
    shutil.rmtree(data)
    copy.rename(data)
    command = [sys.executable, "-m", "server", "restore", "--data-dir", str(data)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "3 repositories" in said.stdout
    with running(data, port=port) as server:
        before = dict(relay.repos)
        cursor = follow(server, relay, cursor, 3 + 3 + 1)
        alice, bob = (person.session["did"] for person in people[:2])
        for person, did in ((people[0], alice), (people[1], bob)):
            assert relay.repos[did].rev > before[did].rev
            resync(person, relay, did)
            assert len(relay.repos[did].records) == 3
        write_posts(people[0], 2)
        write_posts(people[1], 1)
        follow(server, relay, cursor, 3)
        for did, count in ((alice, 5), (bob, 4)):
            assert len(relay.repos[did].records) == count
            resync(people[0], relay, did)
        command = [sys.executable, "-m", "server", "check", "--data-dir", str(data)]
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stdout


def test_a_pod_that_is_served_is_not_restored(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "server", "restore", "--data-dir", str(tmp_path / "data")]
    with running(tmp_path / "data") as server:
        XrpcClient(server.address).join("alice")
        said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert said.returncode == 1
        assert "Another process" in said.stderr
    ahead = [*command, "--seq", "2"]
    said = subprocess.run(ahead, cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    ahead[-1] = "5000"
    said = subprocess.run(ahead, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "from sequence number 5000 on" in said.stdout
