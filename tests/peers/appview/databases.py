"""PostgreSQL and Redis as private processes on loopback, over folders that go with them."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kit.process import free_port

STARTS_WITHIN_S = 30.0
INSTALL = "apt-get install -y postgresql redis-server"


def _program(name: str) -> str:
    """The path of an installed program; PostgreSQL's are not on the PATH in Debian."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *map(str, folders)]))
    if found is None:
        raise SystemExit(f"there is no {name} here: {INSTALL}")
    return found


@contextmanager
def _process(
    command: list[str],
    answers: Callable[[], bool],
    log: Path,
    user: str | None,
    stops_by: signal.Signals,
) -> Iterator[None]:
    with log.open("ab") as out:
        running = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, user=user, cwd=log.parent
        )
    try:
        until = time.monotonic() + STARTS_WITHIN_S
        while not answers():
            if running.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"{command[0]} did not start:\n{log.read_text()}")
            time.sleep(0.1)
        yield
    finally:
        running.send_signal(stops_by)
        try:
            running.wait(15)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The URL of an empty database; PostgreSQL will not run as root, so root lends it a user."""
    user = "postgres" if os.geteuid() == 0 else None
    data, port = folder / "postgres", free_port()
    data.mkdir(mode=0o700)
    if user is not None:
        shutil.chown(data, user)
    owner = user or pwd.getpwuid(os.geteuid()).pw_name
    made = subprocess.run(
        [_program("initdb"), "-D", data, "-A", "trust", "-U", owner, "--no-sync", "-E", "UTF8"],
        user=user,
        cwd=data,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        raise SystemExit(f"initdb failed:\n{made.stderr}")
    where = ["-h", "127.0.0.1", "-p", str(port)]
    settings = [f"unix_socket_directories={data}", "fsync=off", "max_connections=60"]
    options = [word for setting in settings for word in ("-c", setting)]
    ready = [_program("pg_isready"), "-q", *where, "-U", owner, "-d", "postgres"]
    command = [_program("postgres"), "-D", str(data), *where, *options]

    def answers() -> bool:
        return subprocess.run(ready, check=False).returncode == 0

    with _process(command, answers, folder / "postgres.log", user, signal.SIGINT):
        yield f"postgresql://{owner}@127.0.0.1:{port}/postgres"


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """The host and port of an empty Redis that keeps nothing."""
    port = free_port()
    ask = [_program("redis-cli"), "-h", "127.0.0.1", "-p", str(port), "ping"]
    command = [_program("redis-server"), "--bind", "127.0.0.1", "--port", str(port)]
    keeps = ["--save", "", "--appendonly", "no", "--dir", str(folder)]

    def answers() -> bool:
        return subprocess.run(ask, check=False, capture_output=True).stdout == b"PONG\n"

    with _process([*command, *keeps], answers, folder / "redis.log", None, signal.SIGTERM):
        yield f"127.0.0.1:{port}"
