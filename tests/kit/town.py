"""Pods and peers under names of their own, over TLS, with Caddy in front of them.

Names under .test lead to loopback by a hosts file that only the town's processes see, which takes
the right to mount; where that, Caddy or Pebble is missing, tests are skipped and say so.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.kit.process import ROOT, Server, free_port, running

CADDYFILE: Final = ROOT / "docs" / "Caddyfile"
WITHIN_S: Final = 20.0
_HIDE: Final = ("unshare", "--mount", "--")


@cache
def _may_mount() -> bool:
    tried = subprocess.run([*_HIDE, "true"], capture_output=True, check=False)
    return tried.returncode == 0


def needs(*programs: str) -> None:
    """Skip the test where a program is not installed or nobody may mount."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program}: .ci/run installs it")
    if not _may_mount():
        pytest.skip("names of the test's own need the right to mount (root)")


@dataclass
class Town:
    """Names, the processes that know them, and the authority that they trust."""

    folder: Path
    names: list[str]
    running: ExitStack
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.hosts = self.folder / "hosts"
        lines = [f"127.0.0.1 {name}" for name in ("localhost", *self.names)]
        self.hosts.write_text("\n".join(lines) + "\n")
        self.more = self.folder / "more"
        self.more.mkdir()
        self.trusted = self.folder / "root.pem"
        self.plain = free_port()

    @property
    def under(self) -> list[str]:
        """What comes before a command that is to know the town's names."""
        mount = 'mount --bind "$0" /etc/hosts && exec "$@"'
        return [*_HIDE, "sh", "-c", mount, str(self.hosts)]

    def pod(self, name: str, *, port: int | None = None, **settings: str) -> Server:
        """A pod that is ``https://{name}``, reached over loopback by the front."""
        environment = {
            "COMMONPOD_ORIGIN": f"https://{name}",
            "COMMONPOD_PLC_URL": "",
            "COMMONPOD_OPEN_SIGN_UP": "true",
            "COMMONPOD_EGRESS__MAY_REACH_PRIVATE": "true",
            "COMMONPOD_RATE_LIMITS": "false",
            "SSL_CERT_FILE": str(self.trusted),
            **settings,
        }
        data = self.folder / name
        return self.running.enter_context(
            running(data, verb=("serve",), port=port, under=self.under, environment=environment)
        )

    def front(
        self, pod: int, *, options: str = "local_certs", sites: str = "", https: int = 443
    ) -> None:
        """Caddy, with the documented Caddyfile, before the pod; it speaks HTTP at `plain`."""
        (self.more / "test.options").write_text(
            f"""{options}
            skip_install_trust
            admin off
            default_bind 127.0.0.1
            http_port {self.plain}
            https_port {https}
            storage file_system {self.folder / "caddy"}
            """
        )
        if sites:
            (self.more / "test.site").write_text(sites)
        environment = {
            "POD": f"127.0.0.1:{pod}",
            "ACME_EMAIL": "admin@pods.test",
            "CADDY_MORE": str(self.more),
            "XDG_CONFIG_HOME": str(self.folder),
            "HOME": str(self.folder),
            **self.environment,
        }
        command = ["caddy", "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
        self.start("caddy", [*self.under, *command], environment, https)

    def start(
        self, name: str, command: list[str], environment: Mapping[str, str], port: int
    ) -> None:
        """Start a program that listens on a port; it is ended with the town."""
        log = (self.folder / f"{name}.log").open("wb")
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env={"PATH": os.environ["PATH"], **environment}
        )
        self.running.callback(_end, process)
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until and process.poll() is None:
            with socket.socket() as knocking:
                if knocking.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError(f"{name} did not start:\n{Path(log.name).read_text()}")

    def trust_caddy(self) -> None:
        """Wait for the authority that Caddy makes for itself, and trust it."""
        made = self.folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        until = time.monotonic() + WITHIN_S
        while not made.exists():
            assert time.monotonic() < until, "Caddy made no authority"
            time.sleep(0.05)
        shutil.copy(made, self.trusted)

    def context(self) -> ssl.SSLContext:
        """TLS that trusts the town's authority alone."""
        return ssl.create_default_context(cafile=str(self.trusted))

    def certificate(self, name: str, port: int = 443) -> dict[str, Any]:
        """The certificate that is shown for a name; raises OSError where there is none."""
        with (
            socket.create_connection(("127.0.0.1", port), timeout=WITHIN_S) as plain,
            self.context().wrap_socket(plain, server_hostname=name) as secure,
        ):
            shown = secure.getpeercert()
            assert shown is not None
            return dict(shown)

    async def get(self, url: str, **headers: str) -> tuple[int, str, Mapping[str, str]]:
        """What a stranger gets for a URL: status, text, headers; redirects are not followed."""
        connector = aiohttp.TCPConnector(ssl=self.context(), resolver=_Here())
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(url, headers=headers, allow_redirects=False) as answer,
        ):
            return answer.status, await answer.text(), answer.headers


class _Here(aiohttp.abc.AbstractResolver):
    """Every name leads to loopback."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[aiohttp.abc.ResolveResult]:
        return [
            {
                "hostname": host,
                "host": "127.0.0.1",
                "port": port,
                "family": socket.AF_INET,
                "proto": 0,
                "flags": 0,
            }
        ]

    async def close(self) -> None:
        return None


def self_signed(name: str, key_file: Path, file: Path) -> None:
    """Write a key and a certificate for a name that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key_file.write_bytes(secret)
    file.write_bytes(made.public_bytes(Encoding.PEM))


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def town(folder: Path, *names: str) -> Iterator[Town]:
    """A town with these names; everything in it ends with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as running_here:
        yield Town(folder, list(names), running_here)
