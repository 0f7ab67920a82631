"""Invariant 1: with all that is derived dropped and made anew, every protocol answers the same."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from server.check import check
from server.rebuild import rebuild
from tests.kit.crash import AS2, POST, CrashPod
from tests.kit.crash_operations import PutBinary, PutDocument, UploadBlob, post
from tests.kit.crash_peers import Fediverse, Follow, fediverse

pytestmark = pytest.mark.slow

FORMS = (
    "text/html",
    AS2,
    "application/json",
    "text/turtle",
    "application/ld+json",
    "application/vnd.ipld.dag-cbor",
)
CHANGING = frozenset({"date"})
BLOB = re.compile(r"bafkrei[a-z2-7]{52}")

Place = tuple[str, str, str]
"""Host, path with query, and Accept."""


def fill(pod: CrashPod, peers: Fediverse) -> list[str]:
    """Write in all dialects; returns the record keys, of which the last is deleted."""
    keys = [f"3kaaaaaaaaa2{letter}" for letter in "abcdef"]
    for number, rkey in enumerate(keys[:-1]):
        reply = {}
        if number == 1:
            parent = pod.ask(
                "GET",
                f"/xrpc/com.atproto.repo.getRecord?repo={pod.did}&collection={POST}&rkey={keys[0]}",
            ).json
            ref = {"uri": parent["uri"], "cid": parent["cid"]}
            reply = {"reply": {"root": ref, "parent": ref}}
        create(pod, POST, rkey, post(f"number {number} of https://example.com", **reply))
    create(pod, POST, keys[-1], post("gone"))
    body = {"repo": pod.did, "collection": POST, "rkey": keys[-1]}
    assert pod.xrpc("com.atproto.repo.deleteRecord", body).status == 200
    profile = {"$type": "app.bsky.actor.profile", "displayName": "Alice", "description": "Hello"}
    create(pod, "app.bsky.actor.profile", "self", profile)
    liked = {"uri": f"at://{pod.did}/{POST}/{keys[0]}", "cid": parent["cid"]}
    when = {"createdAt": "2026-11-24T12:00:00.000Z"}
    create(pod, "app.bsky.feed.like", keys[0], {"subject": liked} | when)
    create(pod, "app.bsky.graph.follow", keys[0], {"subject": pod.did} | when)
    create(pod, "org.example.odd", keys[0], {"deep": [{"er": {"$bytes": "AAEC"}}, None, -1]})
    assert UploadBlob().act(pod, 7).status == 200
    assert UploadBlob().is_done(pod, 7)
    assert PutDocument().act(pod, 1).status == 201
    assert PutBinary().act(pod, 2).status == 201
    follow = Follow(peers)
    assert follow.act(pod, 3).status == 202
    follow.finish(pod, 3, is_acknowledged=True)
    return keys


def for_friends(pod: CrashPod) -> list[str]:
    """Say something to followers alone, with a picture; the paths of both."""
    cid = pod.upload(b"\x89PNG\r\n\x1a\n for friends").json["blob"]["ref"]["$link"]
    note = {
        "type": "Note",
        "content": "psst",
        "to": [f"http://{pod.home}/followers"],
        "attachment": [{"type": "Image", "url": f"http://{pod.home}/blobs/{cid}"}],
    }
    headers = {**pod.signed_in, "Content-Type": AS2}
    made = pod.ask("POST", "/outbox", json.dumps(note).encode(), host=pod.home, headers=headers)
    assert made.status == 201, made
    path = dict(made.headers)["location"].partition(pod.home)[2]
    shown = pod.ask("GET", path, host=pod.home, accept=AS2, headers=pod.signed_in).json
    file = shown["attachment"][0]["url"].partition(pod.home)[2]
    assert pod.ask("GET", file, host=pod.home).status == 200
    return [path, file, f"/blobs/{cid}"]


def create(pod: CrashPod, collection: str, rkey: str, record: object) -> None:
    body = {"repo": pod.did, "collection": collection, "rkey": rkey, "record": record}
    answer = pod.xrpc("com.atproto.repo.createRecord", body)
    assert answer.status == 200, answer


def places(pod: CrashPod, keys: list[str]) -> list[Place]:
    """Every URL that is asked for, in every form."""
    server, home, did = f"localhost:{pod.port}", pod.home, f"did={pod.did}"
    repo = f"repo={pod.did}"
    lists = ("app.bsky.actor.profile", POST, "app.bsky.feed.like", "org.example.odd")
    blobs = BLOB.findall(pod.ask("GET", f"/xrpc/com.atproto.sync.listBlobs?{did}").body.decode())
    assert blobs
    xrpc = [
        "com.atproto.server.describeServer",
        "com.atproto.identity.resolveHandle?handle=alice.test",
        f"com.atproto.repo.describeRepo?{repo}",
        *(f"com.atproto.repo.listRecords?{repo}&collection={name}" for name in lists),
        *(f"com.atproto.repo.getRecord?{repo}&collection={POST}&rkey={rkey}" for rkey in keys),
        *(f"com.atproto.sync.getRecord?{did}&collection={POST}&rkey={rkey}" for rkey in keys),
        f"com.atproto.sync.getRepo?{did}",
        f"com.atproto.sync.getRepo?{did}&since=2222222222222",
        f"com.atproto.sync.getLatestCommit?{did}",
        f"com.atproto.sync.getRepoStatus?{did}",
        f"com.atproto.sync.listBlobs?{did}",
        "com.atproto.sync.listRepos",
        *(f"com.atproto.sync.getBlob?{did}&cid={cid}" for cid in blobs),
        f"app.bsky.actor.getProfile?actor={pod.did}",
    ]
    web = [
        *("/", "/me", "/profile/card", "/identity.json", "/repo/", "/data/", "/data/box1/"),
        *("/data/box1/thing", "/data/box2/thing", "/outbox", "/liked"),
        *("/followers", "/followers?page=0", "/following", "/featured", "/feed.atom", "/feed.rss"),
        *("/.well-known/did.json", "/.well-known/atproto-did", "/.well-known/host-meta"),
        f"/.well-known/webfinger?resource=acct:alice@{home}",
        *(f"/repo/{POST}/{rkey}" for rkey in keys),
        *linked(pod, f"/repo/{POST}/{keys[0]}", "likes", "replies", "shares"),
        *linked(pod, "/outbox", "first"),
        "/repo/app.bsky.actor.profile/self",
        f"/repo/app.bsky.feed.like/{keys[0]}",
        f"/repo/org.example.odd/{keys[0]}",
        f"/repo/org.example.odd/{keys[1]}",
    ]
    return [
        *((server, f"/xrpc/{method}", "*/*") for method in xrpc),
        *((server, path, "*/*") for path in ("/", "/actor", "/.well-known/nodeinfo")),
        *((home, path, form) for path in web for form in FORMS),
    ]


def linked(pod: CrashPod, path: str, *names: str) -> list[str]:
    """Paths that an AS2 document leads to."""
    document = pod.ask("GET", path, host=pod.home, accept=AS2).json
    urls = [document[name] for name in names if name in document]
    assert urls
    found = [url if isinstance(url, str) else url["id"] for url in urls]
    return [url.partition(pod.home)[2] for url in found]


def answers(pod: CrashPod, wanted: list[Place]) -> dict[Place, tuple[int, object, bytes]]:
    """Status, headers and body of each, for the member and for everybody."""
    found: dict[Place, tuple[int, object, bytes]] = {}
    for place in wanted:
        host, path, form = place
        for headers in ({}, pod.signed_in if host == pod.home else {}):
            answer = pod.ask("GET", path, host=host, accept=form, headers=headers)
            kept = [pair for pair in answer.headers if pair[0].lower() not in CHANGING]
            found[(*place[:2], f"{form} {bool(headers)}")] = answer.status, kept, answer.body
    return found


def drop_derived(data_dir: Path) -> None:
    """Forget what the native bytes imply: references, counts, subjects, caches, all indexes."""
    with closing(sqlite3.connect(data_dir / "pod.sqlite")) as connection:
        for statement in (
            "DELETE FROM blob_ref",
            "UPDATE usage SET bytes = 0",
            "UPDATE resource SET subject = NULL WHERE path LIKE '/repo/%'",
            "DELETE FROM remote_actor",
            "REINDEX",
        ):
            connection.execute(statement)
        connection.commit()
        connection.execute("VACUUM")


def test_what_is_derived_can_be_dropped(tmp_path: Path) -> None:
    pod = CrashPod(tmp_path / "data")
    pod.open()
    try:
        with fediverse() as peers:
            keys = fill(pod, peers)
            wanted = places(pod, keys)
            wanted += [(pod.home, path, AS2) for path in for_friends(pod)]
            before, frames = answers(pod, wanted), pod.replay()
            assert {status for status, *_ in before.values()} == {200, 303, 400, 401, 404, 406, 410}
            pod.server.stop()
            drop_derived(pod.data_dir)
            asyncio.run(rebuild(pod.data_dir))
            pod.start()
            after = answers(pod, wanted)
            assert after == before, [place for place in before if before[place] != after[place]]
            assert pod.replay() == frames
            assert list(check(pod.data_dir)) == []
    finally:
        pod.kill()
