"""What an operator learns of relays from a running pod."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import connect

from tests.kit.browser import look
from tests.kit.process import ROOT, Server, free_port, running
from tests.kit.xrpc_client import XrpcClient

SECRET = {"COMMONPOD_ADMIN_PASSWORD": "swordfish"}


def status(server: Server, *options: str, secret: dict[str, str]) -> subprocess.CompletedProcess:
    environment = {**os.environ, **secret, "COMMONPOD_PORT": str(server.port)}
    command = [sys.executable, "-m", "server", "relay", "status", "--dev", *options]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_an_operator_sees_who_reads_and_how_relays_answered(tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    environment = {**SECRET, "COMMONPOD_RELAYS": json.dumps([nobody])}
    with running(tmp_path / "data", environment=environment) as server:
        XrpcClient(server.address).join("alice")
        url = f"ws://127.0.0.1:{server.port}/xrpc/com.atproto.sync.subscribeRepos?cursor=0"
        with connect(url, user_agent_header="a relay/1.0") as connection:
            for _ in range(4):
                connection.recv(timeout=5)
            done = status(server, "--json", secret=SECRET)
        assert done.returncode == 0, done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        (asked,) = report["relays"]
        assert (asked["relay"], asked["failures"] > 0) == (nobody, True)
        assert asked["nextAt"] > asked["askedAt"]
        (consumer,) = report["consumers"]
        assert (consumer["agent"], consumer["cursor"]) == ("a relay/1.0", 0)
        assert (consumer["frames"], consumer["until"]) == (4, None)
        assert report["seq"] == 4
        told = status(server, secret=SECRET).stdout
        assert "Asked to crawl" in told
        assert "Consumers" in told
        wrong = status(server, secret={"COMMONPOD_ADMIN_PASSWORD": "haddock"})
        assert (wrong.returncode, "does not take" in wrong.stderr) == (1, True)
        assert httpx.get(f"{server.address}/xrpc/_relays").status_code == 401
        page = httpx.get(f"{server.url}/admin/relays", auth=("admin", "swordfish"))
        assert page.status_code == 200
        assert "failing" in page.text
        assert nobody in page.text
        assert "a relay/1.0" in page.text
        look(f"http://admin:swordfish@localhost:{server.port}/admin/relays", "relays", height=700)


def test_nobody_but_the_administrator_sees_the_page_of_relays(tmp_path: Path) -> None:
    with running(tmp_path / "data", environment=SECRET) as server:
        url = f"{server.url}/admin/relays"
        asked = httpx.get(url)
        assert asked.status_code == 401
        assert asked.headers["WWW-Authenticate"].startswith("Basic realm=")
        assert asked.headers["Cache-Control"] == "no-store"
        assert httpx.get(url, auth=("admin", "haddock")).status_code == 401
        assert "No relay is set" in httpx.get(url, auth=("admin", "swordfish")).text
        XrpcClient(server.address).join("alice")
        as_member = httpx.get(url, headers={"Host": f"alice.localhost:{server.port}"})
        assert as_member.status_code == 404
