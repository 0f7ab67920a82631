"""GoToSocial and the pod under names of their own, over TLS, each with people."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.blackbox.test_own_domains import Resident, choose_address, resident
from tests.kit.mail import MailSink
from tests.kit.process import Server, free_port
from tests.kit.town import Town
from tests.kit.xrpc_client import PASSWORD, XrpcClient
from tests.peers.gotosocial.app import App, eventually

ADMIN = "swordfish"
EMAIL = "alice.test@mail.example"
PEOPLE = ("bob", "eve", "zoe", "ida")
NAMES = ("pods.test", "alice.test", "carol.test", "social.carol.test", "gts.test")
SITES = """
alice.test, social.carol.test {{
    reverse_proxy 127.0.0.1:{pod}
}}
carol.test {{
    redir /.well-known/webfinger https://social.carol.test{{uri}} 302
}}
gts.test {{
    reverse_proxy 127.0.0.1:{gts}
}}
"""


@dataclass
class Stage:
    """A member of the pod, and people of GoToSocial, each with their app."""

    place: Town
    server: Server
    home: Resident
    carol: Resident
    alice: App
    people: dict[str, App]
    mail: MailSink

    @property
    def member(self) -> XrpcClient:
        """alice, as an app of ATProto."""
        return self.home.client

    def put(self, collection: str, rkey: str, record: dict[str, Any]) -> str:
        """Write a record as an ATProto app does; the id of its object."""
        body = {"repo": self.member.session["did"], "collection": collection, "rkey": rkey}
        self.member.post("com.atproto.repo.putRecord", {**body, "record": record})
        return f"https://alice.test/repo/{collection}/{rkey}"

    def delete(self, uri: str) -> None:
        """Delete a record by the id of its object."""
        collection, rkey = uri.split("/repo/")[1].split("/")
        body = {"repo": self.member.session["did"], "collection": collection, "rkey": rkey}
        self.member.post("com.atproto.repo.deleteRecord", body)

    def reports(self) -> str:
        """What the administrator's page says."""
        headers = {"Host": "pods.test"}
        page = httpx.get(
            f"{self.server.address}/admin/federation", auth=("admin", ADMIN), headers=headers
        )
        return page.text

    def letter(self) -> str:
        """The code in the first letter to the member."""
        return self.mail.code_for(EMAIL)

    def blob(self, content: bytes) -> dict[str, Any]:
        """Upload a picture as an ATProto app does."""
        made = self.member.send("com.atproto.repo.uploadBlob", content, "image/png")
        blob: dict[str, Any] = made["blob"]
        return blob


def raise_curtain(place: Town, program: Path, sources: Path) -> Stage:
    """Start everything. ``program`` is GoToSocial, ``sources`` the tree with its web/ folder."""
    port, gts = free_port(), free_port()
    place.front(port, sites=SITES.format(pod=port, gts=gts))
    place.trust_caddy()
    mail = MailSink()
    place.running.callback(mail.close)
    server = place.pod(
        "pods.test",
        port=port,
        COMMONPOD_ADMIN_PASSWORD=ADMIN,
        COMMONPOD_SMTP_URL=mail.url,
        COMMONPOD_EMAIL_FROM="pod@mail.example",
    )
    people = _gotosocial(place, program, sources, gts)
    home = resident(place, server, "alice.test", "alice@alice.test")
    carol = resident(place, server, "social.carol.test", "carol@carol.test")
    choose_address(server, carol)
    alice = App(server.address, "pods.test").let_in("alice.test", PASSWORD)
    return Stage(place, server, home, carol, alice, people, mail)


def _gotosocial(place: Town, program: Path, sources: Path, port: int) -> dict[str, App]:
    environment = {
        "GTS_HOST": "gts.test",
        "GTS_BIND_ADDRESS": "127.0.0.1",
        "GTS_PORT": str(port),
        "GTS_TRUSTED_PROXIES": "127.0.0.1/32",
        "GTS_DB_TYPE": "sqlite",
        "GTS_DB_ADDRESS": str(place.folder / "gts.db"),
        "GTS_STORAGE_LOCAL_BASE_PATH": str(place.folder / "gts"),
        "GTS_WEB_TEMPLATE_BASE_DIR": str(sources / "web" / "template"),
        "GTS_WEB_ASSET_BASE_DIR": str(sources / "web" / "assets"),
        "GTS_HTTP_CLIENT_ALLOW_IPS": "127.0.0.1/32",
        "GTS_LETSENCRYPT_ENABLED": "false",
        "GTS_ADVANCED_RATE_LIMIT_REQUESTS": "0",
        "GTS_ADVANCED_THROTTLING_MULTIPLIER": "0",
        "GTS_LOG_LEVEL": "debug",
        "SSL_CERT_FILE": str(place.trusted),
    }
    place.start("gotosocial", [*place.under, str(program), "server", "start"], environment, port)
    address = f"http://127.0.0.1:{port}"
    eventually(lambda: httpx.get(f"{address}/readyz").status_code == 200)
    for name in PEOPLE:
        _make(program, environment, name)
    return {
        name: App(address, "gts.test").let_in(f"{name}@mail.example", PASSWORD) for name in PEOPLE
    }


def _make(program: Path, environment: dict[str, str], name: str) -> None:
    given = ["--username", name, "--email", f"{name}@mail.example", "--password", PASSWORD]
    subprocess.run(
        [str(program), "admin", "account", "create", *given],
        env={"PATH": "/usr/bin:/bin", **environment},
        check=True,
        capture_output=True,
    )
