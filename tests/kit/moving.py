"""An account with much in it, and what must be the same after it moved."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.atproto.repo.car import read_car
from adapters.atproto.repo.commit import read_commit
from adapters.atproto.repo.foreign import index_of
from pod.records.cid import cid_text
from tests.kit.process import ROOT
from tests.kit.xrpc_client import PASSWORD, XrpcClient

NOW = "2026-11-24T12:00:00.000Z"
POST = "app.bsky.feed.post"
LIKE = "app.bsky.feed.like"
PREFERENCES = [
    {"$type": "app.bsky.actor.defs#adultContentPref", "enabled": False},
    {"$type": "app.bsky.actor.defs#savedFeedsPrefV2", "items": []},
    {"$type": "app.bsky.actor.defs#mutedWordsPref", "items": []},
]


def fill(client: XrpcClient, *, records: int, blobs: int) -> None:
    """Give a signed-in account so many records, so many blobs among them, and preferences."""
    seed = random.Random(7)
    values: list[tuple[str, dict[str, Any]]] = []
    for number in range(blobs):
        body = b"\x89PNG\r\n\x1a\n" + seed.randbytes(2_000 + number)
        blob = client.send("com.atproto.repo.uploadBlob", body, "image/png")["blob"]
        image = {"image": blob, "alt": f"picture {number}"}
        embed = {"$type": "app.bsky.embed.images", "images": [image]}
        values.append((POST, {"text": f"with a picture {number}", "embed": embed}))
    subject = {"uri": f"at://{client.session['did']}/{POST}/3kaaaaaaaaa2b"}
    subject["cid"] = "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"
    for number in range(blobs, records):
        if number % 3:
            values.append((POST, {"text": f"post {number}"}))
        else:
            values.append((LIKE, {"subject": {**subject, "uri": f"{subject['uri'][:-1]}{number}"}}))
    for at in range(0, len(values), 200):
        writes = [
            {
                "$type": "com.atproto.repo.applyWrites#create",
                "collection": kind,
                "value": {"$type": kind, "createdAt": NOW, **value},
            }
            for kind, value in values[at : at + 200]
        ]
        client.post(
            "com.atproto.repo.applyWrites", {"repo": client.session["did"], "writes": writes}
        )
    client.post("app.bsky.actor.putPreferences", {"preferences": PREFERENCES})


@dataclass(frozen=True)
class Snapshot:
    """All of an account that moves: records and blobs by content, preferences."""

    records: dict[str, str]
    blobs: dict[str, int]
    preferences: list[Any]
    rev: str


def snapshot(client: XrpcClient) -> Snapshot:
    """What a host has of the account that is signed in."""
    did = client.session["did"]
    root, blocks = read_car(client.raw("com.atproto.sync.getRepo", did=did))
    commit = read_commit(blocks[root])
    records = {key: cid_text(cid) for key, cid in index_of(commit.data, blocks.get)}
    cids: list[str] = []
    cursor: dict[str, str] = {}
    while page := client.get("com.atproto.sync.listBlobs", did=did, limit=500, **cursor):
        cids += page["cids"]
        if "cursor" not in page or not page["cids"]:
            break
        cursor = {"cursor": page["cursor"]}
    blobs = {cid: len(client.raw("com.atproto.sync.getBlob", did=did, cid=cid)) for cid in cids}
    preferences = client.get("app.bsky.actor.getPreferences")["preferences"]
    kept = [p for p in preferences if p["$type"] != "app.bsky.actor.defs#declaredAgePref"]
    return Snapshot(records, blobs, kept, commit.rev)


def migrate(old: str, new: str, handle: str, folder: Path) -> subprocess.Popen[str]:
    """``commonpod migrate`` at a terminal that tests write to."""
    command = [sys.executable, "-m", "server", "migrate", handle, "--dev"]
    command += ["--from", old, "--to", new, "--folder", str(folder)]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "MIGRATE_PASSWORD": PASSWORD, "MIGRATE_NEW_PASSWORD": PASSWORD},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
