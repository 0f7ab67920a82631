"""New keys for an actor by the command line, in a running pod."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from adapters.activitypub.signature import cavage
from adapters.activitypub.signature.request import Request
from pod.keys.keyring import ACTOR_RSA, PREVIOUS_RSA
from pod.keys.rsa import RsaKey
from storage.key_vault import Seal
from tests.blackbox.test_fedify import Alice, about, heard
from tests.kit.node import Peer, peer
from tests.kit.process import ROOT, Server, running
from tests.kit.xrpc_client import XrpcClient

SECRET = {"COMMONPOD_ADMIN_PASSWORD": "swordfish"}


def rotate(server: Server, *names: str, secret: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **secret, "COMMONPOD_PORT": str(server.port)}
    command = [sys.executable, "-m", "server", "federation", "rotate-keys", *names, "--dev"]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def secret(folder: Path, purpose: str) -> RsaKey:
    """A member's key, as whoever stole it would have it."""
    with closing(sqlite3.connect(folder / "pod.sqlite")) as database:
        row = database.execute(
            "SELECT owner, sealed FROM key_vault WHERE owner > 0 AND purpose = ?", (purpose,)
        ).fetchone()
    pem = Seal.open(folder / "seal.key").reveal(row[1], f"{row[0]} {purpose}".encode())
    return RsaKey.from_private_pem(pem.decode())


def said(bob: Peer, alice: Alice, key: RsaKey, number: int) -> int:
    """What Fedify answers to an activity of alice that a key signs."""
    like = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"{alice.actor}#likes/{number}",
        "type": "Like",
        "actor": alice.actor,
        "object": f"{bob.ready['actor']}/nothing",
    }
    request = Request(
        "POST", bob.ready["inbox"], [("Content-Type", "application/activity+json")],
        json.dumps(like).encode(),
    )  # fmt: skip
    key_id = f"{alice.actor}#main-key"
    headers = cavage.sign(request, key_id=key_id, sign=key.sign, now=datetime.now(UTC))
    sent = {"Content-Type": "application/activity+json", **headers}
    return httpx.post(request.url, content=request.body, headers=sent).status_code


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
    with (
        running(tmp_path / "data", environment=SECRET) as server,
        peer("fedify.mjs", "bob", environment={"FORGETS": "yes"}) as bob,
    ):
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
        # Fedify keeps the key it knows until something does not fit it.
        keys = [secret(tmp_path / "data", purpose) for purpose in (PREVIOUS_RSA, ACTOR_RSA)]
        assert [said(bob, alice, key, number) for number, key in enumerate(keys)] == [401, 202]
        assert [entry for entry in bob.ask("log") if entry["type"] == "Error"] == []
