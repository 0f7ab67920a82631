"""uploadBlob, listMissingBlobs, getBlob, listBlobs through the application."""

from __future__ import annotations

from pod.records.cid import cid_text, raw_cid
from tests.kit.xrpc import Pod, in_pod

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
GET = "com.atproto.sync.getBlob"
LIST = "com.atproto.sync.listBlobs"
MISSING = "com.atproto.repo.listMissingBlobs"


def with_image(blob):
    image = {"alt": "a picture", "image": blob}
    return {"embed": {"$type": "app.bsky.embed.images", "images": [image]}}


def test_a_blob_is_shown_once_a_record_refers_to_it():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        blob = (await pod.upload(PNG, "image/png", alice.access)).json["blob"]
        cid = cid_text(raw_cid(PNG))
        assert blob == {
            "$type": "blob",
            "ref": {"$link": cid},
            "mimeType": "image/png",
            "size": len(PNG),
        }
        hidden = await pod.get(GET, did=alice.did, cid=cid)
        assert (hidden.status, hidden.error) == (400, "BlobNotFound")
        assert (await pod.get(LIST, did=alice.did)).json == {"cids": []}
        await pod.write_post(alice, "look", **with_image(blob))
        shown = await pod.get(GET, did=alice.did, cid=cid)
        assert shown.body == PNG
        assert shown.headers["content-type"] == "image/png"
        assert shown.headers["content-length"] == str(len(PNG))
        assert shown.headers["x-content-type-options"] == "nosniff"
        assert shown.headers["content-disposition"] == f'attachment; filename="{cid}"'
        assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert (await pod.get(LIST, did=alice.did)).json == {"cids": [cid], "cursor": cid}

    in_pod(story)


def test_what_the_bytes_show_wins_over_what_was_declared():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        for body, declared, kept in (
            (PNG, "text/html", "image/png"),
            (b"hello", "text/plain; charset=utf-8", "text/plain"),
            (b"hello", "*/*", "application/octet-stream"),
        ):
            reply = await pod.upload(body, declared, alice.access)
            assert reply.json["blob"]["mimeType"] == kept

    in_pod(story)


def test_an_upload_over_the_limit_or_without_a_member_is_refused():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        before = pod.state()
        big = await pod.upload(b"x" * 100_001, "text/plain", alice.access)
        assert big.status == 413
        nobody = await pod.ask("POST", "/xrpc/com.atproto.repo.uploadBlob", body=PNG)
        assert nobody.error == "AuthMissing"
        assert (await pod.upload(b"", "text/plain", alice.access)).status == 400
        path = "/xrpc/com.atproto.repo.uploadBlob"
        untyped = await pod.ask("POST", path, body=PNG, token=alice.access)
        assert untyped.status == 400
        assert pod.state() == before

    in_pod(story)


def test_a_record_may_not_refer_to_a_blob_that_is_not_here_or_another_type():
    async def story(pod: Pod):
        alice, bob = await pod.join("alice"), await pod.join("bob")
        blob = (await pod.upload(PNG, "image/png", bob.access)).json["blob"]
        record = {"text": "look", "createdAt": "2026-01-02T03:04:05.678Z"} | with_image(blob)
        given = {"repo": alice.did, "collection": "app.bsky.feed.post", "record": record}
        reply = await pod.post("com.atproto.repo.createRecord", given, alice.access)
        assert (reply.status, reply.error) == (400, "BlobNotFound")
        await pod.upload(PNG, "image/png", alice.access)
        blob["mimeType"] = "image/jpeg"
        reply = await pod.post("com.atproto.repo.createRecord", given, alice.access)
        assert (reply.status, reply.error) == (400, "InvalidMimeType")

    in_pod(story)


def test_a_blob_of_one_member_is_not_found_at_another():
    async def story(pod: Pod):
        alice, bob = await pod.join("alice"), await pod.join("bob")
        blob = (await pod.upload(PNG, "image/png", alice.access)).json["blob"]
        await pod.write_post(alice, "look", **with_image(blob))
        reply = await pod.get(GET, did=bob.did, cid=blob["ref"]["$link"])
        assert reply.error == "BlobNotFound"

    in_pod(story)


def test_blobs_of_imported_records_are_missing_until_they_are_uploaded():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        blob = (await pod.upload(PNG, "image/png", alice.access)).json["blob"]
        made = await pod.write_post(alice, "look", **with_image(blob))
        car = (await pod.get("com.atproto.sync.getRepo", did=alice.did)).body
        row = pod.store.blob(alice.member.id, raw_cid(PNG))
        await pod.store.write(lambda tx: tx.delete_blob(alice.member.id, row.cid))
        await pod.ask(
            "POST",
            "/xrpc/com.atproto.repo.importRepo",
            body=car,
            headers={"content-type": "application/vnd.ipld.car"},
            token=alice.access,
        )
        cid = blob["ref"]["$link"]
        missing = await pod.get(MISSING, alice.access)
        assert missing.json == {
            "blobs": [{"cid": cid, "recordUri": made["uri"]}],
            "cursor": cid,
        }
        assert (await pod.get(MISSING, alice.access, cursor=cid)).json == {"blobs": []}
        await pod.upload(PNG, "image/png", alice.access)
        assert (await pod.get(MISSING, alice.access)).json == {"blobs": []}
        assert (await pod.get(GET, did=alice.did, cid=cid)).body == PNG

    in_pod(story)


def test_an_upload_is_no_activity_of_the_server():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        kind = "application/activity+json"
        blob = (await pod.upload(b'{"id":"http://x"}', kind, alice.access)).json["blob"]
        await pod.write_post(alice, "look", file=blob)
        found = await pod.get(GET, did=alice.did, cid=blob["ref"]["$link"])
        assert found.headers["content-type"] == "application/octet-stream"

    in_pod(story)


def test_a_blob_is_served_in_ranges_and_not_again_to_who_has_it():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        body = b"\x89PNG\r\n\x1a\n" + bytes(range(100))
        blob = (await pod.upload(body, "image/png", alice.access)).json["blob"]
        image = {"$type": "app.bsky.embed.images", "images": [{"image": blob, "alt": ""}]}
        await pod.write_post(alice, "look", embed=image)
        cid = blob["ref"]["$link"]
        asked = {"did": alice.did, "cid": cid}
        path = "/xrpc/com.atproto.sync.getBlob"
        whole = await pod.ask("GET", path, asked)
        assert whole.headers["etag"] == f'"{cid}"'
        assert whole.headers["accept-ranges"] == "bytes"
        assert whole.headers["cache-control"].startswith("public")
        assert whole.headers["vary"] == "Authorization"
        part = await pod.ask("GET", path, asked, headers={"range": "bytes=8-17"})
        assert (part.status, part.body) == (206, bytes(range(10)))
        assert part.headers["content-range"] == "bytes 8-17/108"
        assert part.headers["content-length"] == "10"
        far = await pod.ask("GET", path, asked, headers={"range": "bytes=500-"})
        assert (far.status, far.headers["content-range"]) == (416, "bytes */108")
        known = await pod.ask("GET", path, asked, headers={"if-none-match": f'"{cid}"'})
        assert (known.status, known.body) == (304, b"")
        stale = {"range": "bytes=0-1", "if-range": '"other"'}
        assert (await pod.ask("GET", path, asked, headers=stale)).body == body

    in_pod(story)
