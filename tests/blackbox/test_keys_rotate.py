"""New keys for an actor by the command line, in a running pod."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx

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
