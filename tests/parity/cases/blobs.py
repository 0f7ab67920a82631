"""Pictures and other files: uploaded, referred to, served, let go."""

from __future__ import annotations

import gzip
import time
from hashlib import sha256

import libipld

from tests.parity.listing import differs
from tests.parity.subject import PROFILE, Account, Json, Subject, cid_text, post, rkey_of, write

UNKNOWN = "com.example.file"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
JPEG = bytes.fromhex("ffd8ffe000104a46494600010101004800480000ffdb004300" + "01" * 64 + "ffd9")
GONE_WITHIN_S = 5


def _file(blob: Json, **more: object) -> Json:
    return {"$type": UNKNOWN, "file": blob, **more}


def _served(alice: Account, blob: Json) -> int:
    where = {"did": alice.did, "cid": blob["ref"]["$link"]}
    status: int = alice.server.anyone.ask("GET", "sync.getBlob", params=where).status_code
    return status


def _is_let_go(alice: Account, blob: Json) -> bool:
    until = time.monotonic() + GONE_WITHIN_S
    while time.monotonic() < until:
        if _served(alice, blob) == 400:
            return True
        time.sleep(0.05)
    return False


def an_upload_gives_a_reference(server: Subject) -> None:
    blob = server.member().upload(PNG)
    cid = cid_text(b"\x01\x55\x12\x20" + sha256(PNG).digest())
    assert blob == {
        "$type": "blob",
        "ref": {"$link": cid},
        "mimeType": "image/png",
        "size": len(PNG),
    }


def nobody_uploads_without_signing_in(server: Subject) -> None:
    answer = server.anyone.ask("POST", "repo.uploadBlob", content=PNG)
    assert (answer.status_code, answer.json()["error"]) == (401, "AuthMissing")


def a_blob_is_not_served_before_a_record_refers_to_it(server: Subject) -> None:
    alice = server.member()
    assert _served(alice, alice.upload(PNG)) == 400


def a_blob_is_not_listed_before_a_record_refers_to_it(server: Subject) -> None:
    alice = server.member()
    alice.upload(PNG)
    assert server.anyone.get("sync.listBlobs", did=alice.did)["cids"] == []


def a_blob_is_served_when_a_record_refers_to_it(server: Subject) -> None:
    alice = server.member()
    blob = alice.upload(PNG)
    alice.put("self", {"$type": PROFILE, "avatar": blob})
    where = {"did": alice.did, "cid": blob["ref"]["$link"]}
    answer = server.anyone.ask("GET", "sync.getBlob", params=where)
    assert (answer.status_code, answer.content) == (200, PNG)
    assert answer.headers["content-type"] == "image/png"


def a_blob_is_served_so_that_no_browser_runs_it(server: Subject) -> None:
    alice = server.member()
    blob = alice.upload(b"<script>alert(1)</script>", "text/html")
    alice.create(_file(blob))
    where = {"did": alice.did, "cid": blob["ref"]["$link"]}
    headers = server.anyone.ask("GET", "sync.getBlob", params=where).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-disposition"].startswith("attachment")
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "sandbox" in headers["content-security-policy"]


def a_blob_tells_its_length(server: Subject) -> None:
    alice = server.member()
    blob = alice.upload(PNG)
    alice.create(_file(blob))
    where = {"did": alice.did, "cid": blob["ref"]["$link"]}
    answer = server.anyone.ask("GET", "sync.getBlob", params=where)
    assert answer.headers["content-length"] == str(len(PNG))


def a_blob_is_listed_when_a_record_refers_to_it(server: Subject) -> None:
    alice = server.member()
    blob = alice.upload(PNG)
    alice.create(_file(blob))
    assert server.anyone.get("sync.listBlobs", did=alice.did)["cids"] == [blob["ref"]["$link"]]


def a_blob_that_two_records_show_is_listed_once(server: Subject) -> None:
    alice = server.member()
    blob = alice.upload(PNG)
    alice.create(_file(blob, n=1))
    alice.create(_file(blob, n=2))
    assert len(server.anyone.get("sync.listBlobs", did=alice.did)["cids"]) == 1


def blobs_are_listed_in_pages(server: Subject) -> None:
    alice = server.member()
    blobs = [alice.upload(bytes([n]) * 20, "application/octet-stream") for n in range(5)]
    alice.apply(*[write("create", value=_file(blob)) for blob in blobs])
    seen: list[str] = []
    cursor: Json = {}
    for _ in range(3):
        page = server.anyone.get("sync.listBlobs", did=alice.did, limit=2, **cursor)
        seen += page["cids"]
        cursor = {"cursor": page["cursor"]}
    assert sorted(seen) == sorted(blob["ref"]["$link"] for blob in blobs)


def blobs_are_listed_since_a_rev(server: Subject) -> None:
    alice = server.member()
    alice.create(_file(alice.upload(b"old", "text/plain")))
    rev = alice.head()["rev"]
    new = alice.upload(b"new", "text/plain")
    alice.create(_file(new))
    page = server.anyone.get("sync.listBlobs", did=alice.did, since=rev)
    assert page["cids"] == [new["ref"]["$link"]]


def what_the_bytes_show_wins_over_what_is_declared(server: Subject) -> None:
    assert server.member().upload(JPEG, "image/png")["mimeType"] == "image/jpeg"


def a_picture_declared_as_text_is_a_picture(server: Subject) -> None:
    assert server.member().upload(PNG, "text/plain")["mimeType"] == "image/png"


def text_is_taken_as_declared(server: Subject) -> None:
    assert server.member().upload(b"only text", "text/plain")["mimeType"] == "text/plain"


def json_is_a_blob_like_any_other(server: Subject) -> None:
    blob = server.member().upload(b'{"a": 1}', "application/json")
    assert (blob["mimeType"], blob["size"]) == ("application/json", 8)


def an_unknown_type_is_taken_as_declared(server: Subject) -> None:
    assert server.member().upload(b"???", "test/fake")["mimeType"] == "test/fake"


@differs("`*/*` is no type of a file; the reference keeps it in the reference to the blob.")
def a_blob_declared_as_anything_is_a_stream_of_octets(server: Subject) -> None:
    assert server.member().upload(b"???", "*/*")["mimeType"] == "application/octet-stream"


def an_upload_may_be_compressed_on_its_way(server: Subject) -> None:
    alice = server.member()
    answer = alice.ask(
        "POST",
        "repo.uploadBlob",
        content=gzip.compress(PNG),
        headers={"content-type": "image/png", "content-encoding": "gzip"},
    )
    assert answer.status_code == 200
    assert answer.json()["blob"]["ref"] == alice.upload(PNG)["ref"]


def an_upload_in_an_unknown_encoding_is_refused(server: Subject) -> None:
    alice = server.member()
    headers = {"content-type": "image/png", "content-encoding": "rot13"}
    answer = alice.ask("POST", "repo.uploadBlob", content=PNG, headers=headers)
    assert 400 <= answer.status_code < 500


def an_upload_in_broken_compression_is_refused(server: Subject) -> None:
    alice = server.member()
    headers = {"content-type": "image/png", "content-encoding": "gzip"}
    answer = alice.ask("POST", "repo.uploadBlob", content=b"not gzip", headers=headers)
    assert answer.status_code >= 400


def the_same_file_may_be_uploaded_twice(server: Subject) -> None:
    alice = server.member()
    assert alice.upload(PNG) == alice.upload(PNG)


def a_file_that_is_shown_may_be_uploaded_again(server: Subject) -> None:
    alice = server.member()
    blob = alice.upload(PNG)
    alice.create(_file(blob))
    alice.upload(PNG)
    assert _served(alice, blob) == 200


def each_member_uploads_for_themself(server: Subject) -> None:
    alice, bob = server.member(), server.member()
    blob = alice.upload(b"of alice " + alice.did.encode(), "text/plain")
    assert bob.create_refused(_file(blob)) == (400, "BlobNotFound")


def two_members_may_have_the_same_file(server: Subject) -> None:
    alice, bob = server.member(), server.member()
    for member in (alice, bob):
        member.create(_file(member.upload(PNG)))
    keys = bob.listed(UNKNOWN)
    blob = bob.read(keys[0], UNKNOWN)["value"]["file"]
    bob.delete(keys[0], UNKNOWN)
    assert _is_let_go(bob, blob)
    assert _served(alice, blob) == 200


def a_reference_with_another_type_is_refused(server: Subject) -> None:
    alice = server.member()
    blob = alice.upload(PNG) | {"mimeType": "image/jpeg"}
    assert alice.create_refused(_file(blob)) == (400, "InvalidMimeType")


def a_reference_with_another_size_is_refused(server: Subject) -> None:
    alice = server.member()
    blob = alice.upload(PNG) | {"size": 5}
    assert alice.create_refused(_file(blob)) == (400, "InvalidSize")


def a_reference_to_what_was_not_uploaded_is_refused(server: Subject) -> None:
    alice = server.member()
    cid = cid_text(b"\x01\x55\x12\x20" + sha256(b"never").digest())
    blob = {"$type": "blob", "ref": {"$link": cid}, "mimeType": "text/plain", "size": 5}
    assert alice.create_refused(_file(blob)) == (400, "BlobNotFound")


def a_file_too_large_for_its_place_is_refused(server: Subject) -> None:
    alice = server.member()
    blob = alice.upload(PNG + b"\0" * 1_000_001)
    refusal = alice.create_refused({"$type": PROFILE, "avatar": blob}, rkey="self")
    assert refusal[0] == 400
    assert alice.listed(PROFILE) == []


def a_file_of_a_type_its_place_does_not_take_is_refused(server: Subject) -> None:
    alice = server.member()
    blob = alice.upload(b"text", "text/plain")
    assert alice.create_refused({"$type": PROFILE, "avatar": blob}, rkey="self")[0] == 400


def a_blob_stays_unseen_when_the_record_was_refused(server: Subject) -> None:
    alice = server.member()
    blob = alice.upload(b"text", "text/plain")
    alice.create_refused({"$type": PROFILE, "avatar": blob}, rkey="self")
    assert _served(alice, blob) == 400


def a_blob_is_let_go_with_its_record(server: Subject) -> None:
    alice = server.member()
    blob = alice.upload(PNG)
    made = alice.create(_file(blob))
    alice.delete(rkey_of(made), UNKNOWN)
    assert _is_let_go(alice, blob)
    assert server.anyone.get("sync.listBlobs", did=alice.did)["cids"] == []


def a_blob_is_let_go_when_its_record_shows_another(server: Subject) -> None:
    alice = server.member()
    old, new = alice.upload(PNG), alice.upload(JPEG, "image/jpeg")
    alice.put("self", {"$type": PROFILE, "avatar": old})
    alice.put("self", {"$type": PROFILE, "avatar": new})
    assert _is_let_go(alice, old)
    assert _served(alice, new) == 200


def a_blob_stays_when_its_record_changes_elsewhere(server: Subject) -> None:
    alice = server.member()
    blob = alice.upload(PNG)
    alice.put("self", {"$type": PROFILE, "avatar": blob})
    alice.put("self", {"$type": PROFILE, "avatar": blob, "displayName": "Alice"})
    assert _served(alice, blob) == 200


def a_blob_stays_when_another_record_of_the_commit_takes_it_over(server: Subject) -> None:
    alice = server.member()
    blob = alice.upload(PNG)
    made = alice.create(_file(blob))
    alice.apply(
        write("delete", rkey_of(made), collection=UNKNOWN),
        write("create", value=_file(blob, n=2)),
    )
    assert _served(alice, blob) == 200


def a_blob_stays_while_one_of_two_records_shows_it(server: Subject) -> None:
    alice = server.member()
    blob = alice.upload(PNG)
    one, two = alice.create(_file(blob, n=1)), alice.create(_file(blob, n=2))
    alice.delete(rkey_of(one), UNKNOWN)
    assert _served(alice, blob) == 200
    alice.delete(rkey_of(two), UNKNOWN)
    assert _is_let_go(alice, blob)


def a_picture_in_a_post_is_served(server: Subject) -> None:
    alice = server.member()
    blob = alice.upload(PNG)
    embed = {"$type": "app.bsky.embed.images", "images": [{"image": blob, "alt": "a dot"}]}
    made = alice.create(post("look", embed=embed))
    assert alice.read(rkey_of(made))["value"]["embed"]["images"][0]["image"] == blob
    assert _served(alice, blob) == 200


def a_blob_deep_in_an_unknown_record_is_served(server: Subject) -> None:
    alice = server.member()
    blob = alice.upload(PNG)
    alice.create({"$type": UNKNOWN, "list": [{"deep": {"file": blob}}]})
    assert _served(alice, blob) == 200


def a_blob_of_a_repo_that_is_not_here_is_not_found(server: Subject) -> None:
    cid = cid_text(b"\x01\x55\x12\x20" + sha256(PNG).digest())
    where = {"did": "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", "cid": cid}
    assert server.anyone.get_refused("sync.getBlob", **where) == (400, "RepoNotFound")


@differs("The lexicon names the error BlobNotFound; the reference answers InvalidRequest.")
def the_refusal_of_a_blob_that_is_not_there_says_so_by_name(server: Subject) -> None:
    alice = server.member()
    cid = cid_text(b"\x01\x55\x12\x20" + sha256(b"never").digest())
    refusal = server.anyone.get_refused("sync.getBlob", did=alice.did, cid=cid)
    assert refusal == (400, "BlobNotFound")


def a_blob_that_is_not_there_is_refused(server: Subject) -> None:
    alice = server.member()
    cid = cid_text(b"\x01\x55\x12\x20" + sha256(b"never").digest())
    assert server.anyone.get_refused("sync.getBlob", did=alice.did, cid=cid)[0] == 400


def a_blob_is_asked_for_by_a_cid(server: Subject) -> None:
    alice = server.member()
    refusal = server.anyone.get_refused("sync.getBlob", did=alice.did, cid="nonsense")
    assert refusal == (400, "InvalidRequest")


def nothing_is_missing_when_all_was_uploaded(server: Subject) -> None:
    alice = server.member()
    alice.create(_file(alice.upload(PNG)))
    assert alice.get("repo.listMissingBlobs")["blobs"] == []


@differs("The data model wants the size of a blob above zero; the reference takes it.")
def an_empty_file_is_refused(server: Subject) -> None:
    alice = server.member()
    headers = {"content-type": "text/plain"}
    answer = alice.ask("POST", "repo.uploadBlob", content=b"", headers=headers)
    assert answer.status_code == 400


def a_blob_has_a_cid_of_raw_bytes(server: Subject) -> None:
    blob = server.member().upload(b"raw", "text/plain")
    assert libipld.decode_cid(blob["ref"]["$link"])["codec"] == 0x55


def a_large_file_comes_back_whole(server: Subject) -> None:
    alice = server.member()
    content = bytes(range(256)) * 8_000
    blob = alice.upload(content, "application/octet-stream")
    alice.create(_file(blob))
    where = {"did": alice.did, "cid": blob["ref"]["$link"]}
    assert server.anyone.ask("GET", "sync.getBlob", params=where).content == content
