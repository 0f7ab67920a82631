"""The real server as a process, on a free loopback port, over a folder that may live on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN_S = 30.0


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@dataclass
class Server:
    """A running pod. ``url`` is its own origin, ``log`` the file that its output goes to."""

    process: subprocess.Popen[bytes]
    port: int
    data_dir: Path
    log: Path

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def origin(self, name: str) -> str:
        """The origin of the member called ``name``."""
        return f"http://{name}.localhost:{self.port}"

    def wait_until_healthy(self) -> float:
        """Seconds until the health check answered; fails when the process ends instead."""
        begin = time.monotonic()
        while time.monotonic() - begin < STARTS_WITHIN_S:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended at once:\n{self.log.read_text()}")
            try:
                with urllib.request.urlopen(f"{self.address}/xrpc/_health", timeout=1):
                    return time.monotonic() - begin
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"the server did not start:\n{self.log.read_text()}")

    def stop(self, number: int = signal.SIGTERM, within_s: float = 15.0) -> int:
        """End the process and return its exit code; kills it, and raises, when time is up."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def start(
    data_dir: Path,
    *,
    verb: Sequence[str] = ("serve", "--dev", "--no-rate-limits"),
    port: int | None = None,
    options: Sequence[str] = (),
    under: Sequence[str] = (),
    environment: dict[str, str] | None = None,
) -> Server:
    """Start ``commonpod serve --dev`` or another verb; ``under`` (a tracer) comes before it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    log = data_dir.parent / f"{data_dir.name}.log"
    command = [
        *under,
        sys.executable,
        "-m",
        "server",
        *verb,
        "--data-dir",
        str(data_dir),
        "--port",
        str(port),
        *options,
    ]
    with log.open("ab") as out:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        )
    return Server(process, port, data_dir, log)


@contextmanager
def running(data_dir: Path, **more: object) -> Iterator[Server]:
    """A healthy server, stopped at the end."""
    server = start(data_dir, **more)  # type: ignore[arg-type]  the keywords of start
    try:
        server.wait_until_healthy()
        yield server
    finally:
        server.stop()
