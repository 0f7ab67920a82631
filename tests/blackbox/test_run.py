"""The first five minutes: a pod to try out starts, says where to look, and keeps what it has."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from atproto import Client
from websockets.sync.client import connect

from tests.kit.guest import TURTLE, Guest
from tests.kit.process import Server, free_port, start

LABELS = ("page", "actor, WebID", "fediverse", "handle, DID", "XRPC", "Solid storage", "login")
POSTS = "app.bsky.feed.post"
ENDS_WITHIN_S = 5.0


@contextmanager
def tried_out(folder: Path, port: int, *options: str) -> Iterator[Server]:
    """``commonpod run`` over a folder."""
    server = start(folder, verb=["run"], port=port, options=options)
    try:
        server.wait_until_healthy()
        yield server
    finally:
        server.stop(signal.SIGKILL)


def printed(server: Server) -> dict[str, str]:
    """What the last start printed, by its labels."""
    lines = server.log.read_text().rpartition("Commonpod is running")[2].splitlines()
    found = {
        label: line.removeprefix(label).strip()
        for label in LABELS
        for line in lines
        if line.startswith(label)
    }
    assert tuple(found) == LABELS
    return found


def posts_of(guest: Guest, did: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = guest.xrpc(
        "com.atproto.repo.listRecords", repo=did, collection=POSTS
    )["records"]
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_what_the_first_start_prints_is_there(folder: Path) -> None:
    with tried_out(folder, free_port()) as server:
        told = printed(server)
        handle, did = told["handle, DID"].removeprefix("@").split()
        client = Client(base_url=f"{server.address}/xrpc")
        client.login(*told["login"].split(" / "))
        assert client.me is not None
        assert (client.me.did, client.me.handle) == (did, handle)
        guest = Guest(server)
        owner = Guest(server, client.export_session_string().split(":::")[2])

        page = guest.get(told["page"], "text/html")
        assert page.status_code == 200
        assert f"@{handle}" in page.text
        actor = guest.activity(told["actor, WebID"])
        assert f"{actor['preferredUsername']}@{told['page'].split('/')[2]}" in told["fediverse"]
        assert guest.get(told["actor, WebID"], TURTLE).status_code == 200
        host = told["page"].split("/")[2]
        resource = f"acct:{told['fediverse'].removeprefix('@')}"
        finger = guest.send("GET", f"http://{host}/.well-known/webfinger?resource={resource}")
        assert finger.json()["subject"] == resource
        assert guest.get(f"{told['XRPC']}_health", "*/*").status_code == 200
        assert owner.get(told["Solid storage"], TURTLE).status_code == 200
        posts = posts_of(guest, did)
        assert len(posts) >= 3
        for post in posts:
            note = guest.activity(f"http://{host}/repo{post['uri'].removeprefix(f'at://{did}')}")
            assert re.sub("<[^>]*>", "", note["content"]) == post["value"]["text"]


def test_a_second_start_keeps_member_posts_and_password(folder: Path) -> None:
    port = free_port()
    with tried_out(folder, port) as server:
        before = printed(server)
        did = before["handle, DID"].split()[1]
        posts = posts_of(Guest(server), did)
        actor = Guest(server).activity(before["actor, WebID"])
        assert server.stop(signal.SIGINT, ENDS_WITHIN_S) == 0
    with tried_out(folder, port) as server:
        assert printed(server) == before
        guest = Guest(server)
        assert posts_of(guest, did) == posts
        assert guest.activity(before["actor, WebID"]) == actor
        repos = guest.xrpc("com.atproto.sync.listRepos")["repos"]
        assert [repo["did"] for repo in repos] == [did]


@pytest.mark.parametrize("name", ["hypercorn", "uvicorn"])
def test_ctrl_c_ends_it_cleanly_while_somebody_listens(folder: Path, name: str) -> None:
    if name != "hypercorn":
        pytest.importorskip(name, reason=f"{name} is not installed: it is an extra")
    with tried_out(folder, free_port(), "--server", name) as server:
        firehose = f"ws://127.0.0.1:{server.port}/xrpc/com.atproto.sync.subscribeRepos?cursor=0"
        with connect(firehose) as connection:
            assert connection.recv(timeout=5)
            assert server.stop(signal.SIGINT, ENDS_WITHIN_S) == 0
        assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("what", ["port", "data"])
def test_what_is_taken_is_said_in_one_line(folder: Path, what: str) -> None:
    with tried_out(folder, free_port()) as server:
        home = folder if what == "data" else folder.with_name("other")
        port = server.port if what == "port" else free_port()
        second = start(home, verb=["run"], port=port)
        assert second.process.wait(20) == 1
        (line,) = second.log.read_text().rpartition("Solid storage")[2].splitlines()[-1:]
        assert line.startswith("commonpod: ")
        assert str(home if what == "data" else port) in line
        assert "Traceback" not in second.log.read_text()
