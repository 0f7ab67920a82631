"""What was taken down or deleted is gone from every protocol at once."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from server.check import check
from tests.kit.whole import AS2, JSON_LD, PASSWORD, POST, TURTLE, Person, Whole, open_whole

KEY, OTHER = "3kaaaaaaaaa22", "3kaaaaaaaaa23"
ADMIN = {
    "authorization": "Basic " + b64encode(b"admin:swordfish").decode(),
    "content-type": "application/json",
}
PIXELS = b"\x89PNG\r\n\x1a\n" + b"x" * 64
READERS = ("text/html", AS2, TURTLE, JSON_LD, "application/json")
SPARQL = "/sparql?query=SELECT%20*%20%7B%20GRAPH%20?g%20%7B%20?s%20?p%20?o%20%7D%20%7D"
LISTS = (
    ("/", "text/html"),
    ("/outbox", AS2),
    ("/outbox?page=", AS2),
    ("/feed.atom", "*/*"),
    ("/feed.json", "*/*"),
    (f"/repo/{POST}/", TURTLE),
    (SPARQL, "text/csv"),
)


async def as_admin(whole: Whole, nsid: str, given: Any) -> None:
    target = f"/xrpc/com.atproto.admin.{nsid}"
    reply = await whole.send("POST", target, json.dumps(given), headers=ADMIN)
    assert reply.status == 200, reply.body


async def write(whole: Whole, alice: Person, key: str, text: str, **more: Any) -> Any:
    record = {"text": text, "createdAt": "2026-01-01T00:00:00Z"} | more
    reply = await whole.put_record(alice, key, record)
    assert reply.status == 200, reply.body
    return reply.json


async def seen(whole: Whole, alice: Person, key: str, word: str) -> set[str]:
    """Where a post is shown."""
    origin, found = alice.member.origin, set()
    for accept in READERS:
        reply = await whole.ask("GET", origin + alice.path(key), accept=accept)
        found |= {f"as {accept}"} if reply.status == 200 else set()
    for page, accept in LISTS:
        reply = await whole.ask("GET", origin + page, accept=accept)
        found |= (
            {f"in {page}"} if word.encode() in reply.body or key.encode() in reply.body else set()
        )
    where = {"repo": alice.member.did, "collection": POST}
    listed = await whole.query("com.atproto.repo.listRecords", **where)
    got = await whole.query("com.atproto.repo.getRecord", **where, rkey=key)
    found |= {"listRecords"} if word.encode() in listed.body else set()
    return found | ({"getRecord"} if got.status == 200 else set())


def test_a_record_that_was_taken_down_is_in_no_view_and_comes_back_into_each(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with open_whole(tmp_path, admin_password="swordfish") as whole:
            alice = await whole.join("alice")
            await write(whole, alice, OTHER, "harmless")
            made = await write(whole, alice, KEY, "scandalous")
            everywhere = await seen(whole, alice, KEY, "scandalous")
            assert {"as text/html", f"as {AS2}", f"as {TURTLE}", "in /", "getRecord"} <= everywhere
            assert f"in {SPARQL}" in everywhere
            subject = {
                "$type": "com.atproto.repo.strongRef",
                "uri": made["uri"],
                "cid": made["cid"],
            }
            body = {"subject": subject, "takedown": {"applied": True}}
            await as_admin(whole, "updateSubjectStatus", body)
            assert await seen(whole, alice, KEY, "scandalous") == set()
            assert await seen(whole, alice, OTHER, "harmless") >= {"in /", "getRecord"}
            body["takedown"] = {"applied": False}
            await as_admin(whole, "updateSubjectStatus", body)
            assert await seen(whole, alice, KEY, "scandalous") == everywhere

    asyncio.run(story())


def test_a_takedown_outlives_a_restart(tmp_path: Path) -> None:
    async def story() -> None:
        async with open_whole(tmp_path, admin_password="swordfish") as whole:
            alice = await whole.join("alice")
            made = await write(whole, alice, KEY, "scandalous")
            subject = {
                "$type": "com.atproto.repo.strongRef",
                "uri": made["uri"],
                "cid": made["cid"],
            }
            body = {"subject": subject, "takedown": {"applied": True}}
            await as_admin(whole, "updateSubjectStatus", body)
        async with open_whole(tmp_path) as whole:
            assert await seen(whole, alice, KEY, "scandalous") == set()

    asyncio.run(story())


def test_a_blob_that_was_taken_down_is_served_at_none_of_its_addresses(tmp_path: Path) -> None:
    async def story() -> None:
        async with open_whole(tmp_path, admin_password="swordfish") as whole:
            alice = await whole.join("alice")
            blob = await whole.upload(alice, PIXELS)
            embed = {"$type": "app.bsky.embed.images", "images": [{"image": blob, "alt": ""}]}
            await write(whole, alice, KEY, "look", embed=embed)
            cid, did = blob["ref"]["$link"], alice.member.did
            page = f"{alice.member.origin}/blobs/{cid}"
            assert (await whole.ask("GET", page)).body == PIXELS
            subject = {"$type": "com.atproto.admin.defs#repoBlobRef", "did": did, "cid": cid}
            body = {"subject": subject, "takedown": {"applied": True}}
            await as_admin(whole, "updateSubjectStatus", body)
            assert (await whole.ask("GET", page)).status == 404
            got = await whole.query("com.atproto.sync.getBlob", did=did, cid=cid)
            assert got.status == 400

    asyncio.run(story())


def test_nothing_of_a_deleted_account_is_left_but_its_name(tmp_path: Path) -> None:
    async def story() -> None:
        async with open_whole(tmp_path, admin_password="swordfish") as whole:
            alice, bob = await whole.join("alice"), await whole.join("bob")
            await whole.make_keys(alice)
            blob = await whole.upload(alice, PIXELS)
            embed = {"$type": "app.bsky.embed.images", "images": [{"image": blob, "alt": ""}]}
            await write(whole, alice, KEY, "look", embed=embed)
            await write(whole, bob, KEY, "still here")
            put = await whole.ask(
                "PUT",
                f"{alice.member.origin}/data/diary",
                "dear diary",
                as_=alice,
                content_type="text/plain",
            )
            assert put.status == 201
            await as_admin(whole, "deleteAccount", {"did": alice.member.did})
            assert await seen(whole, alice, KEY, "look") == set()
            for path in ("/", "/me", "/data/diary", f"/blobs/{blob['ref']['$link']}"):
                assert (await whole.ask("GET", alice.member.origin + path)).status in (404, 410)
            rows = await whole.rows()
            own = alice.member.id
            left = {
                table: [row for row in found if row[0] == own]
                for table, found in rows.items()
                if table in ("resource", "tombstone", "blob", "key_vault", "repo", "preference")
            }
            # The key of the actor signs its Delete, and goes when that has arrived everywhere.
            left["key_vault"] = [row for row in left["key_vault"] if row[1] != "actor-rsa"]
            assert not any(left.values()), left
            assert not [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
            assert await seen(whole, bob, KEY, "still here") >= {"in /", "getRecord"}
            login = {"identifier": "alice.test", "password": PASSWORD}
            assert (await whole.call("com.atproto.server.createSession", login)).status == 401
        assert list(check(tmp_path)) == []

    asyncio.run(story())


def test_a_proxy_is_told_for_which_names_somebody_lives_here(tmp_path: Path) -> None:
    async def story() -> None:
        async with open_whole(tmp_path) as whole:
            alice = await whole.join("alice")
            for domain, status in (
                (alice.member.host, 200),
                (alice.member.host.upper(), 200),
                ("localhost:2583", 200),
                ("nobody.localhost:2583", 404),
                ("evil.example", 404),
                ("", 400),
            ):
                reply = await whole.send("GET", f"/tls-check?domain={domain}")
                assert reply.status == status, domain

    asyncio.run(story())
