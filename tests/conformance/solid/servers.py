"""Starts the servers that are asked, and signs their people in.

The reference is asked where the environment variable ``SOLID_REFERENCE`` names a folder with its
``node_modules`` (``npm install @solid/community-server@7.2.0``).
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx

from tests.conformance.solid.login import Session
from tests.conformance.solid.subject import Agent, Subject
from tests.kit import process
from tests.kit.node import node_binary
from tests.kit.programs import PASSWORD, join, make_program

NAMES = ("alice", "bob")


def reference_folder() -> Path | None:
    """Where the reference is installed, None if it is not to be asked."""
    named = os.environ.get("SOLID_REFERENCE")
    return Path(named).resolve() if named else None


class Servers:
    """Both servers, each started when first asked for."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))

    def __call__(self, name: str) -> Subject:
        """The server called ``commonpod`` or ``reference``."""
        subject = self._reference() if name == "reference" else self._ours()
        self._stack.callback(subject.close)
        return subject

    def close(self) -> None:
        """End everything."""
        self._stack.close()

    def _ours(self) -> Subject:
        server = self._stack.enter_context(process.running(self._folder / "pod"))
        agents = [our_agent(server, name) for name in NAMES]
        storages = [f"{server.origin(name)}/data/" for name in NAMES]
        return Subject("commonpod", *storages, server.url, *agents)

    def _reference(self) -> Subject:
        installed = reference_folder()
        assert installed is not None, "SOLID_REFERENCE names no folder"
        base = start_reference(self._stack, installed, self._folder / "reference")
        agents = [_reference_agent(base, name) for name in NAMES]
        return Subject("reference", *(f"{base}{name}/" for name in NAMES), base, *agents)


def our_agent(server: process.Server, name: str) -> Agent:
    """A new member, who signs in by a program of theirs."""
    join(server, name)
    return Agent(f"{server.origin(name)}/me", Session(server.url, *make_program(server, name)))


def start_reference(stack: ExitStack, installed: Path, folder: Path) -> str:
    """Start Community Solid Server over a folder; its base URL. It ends with the stack."""
    folder.mkdir(parents=True)
    seed = [
        {"email": f"{name}@example.org", "password": PASSWORD, "pods": [{"name": name}]}
        for name in NAMES
    ]
    (folder.parent / "seed.json").write_text(json.dumps(seed))
    port = process.free_port()
    base = f"http://localhost:{port}/"
    log = stack.enter_context((folder.parent / "reference.log").open("wb"))
    server = subprocess.Popen(
        [
            str(node_binary()),
            str(installed / "node_modules/@solid/community-server/bin/server.js"),
            *("-c", "@css:config/file.json", "-f", str(folder), "-p", str(port), "-b", base),
            *("--seedConfig", str(folder.parent / "seed.json"), "-l", "warn"),
        ],
        cwd=installed,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    stack.callback(_end, server)
    until = time.monotonic() + 120
    while time.monotonic() < until and server.poll() is None:
        try:
            if httpx.get(f"{base}bob/profile/card", timeout=2).status_code == 200:
                return base
        except httpx.TransportError:
            pass
        time.sleep(0.3)
    raise AssertionError(f"the reference did not start:\n{Path(log.name).read_text()[-3000:]}")


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _reference_agent(base: str, name: str) -> Agent:
    webid = f"{base}{name}/profile/card#me"
    identifier, secret = reference_credentials(base, name)
    return Agent(webid, Session(base, identifier, secret))


def reference_credentials(base: str, name: str) -> tuple[str, str]:
    """Client credentials of a person at the reference."""
    with httpx.Client(timeout=30) as client:

        def controls(token: str | None = None) -> Any:
            headers = {"Authorization": f"CSS-Account-Token {token}"} if token else {}
            return client.get(f"{base}.account/", headers=headers).json()["controls"]

        account = {"email": f"{name}@example.org", "password": PASSWORD}
        login = client.post(controls()["password"]["login"], json=account).raise_for_status()
        token = login.json()["authorization"]
        made = client.post(
            controls(token)["account"]["clientCredentials"],
            json={"name": "suite", "webId": f"{base}{name}/profile/card#me"},
            headers={"Authorization": f"CSS-Account-Token {token}"},
        )
        told = made.raise_for_status().json()
        return str(told["id"]), str(told["secret"])
