"""Signs a member in to the real Phanpy in Chromium, reads and writes with it.

    python -m tests.peers.phanpy DIST

DIST is the app as its own `npm run build` leaves it. Needs Caddy, Chromium and the right to mount
(root). Screenshots are kept under build/screenshots.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.blackbox.test_own_domains import resident
from tests.kit.browser import SCREENSHOTS
from tests.kit.node import node_binary, peers_folder
from tests.kit.process import free_port
from tests.kit.story import picture
from tests.kit.town import Town, needs
from tests.kit.xrpc_client import PASSWORD
from tests.peers.gotosocial.app import App

NAMES = ("pods.test", "alice.test", "bob.test", "phanpy.test")
SITES = """
alice.test, bob.test {{
    reverse_proxy 127.0.0.1:{pod}
}}
phanpy.test {{
    root * {dist}
    file_server
}}
"""


def main() -> int:
    """Two members, one of them with the app; 1 if something did not hold."""
    dist = Path(sys.argv[1]).resolve()
    needs("caddy", "chromium")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        place = Town(Path(folder), list(NAMES), running)
        port = free_port()
        place.front(port, sites=SITES.format(pod=port, dist=dist))
        place.trust_caddy()
        server = place.pod("pods.test", port=port)
        people = {}
        for name in ("alice", "bob"):
            resident(place, server, f"{name}.test", f"{name}@{name}.test")
            people[name] = App(server.address, "pods.test").let_in(f"{name}.test", PASSWORD)
        _talk(people["alice"], people["bob"])
        asked = {
            "app": "https://phanpy.test",
            "instance": "pods.test",
            "name": "alice.test",
            "password": PASSWORD,
            "expects": ["What shall we plant?", "beans", "the secret of good soil"],
            "says": "Beans it is, from a real app",
        }
        script = Path(__file__).with_name("browse.mjs")
        home = peers_folder() / script.name  # where Node finds the library
        shutil.copy(script, home)
        try:
            command = [
                node_binary(),
                home,
                shutil.which("chromium"),
                SCREENSHOTS,
                json.dumps(asked),
            ]
            return subprocess.run(command, check=False).returncode
        finally:
            home.unlink()


def _talk(alice: App, bob: App) -> None:
    """Posts of every kind for a timeline, and notifications of every kind."""
    for one, other in ((alice, "@bob@bob.test"), (bob, "@alice@alice.test")):
        one.post(f"/api/v1/accounts/{one.find(other)['id']}/follow")
    poll = {"options": ["beans", "peas"], "expires_in": 3600}
    bob.post("/api/v1/statuses", {"status": "What shall we plant?", "poll": poll})
    warned = {"status": "Compost.", "spoiler_text": "the secret of good soil"}
    bob.post("/api/v1/statuses", warned)
    media = [bob.upload(picture("green"), "a green square")]
    bob.post("/api/v1/statuses", {"status": "My #garden, @alice@alice.test", "media_ids": media})
    made = alice.post("/api/v1/statuses", {"status": "The first day of spring"})
    for verb in ("favourite", "reblog"):
        bob.post(f"/api/v1/statuses/{made['id']}/{verb}")
    bob.post(
        "/api/v1/statuses", {"status": "@alice@alice.test soon!", "in_reply_to_id": made["id"]}
    )


sys.exit(main())
