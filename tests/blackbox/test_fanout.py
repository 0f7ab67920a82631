"""Fan-out by the real process: killed in the middle, and with a third of all hosts dead."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.kit.inboxes import listening
from tests.kit.process import Server, running, start

NOW = "2026-11-24T12:00:00.000Z"
WITHIN_S = 60.0


def xrpc(server: Server, method: str, body: Any, token: str = "") -> Any:
    headers = {"Content-Type": "application/json"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(
        f"{server.address}/xrpc/{method}", data=json.dumps(body).encode(), headers=headers
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def sign_up(server: Server) -> tuple[str, str]:
    given = {"handle": "alice.test", "email": "a@a.test", "password": "correct horse"}
    made = xrpc(server, "com.atproto.server.createAccount", given)
    return made["did"], made["accessJwt"]


def follow(server: Server, inboxes: list[str]) -> None:
    """Make the owner of each inbox a follower of the only member."""
    names = "member_id, actor, inbox, shared_inbox, follow_id, accepted, since"
    rows = [(1, f"{inbox}/actor", inbox, None, f"{inbox}/follow", True, 0) for inbox in inboxes]
    with sqlite3.connect(server.data_dir / "pod.sqlite", timeout=10) as database:
        database.executemany(f"INSERT INTO follower ({names}) VALUES (?,?,?,?,?,?,?)", rows)
    database.close()


def post(server: Server, did: str, token: str, text: str) -> str:
    """A post; the id of its Create."""
    record = {"text": text, "createdAt": NOW}
    body = {"repo": did, "collection": "app.bsky.feed.post", "record": record}
    made = xrpc(server, "com.atproto.repo.createRecord", body, token)
    return f"{server.origin('alice')}/outbox/{made['commit']['rev']}-0"


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def backlog(server: Server) -> int:
    with sqlite3.connect(server.data_dir / "pod.sqlite", timeout=10) as database:
        waiting: int = database.execute("SELECT count(*) FROM delivery").fetchone()[0]
    database.close()
    return waiting


@pytest.mark.parametrize("heard", [1, 60, 180])
def test_a_kill_in_the_middle_loses_nothing_and_repeats_hardly_anything(
    tmp_path: Path, heard: int
) -> None:
    with listening(delay_s=0.02) as inboxes:
        targets = inboxes.urls(250)
        server = start(tmp_path / "data")
        try:
            server.wait_until_healthy()
            did, token = sign_up(server)
            follow(server, targets)
            activity = post(server, did, token, "one")
            until(lambda: len(inboxes.times(activity)) >= heard)
            server.stop(signal.SIGKILL)
            assert len(inboxes.times(activity)) < len(targets)
            again = start(tmp_path / "data", port=server.port)
        finally:
            server.stop()
        try:
            again.wait_until_healthy()
            until(lambda: len(inboxes.times(activity)) == len(targets))
            until(lambda: backlog(again) == 0)
            assert max(inboxes.times(activity).values()) <= 2
        finally:
            again.stop()


def test_dead_and_hanging_hosts_hold_nobody_up(tmp_path: Path) -> None:
    """Every healthy inbox has both posts before any hanging one is given up or tried again."""
    with listening() as inboxes, running(tmp_path / "data") as server:
        did, token = sign_up(server)
        well = inboxes.urls(140)
        hanging = inboxes.urls(30, "127.8")
        dead = [url.replace(f":{inboxes.port}", f":{server.port + 1}") for url in hanging]
        follow(server, [*hanging, *dead, *well])
        first = post(server, did, token, "one")
        until(lambda: len(inboxes.times(first)) == len(well))
        second = post(server, did, token, "two")
        until(lambda: len(inboxes.times(second)) == len(well))
        assert max((inboxes.times(first) + inboxes.times(second)).values()) == 2
        until(lambda: backlog(server) <= len(hanging + dead) * 2)
        assert backlog(server) >= len(hanging + dead)
