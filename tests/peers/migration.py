"""Accounts move from the reference PDS to the pod and back: official @atproto/api, our command.

    PARITY_REFERENCE=FOLDER python -m tests.peers.migration [--records 5000] [--blobs 50]

FOLDER has the reference's ``node_modules`` (as ``bench/reference``). All servers listen on
loopback and share a PLC directory in memory. After each move records, blobs and preferences must
be the same, the revision not earlier, the new host active, the old one at rest, and the events of
either host those of a move. Prints a line for each move, and fails at the first difference.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cbrrr import decode_multi_dag_cbor_in_violation_of_the_spec
from websockets.sync.client import connect

from tests.kit.moving import Snapshot, fill, migrate, snapshot
from tests.kit.node import peer
from tests.kit.xrpc_client import PASSWORD, XrpcClient
from tests.parity.servers import MOVES, Servers, reference_folder

SUBSCRIBE = "/xrpc/com.atproto.sync.subscribeRepos"


def events(url: str, did: str) -> list[tuple[str, dict[str, Any]]]:
    """Every event of a host about an account, in order: kind and body."""
    found: list[tuple[str, dict[str, Any]]] = []
    with connect(url.replace("http", "ws") + f"{SUBSCRIBE}?cursor=0", max_size=None) as stream:
        try:
            while True:
                head, body = decode_multi_dag_cbor_in_violation_of_the_spec(stream.recv(timeout=2))
                if did in (body.get("did"), body.get("repo")):
                    found.append((head["t"], body))
        except TimeoutError:
            return found


Code = Callable[[], str]
"""Waits for the letter of the old host and reads the code in it."""

Mover = Callable[[XrpcClient, XrpcClient, str, Code], None]


def by_official_client(old: XrpcClient, new: XrpcClient, handle: str, code: Code) -> None:
    """Move an account with @atproto/api."""
    with peer("migrate.mjs", old.url, new.url, timeout_s=300) as client:
        client.ask("move", handle=handle, email=address(handle), password=PASSWORD)
        client.ask("finish", code=code())


def by_command(old: XrpcClient, new: XrpcClient, handle: str, code: Code) -> None:
    """Move an account with ``commonpod migrate``."""
    with tempfile.TemporaryDirectory() as folder:
        moving = migrate(old.url, new.url, handle, Path(folder))
        said, _ = moving.communicate(code() + "\n", timeout=300)
        assert moving.returncode == 0, said


def address(handle: str) -> str:
    """The email address of an account."""
    return f"{handle.split('.')[0]}@mail.example"


def check_move(old: XrpcClient, new: XrpcClient, before: Snapshot, handle: str) -> Snapshot:
    """Hold the state of both hosts after a move against the state before; gives the new one."""
    did = new.sign_in(handle)["did"]
    after = snapshot(new)
    assert after.records == before.records
    assert after.blobs == before.blobs
    assert after.preferences == before.preferences
    # The pod signs what arrived anew; the reference keeps the old host's commit until a write.
    assert after.rev >= before.rev, (after.rev, before.rev)
    done = new.get("com.atproto.server.checkAccountStatus")
    assert done["activated"]
    assert done["validDid"]
    assert done["importedBlobs"] == done["expectedBlobs"] == len(before.blobs)
    assert done["indexedRecords"] == len(before.records)
    left = XrpcClient(old.url).get("com.atproto.sync.getRepoStatus", did=did)
    assert (left["active"], left["status"]) == (False, "deactivated")
    assert XrpcClient(new.url).get("com.atproto.sync.getRepoStatus", did=did)["active"]
    told = [(kind, body.get("active")) for kind, body in events(old.url, did)]
    assert told[-1] == ("#account", False), told[-3:]
    arrived = [kind for kind, _ in events(new.url, did)][-3:]
    assert arrived == ["#account", "#identity", "#sync"], arrived
    record = {
        "$type": "app.bsky.feed.post",
        "text": "here now",
        "createdAt": "2026-11-24T12:00:00Z",
    }
    given = {"repo": did, "collection": "app.bsky.feed.post", "record": record}
    new.post("com.atproto.repo.createRecord", given)
    return snapshot(new)


def main() -> None:
    """Both moves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=5_000)
    parser.add_argument("--blobs", type=int, default=50)
    options = parser.parse_args()
    assert reference_folder() is not None, "PARITY_REFERENCE names no folder"
    servers = Servers()
    try:
        for name, mover in (("wanderer", by_official_client), ("rover", by_command)):
            round_trip(servers, name, mover, options.records, options.blobs)
    finally:
        servers.close()


def round_trip(servers: Servers, name: str, mover: Mover, records: int, blobs: int) -> None:
    """Reference to pod to another reference, as a host keeps whom it let go."""
    hosts = [
        servers("reference", MOVES),
        servers("commonpod"),
        servers("reference", f"{MOVES}-too"),
    ]
    handle, mail = f"{name}.test", hosts[0].mail
    here = XrpcClient(hosts[0].url)
    here.join(name)
    fill(here, records=records, blobs=blobs)
    state = snapshot(here)
    for number, host in enumerate(hosts[1:], 1):
        there, begun = XrpcClient(host.url), time.monotonic()
        mover(here, there, handle, lambda n=number: mail.code_for(address(handle), n, 60))
        seconds = time.monotonic() - begun
        after = check_move(here, there, state, handle)
        print(
            f"{hosts[number - 1].name} -> {host.name} {mover.__name__}: {len(state.records)}"
            f" records, {len(state.blobs)} blobs, {seconds:.1f} s: the same",
            flush=True,
        )
        here, state = there, after


if __name__ == "__main__":
    main()
