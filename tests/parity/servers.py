"""Starts the two servers with what stands around them, and ends them again.

The reference is asked where the environment variable ``PARITY_REFERENCE`` names a folder with
its ``node_modules`` (as ``bench/reference`` has them).
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from tests.kit import process
from tests.kit.mail import MailSink
from tests.kit.node import node_binary, peer
from tests.parity.subject import Subject
from tests.parity.upstream import Upstream

ADMIN_PASSWORD = "parity-admin"
MAIN = "main"
INVITES = "invites"
LIMITS = "limits"
MOVES = "moves"
HERE = Path(__file__).resolve().parent


def reference_folder() -> Path | None:
    """Where the reference is installed, None if it is not to be asked."""
    named = os.environ.get("PARITY_REFERENCE")
    return Path(named) if named else None


class Servers:
    """Both servers in all the kinds that the cases ask for, each started when first asked for."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self._mail = MailSink()
        self._stack.callback(self._mail.close)
        self._upstream = Upstream()
        self._stack.callback(self._upstream.close)
        self._plc: str | None = None
        self._running: dict[tuple[str, str], Subject] = {}

    def __call__(self, name: str, kind: str = MAIN) -> Subject:
        """The server called ``name`` (``commonpod`` or ``reference``) of a kind."""
        if (name, kind) not in self._running:
            port = process.free_port()
            start = self._start_reference if name == "reference" else self._start_ours
            start(kind, port)
            subject = Subject(
                name,
                f"http://localhost:{port}",
                ADMIN_PASSWORD,
                self.plc_url,
                self._mail,
                self._upstream,
                lambda other: self(name, other),
            )
            self._stack.callback(subject.close)
            self._running[name, kind] = subject
        return self._running[name, kind]

    @property
    def plc_url(self) -> str:
        """The PLC directory that all servers share."""
        if self._plc is None:
            self._plc = self._stack.enter_context(peer("plc.mjs")).ready["url"]
        return self._plc

    def close(self) -> None:
        """End everything."""
        self._stack.close()

    def _start_ours(self, kind: str, port: int) -> None:
        limits = "--rate-limits" if kind == LIMITS else "--no-rate-limits"
        options = ["--plc", self.plc_url]
        network = json.dumps({"url": self._upstream.url, "did": self._upstream.did})
        server = process.start(
            self._folder / f"commonpod-{kind}",
            verb=["serve", "--dev", limits],
            port=port,
            options=options,
            environment={
                "COMMONPOD_ADMIN_PASSWORD": ADMIN_PASSWORD,
                "COMMONPOD_APPVIEW": network,
                "COMMONPOD_MODERATION": network,
                "COMMONPOD_SMTP_URL": self._mail.url,
                "COMMONPOD_EMAIL_FROM": "pds@mail.test",
                "COMMONPOD_OPEN_SIGN_UP": "false" if kind == INVITES else "true",
            },
        )
        self._stack.callback(server.stop)
        server.wait_until_healthy()

    def _start_reference(self, kind: str, port: int) -> None:
        installed = reference_folder()
        assert installed is not None
        folder = self._folder / f"reference-{kind}"
        (folder / "blobs").mkdir(parents=True)
        log = (self._folder / f"reference-{kind}.log").open("wb")
        self._stack.callback(log.close)
        process_ = subprocess.Popen(
            [_node_of(installed), str(HERE / "reference.mjs"), str(installed.resolve())],
            env=self._reference_environment(kind, port, folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        self._stack.callback(_end, process_)
        _wait(process_, port, Path(log.name))

    def _reference_environment(self, kind: str, port: int, folder: Path) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "NODE_ENV": "production",
            "LOG_ENABLED": "false",
            "PDS_HOSTNAME": "localhost",
            "PDS_DEV_MODE": "true",
            "PDS_PORT": str(port),
            "PDS_DATA_DIRECTORY": str(folder),
            "PDS_BLOBSTORE_DISK_LOCATION": str(folder / "blobs"),
            "PDS_DID_PLC_URL": self.plc_url,
            "PDS_SERVICE_HANDLE_DOMAINS": ".test",
            "PDS_INVITE_REQUIRED": "true" if kind == INVITES else "false",
            "PDS_RATE_LIMITS_ENABLED": "true" if kind == LIMITS else "false",
            "PDS_DISABLE_SSRF_PROTECTION": "true",
            # Clients follow the document, which would lead them back while an account moves in.
            "PDS_ENABLE_DID_DOC_WITH_SESSION": "false" if kind.startswith(MOVES) else "true",
            "PDS_ACCEPTING_REPO_IMPORTS": "true",
            "PDS_JWT_SECRET": "parity-jwt-secret",
            "PDS_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX": "11" * 32,
            "PDS_EMAIL_SMTP_URL": self._mail.url,
            "PDS_EMAIL_FROM_ADDRESS": "pds@mail.test",
            "PDS_MODERATION_EMAIL_SMTP_URL": self._mail.url,
            "PDS_MODERATION_EMAIL_ADDRESS": "moderation@mail.test",
            "PDS_BSKY_APP_VIEW_URL": self._upstream.url,
            "PDS_BSKY_APP_VIEW_DID": self._upstream.did,
            "PDS_MOD_SERVICE_URL": self._upstream.url,
            "PDS_MOD_SERVICE_DID": self._upstream.did,
            "PDS_REPORT_SERVICE_URL": self._upstream.url,
            "PDS_REPORT_SERVICE_DID": self._upstream.did,
        }


def _node_of(installed: Path) -> str:
    own = installed / "bin" / "node"
    return str(own if own.exists() else node_binary())


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/xrpc/_health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the reference did not start:\n{log.read_text()[-3000:]}")


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
