"""New keys for an actor by the command line, in a running pod."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.blackbox.test_fedify import Alice, about, heard
from tests.kit.node import peer
from tests.kit.process import ROOT, Server, running
from tests.kit.xrpc_client import XrpcClient

SECRET = {"COMMONPOD_ADMIN_PASSWORD": "swordfish"}


def rotate(server: Server, *names: str, secret: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **secret, "COMMONPOD_PORT": str(server.port)}
    command = [sys.executable, "-m", "server", "federation", "rotate-keys", *names, "--dev"]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_an_operator_gives_a_member_new_keys(tmp_path: Path) -> None:
    with running(tmp_path / "data", environment=SECRET) as server:
        XrpcClient(server.address).join("alice")

        def key() -> str:
            host = server.origin("alice").removeprefix("http://")
            headers = {"Host": host, "Accept": "application/activity+json"}
            actor = httpx.get(f"{server.address}/me", headers=headers).json()
            pem: str = actor["publicKey"]["publicKeyPem"]
            return pem

        before = key()
        assert rotate(server, "alice.test", secret={"COMMONPOD_ADMIN_PASSWORD": "x"}).returncode
        assert rotate(server, "nobody.test", secret=SECRET).returncode
        assert key() == before
        done = rotate(server, "alice.test", secret=SECRET)
        assert (done.returncode, done.stdout) == (0, "alice.test has new keys.\n"), done.stderr
        assert key() != before
        assert rotate(server, secret=SECRET).returncode == 0


@pytest.mark.peer
def test_a_fedify_follower_takes_what_the_new_key_signs(tmp_path: Path) -> None:
    with running(tmp_path / "data", environment=SECRET) as server, peer("fedify.mjs", "bob") as bob:
        account = {"handle": "alice.test", "email": "a@a.test", "password": "correct horse"}
        made = Alice(server, "", "").xrpc("com.atproto.server.createAccount", account)
        alice = Alice(server, made["did"], made["accessJwt"])
        bob.ask("follow", actor=alice.actor)
        first = alice.post("signed by the old key")
        heard(bob, lambda entry: entry["object"] == first)
        before = alice.get(alice.actor)[1]["publicKey"]["publicKeyPem"]
        assert rotate(server, "alice.test", secret=SECRET).returncode == 0
        told = heard(bob, about(alice.actor, "Update"))
        new = told["document"]["object"]["publicKey"]["publicKeyPem"]
        assert new != before
        assert new == alice.get(alice.actor)[1]["publicKey"]["publicKeyPem"]
        second = alice.post("signed by the new key")
        assert "new key" in heard(bob, about(second, "Create"))["shows"]["content"]
        assert [entry for entry in bob.ask("log") if entry["type"] == "Error"] == []
