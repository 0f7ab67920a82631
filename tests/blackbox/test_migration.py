"""An account moves from one pod to another with the official client; nothing of it is lost."""

from __future__ import annotations

import email
import email.policy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit.mail import CODE
from tests.kit.moving import Snapshot, fill, migrate, snapshot
from tests.kit.node import peer
from tests.kit.process import Server, running
from tests.kit.xrpc_client import PASSWORD, XrpcClient

pytestmark = pytest.mark.peer

HANDLE, EMAIL = "wanderer.test", "wanderer@mail.example"


@contextmanager
def two_pods(folder: Path) -> Iterator[tuple[Server, Server]]:
    """Two pods that know the same PLC directory."""
    with peer("plc.mjs") as directory:
        options = ("--plc", directory.ready["url"])
        with (
            running(folder / "one", options=options) as one,
            running(folder / "two", options=options) as two,
        ):
            yield one, two


def code_in(data_dir: Path, within_s: float = 8) -> str:
    """The code in the newest letter that a pod wrote."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        for letter in sorted((data_dir / "outbox").glob("*.eml"), reverse=True):
            message = email.message_from_bytes(letter.read_bytes(), policy=email.policy.default)
            body = message.get_body(("plain",))
            found = body and CODE.search(body.get_content())
            if found:
                return found.group()
        time.sleep(0.05)
    raise AssertionError("no code came")


def check_moved(old: Server, new: Server, before: Snapshot, did: str) -> None:
    """The same records, blobs and preferences at the new pod; the old one at rest."""
    there = XrpcClient(new.url)
    there.sign_in(HANDLE)
    after = snapshot(there)
    assert (after.records, after.blobs, after.preferences) == (
        before.records,
        before.blobs,
        before.preferences,
    )
    assert after.rev > before.rev
    status = XrpcClient(old.url).get("com.atproto.sync.getRepoStatus", did=did)
    assert status["status"] == "deactivated"
    assert there.get("com.atproto.server.checkAccountStatus")["activated"]


def test_the_official_client_moves_an_account_between_pods(tmp_path: Path) -> None:
    with two_pods(tmp_path) as (one, two):
        here = XrpcClient(one.url)
        did = here.join("wanderer")["did"]
        fill(here, records=40, blobs=3)
        before = snapshot(here)
        with peer("migrate.mjs", one.url, two.url) as client:
            given = {"handle": HANDLE, "email": EMAIL, "password": PASSWORD}
            moved = client.ask("move", **given)
            assert (moved["blobs"], moved["before"]["activated"]) == (3, False)
            client.ask("finish", code=code_in(one.data_dir))
        check_moved(one, two, before, did)


def test_the_command_moves_an_account_and_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    with two_pods(tmp_path) as (one, two):
        here = XrpcClient(one.url)
        did = here.join("wanderer")["did"]
        fill(here, records=40, blobs=3)
        before = snapshot(here)
        broken_off = migrate(one.url, two.url, HANDLE, tmp_path / "notes")
        code_in(one.data_dir)
        broken_off.kill()
        broken_off.communicate()
        status = XrpcClient(one.url).get("com.atproto.sync.getRepoStatus", did=did)
        assert status["active"]
        for letter in (one.data_dir / "outbox").glob("*.eml"):
            letter.unlink()
        second = migrate(one.url, two.url, HANDLE, tmp_path / "notes")
        said, _ = second.communicate(code_in(one.data_dir) + "\n", timeout=60)
        assert second.returncode == 0, said
        assert "Moved: 40 records and 3 files" in said
        assert "Importing the repository" not in said
        check_moved(one, two, before, did)
        again = migrate(one.url, two.url, HANDLE, tmp_path / "notes")
        said, _ = again.communicate("", timeout=60)
        assert again.returncode == 0, said


def test_a_move_that_cannot_be_leaves_the_old_host_as_it_was(tmp_path: Path) -> None:
    with two_pods(tmp_path) as (one, two):
        here = XrpcClient(one.url)
        did = here.join("wanderer")["did"]
        XrpcClient(two.url).join("wanderer")
        refused = migrate(one.url, two.url, HANDLE, tmp_path / "notes")
        said, _ = refused.communicate("", timeout=60)
        assert refused.returncode == 1
        assert "com.atproto.server.create" in said
        assert XrpcClient(one.url).get("com.atproto.sync.getRepoStatus", did=did)["active"]
