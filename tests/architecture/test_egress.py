"""There is one way out of the house: no module but the guarded egress speaks to the network."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EGRESS = {f"adapters/http/{name}.py" for name in ("client", "fetch", "posting")}
LISTENER = {"server/serve.py": {"socket"}}
"""Whoever listens has a socket too."""

MAIL = {"server/mail.py": {"aiosmtplib"}}
"""Letters go to the one mail server that the operator names, which may well be on this machine."""

CLIENTS = {
    "aiohttp",
    "aiosmtplib",
    "ftplib",
    "http.client",
    "httpcore",
    "httpx",
    "requests",
    "smtplib",
    "socket",
    "telnetlib",
    "urllib.request",
    "urllib3",
    "websockets",
    "xmlrpc",
}
OPENERS = {"open_connection", "open_unix_connection", "create_connection", "sock_connect"}


def ways_out(source: str) -> set[str]:
    """The clients that a module imports, and the connections that it opens by itself."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Attribute) and node.attr in OPENERS:
            found.add(node.attr)
        found |= {
            client
            for client in CLIENTS
            for name in names
            if name == client or name.startswith(client + ".")
        }
    return found


def test_only_the_guarded_egress_speaks_to_the_network() -> None:
    out = {
        str(file.relative_to(ROOT)): found
        for package in ("pod", "storage", "adapters", "server")
        for file in (ROOT / package).rglob("*.py")
        if (found := ways_out(file.read_text()))
    }
    assert set(out) == EGRESS | set(LISTENER) | set(MAIL), out
    assert out.items() >= (LISTENER | MAIL).items()


def test_a_way_out_is_seen_however_it_is_spelt() -> None:
    assert ways_out("import urllib.request") == {"urllib.request"}
    assert ways_out("from urllib import request") == {"urllib.request"}
    assert ways_out("from aiohttp.client import ClientSession") == {"aiohttp"}
    assert ways_out("async def f(): await asyncio.open_connection('x', 1)") == {"open_connection"}
    assert ways_out("from urllib.parse import quote") == set()
