"""Opens a member's pod in the real SolidOS data browser, in Chromium, and looks at what it shows.

    python -m tests.peers.solidos

Each line is a page: how long until all that was expected stood there, or what was missing, and
what the pod refused meanwhile. Screenshots are kept under build/screenshots.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx

from tests.kit.browser import SCREENSHOTS
from tests.kit.node import node_binary
from tests.kit.process import ROOT, running
from tests.kit.story import picture
from tests.kit.xrpc_client import PASSWORD, XrpcClient

FOLDER = Path(__file__).parent
RENAMED = "Alice of the Sunflowers"
PROFILE = "app.bsky.actor.profile"
POST = "app.bsky.feed.post"
NOW = "2026-11-24T12:00:00.000Z"
PUBLIC = """@prefix acl: <http://www.w3.org/ns/auth/acl#> .
<#all> a acl:Authorization ; acl:accessTo <./> ; acl:default <./> ; acl:mode acl:Read ;
  acl:agentClass <http://xmlns.com/foaf/0.1/Agent> .
<#own> a acl:Authorization ; acl:accessTo <./> ; acl:default <./> ; acl:agent </me> ;
  acl:mode acl:Read, acl:Write, acl:Control ."""
CARD = """@prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
<#it> a vcard:Individual ; vcard:fn "Bob Gardener" ; vcard:note "Knows about soil" ."""


def furnish(client: XrpcClient, address: str, host: str) -> None:
    """A profile with a photo, a post, an event, and documents, private and public."""
    photo = client.send("com.atproto.repo.uploadBlob", picture("olive"), "image/png")["blob"]
    records: list[tuple[str, str | None, dict[str, Any]]] = [
        (PROFILE, "self",
         {"displayName": "Alice Example", "description": "Grows sunflowers.", "avatar": photo}),
        (POST, None, {"text": "The sunflowers are up", "createdAt": NOW}),
        ("community.lexicon.calendar.event", None,
         {"name": "Harvest", "startsAt": NOW, "createdAt": NOW}),
    ]  # fmt: skip
    for collection, rkey, record in records:
        given: dict[str, Any] = {
            "repo": client.session["did"],
            "collection": collection,
            "record": {"$type": collection} | record,
        }
        client.post(
            "com.atproto.repo.putRecord" if rkey else "com.atproto.repo.createRecord",
            given | ({"rkey": rkey} if rkey else {}),
        )
    own = {
        "Authorization": f"Bearer {client.token}",
        "Content-Type": "text/turtle",
        "Host": host,
    }
    for path, body in (
        ("/data/people/bob", CARD),
        ("/data/people/.acl", PUBLIC),
        ("/data/diary/today", '<#it> <http://purl.org/dc/terms/title> "A secret day" .'),
    ):
        httpx.put(address + path, content=body, headers=own).raise_for_status()


def main() -> int:
    """Run everything; 1 if a page did not show what it should."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("there is no chromium")
        return 1
    subprocess.run([ROOT / "scripts" / "peers", FOLDER.relative_to(ROOT)], check=True)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "pod") as server:
        client = XrpcClient(server.url)
        client.join("alice")
        origin = server.origin("alice")
        furnish(client, server.address, origin.removeprefix("http://"))
        [post] = client.get(
            "com.atproto.repo.listRecords", repo=client.session["did"], collection=POST
        )["records"]
        posts = f"{origin}/repo/{POST}/"
        pages = [
            {"name": "profile", "url": f"{origin}/me", "awaits": ["Alice Example", "sunflowers"]},
            {"name": "card", "url": f"{origin}/profile/card#me", "awaits": ["Alice Example"]},
            {"name": "repo", "url": f"{origin}/repo/", "awaits": [POST]},
            {
                "name": "post",
                "url": posts + post["uri"].rpartition("/")[2],
                "awaits": ["The sunflowers are up", "Alice Example"],
            },
            {"name": "person", "url": f"{origin}/data/people/bob#it", "awaits": ["Bob Gardener"]},
            {
                "name": "storage",
                "url": f"{origin}/data/",
                "login": {
                    "start": f"{origin}/profile/card",
                    "issuer": server.url,
                    "name": "alice.test",
                    "password": PASSWORD,
                },
                "rename": RENAMED,
                "awaits": ["diary", "people", f"{origin}/me"],
            },
            {
                "name": "index",
                "url": f"{origin}/settings/privateTypeIndex",
                "token": client.token,
                "awaits": ["Unlisted Document"],
            },
        ]
        wrong = browsed(chromium, pages)
        told = {"repo": client.session["did"], "collection": PROFILE, "rkey": "self"}
        name = client.get("com.atproto.repo.getRecord", **told)["value"]["displayName"]
        print(f"the name that the app saved, in the repository: {name}")
        return wrong or int(name != RENAMED)


def browsed(chromium: str, pages: list[dict[str, Any]]) -> int:
    """Open each page and print what came of it; 1 if something was missing or refused."""
    script = FOLDER / "browse.mjs"
    seen = subprocess.run(
        [node_binary(), script, chromium, SCREENSHOTS, json.dumps(pages)],
        stdout=subprocess.PIPE,
        text=True,
        timeout=300,
        check=True,
    )
    wrong = 0
    for line in seen.stdout.splitlines():
        page = json.loads(line)
        # An app that was let in to see and to change may not decide who else sees.
        refused = [r for r in page["refused"] if not (r.startswith("403") and r.endswith(".acl"))]
        is_well = not page["missing"] and not refused
        wrong += not is_well
        said = "ok " if is_well else f"NOT {page['missing']} {refused} {page['text']!r} "
        print(f"{said} {page['took'] / 1000:.2f} s  {page['name']}")
    print("all shown" if not wrong else f"{wrong} of {len(pages)} pages not as they should be")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
