"""A repository from a file: moves, and what is missing after them."""

from __future__ import annotations

from tests.parity.listing import differs
from tests.parity.subject import Account, Json, Subject, claims, post, rkey_of, write

CAR = {"content-type": "application/vnd.ipld.car"}
BAD = (400, "InvalidRequest")


def _exported(alice: Account) -> bytes:
    answer = alice.ask("GET", "sync.getRepo", params={"did": alice.did})
    content: bytes = answer.content
    return content


def _imported(alice: Account, content: bytes) -> tuple[int, str]:
    answer = alice.ask("POST", "repo.importRepo", content=content, headers=CAR)
    return answer.status_code, answer.text


def _filled(server: Subject, count: int = 20) -> Account:
    alice = server.member()
    alice.apply(*[write("create", value=post(str(n))) for n in range(count)])
    return alice


def a_repo_may_be_imported_again(server: Subject) -> None:
    alice = _filled(server)
    before = server.anyone.car("sync.getRepo", did=alice.did).records()
    assert _imported(alice, _exported(alice))[0] == 200
    assert server.anyone.car("sync.getRepo", did=alice.did).records() == before


def an_import_brings_back_what_was_deleted(server: Subject) -> None:
    alice = server.member()
    key = rkey_of(alice.create(post("keep me")))
    kept = _exported(alice)
    alice.delete(key)
    assert _imported(alice, kept)[0] == 200
    assert alice.read(key)["value"]["text"] == "keep me"


def an_import_takes_away_what_it_does_not_have(server: Subject) -> None:
    alice = _filled(server, 2)
    kept, keys = _exported(alice), alice.listed()
    alice.create(post("later"))
    assert _imported(alice, kept)[0] == 200
    assert alice.listed() == keys


def a_member_writes_on_after_an_import(server: Subject) -> None:
    alice = _filled(server)
    _imported(alice, _exported(alice))
    made = alice.create(post("after"))
    assert alice.read(rkey_of(made))["value"]["text"] == "after"


def a_file_that_is_no_repo_is_refused(server: Subject) -> None:
    assert _imported(server.member(), b"nonsense")[0] in (400, 500)


@differs("A repository is signed for one DID; the reference takes it into any account.")
def a_repo_of_another_is_refused(server: Subject) -> None:
    alice, bob = _filled(server, 3), server.member()
    status, _ = _imported(bob, _exported(alice))
    assert status == 400
    assert bob.listed() == []


def a_repo_with_missing_blocks_is_refused(server: Subject) -> None:
    alice = _filled(server)
    whole = _exported(alice)
    head = alice.head()
    assert _imported(alice, whole[: len(whole) // 2])[0] >= 400
    assert alice.head() == head


def nobody_imports_without_signing_in(server: Subject) -> None:
    answer = server.anyone.ask("POST", "repo.importRepo", content=b"x", headers=CAR)
    assert (answer.status_code, answer.json()["error"]) == (401, "AuthMissing")


def an_import_is_a_car(server: Subject) -> None:
    alice = server.member()
    headers = {"content-type": "text/plain"}
    answer = alice.ask("POST", "repo.importRepo", content=_exported(alice), headers=headers)
    assert answer.status_code == 400


def a_blob_that_went_is_there_again_after_import_and_upload(server: Subject) -> None:
    alice, blob = _without_blob(server)
    alice.upload(b"kept elsewhere", "text/plain")
    assert alice.get("repo.listMissingBlobs")["blobs"] == []
    where = {"did": alice.did, "cid": blob["ref"]["$link"]}
    answer = alice.server.anyone.ask("GET", "sync.getBlob", params=where)
    assert (answer.status_code, answer.content) == (200, b"kept elsewhere")


def _without_blob(server: Subject) -> tuple[Account, Json]:
    """A member whose record was deleted, with its blob, and came back by an import."""
    alice = server.member()
    blob = alice.upload(b"kept elsewhere", "text/plain")
    made = alice.create({"$type": "com.example.file", "file": blob})
    kept = _exported(alice)
    alice.delete(rkey_of(made), "com.example.file")
    for _ in range(200):
        where = {"did": alice.did, "cid": blob["ref"]["$link"]}
        if server.anyone.ask("GET", "sync.getBlob", params=where).status_code == 400:
            break
    assert _imported(alice, kept)[0] == 200
    return alice, blob


def nobody_sees_missing_blobs_without_signing_in(server: Subject) -> None:
    assert server.anyone.get_refused("repo.listMissingBlobs") == (401, "AuthMissing")


def an_import_is_a_new_commit(server: Subject) -> None:
    alice = _filled(server, 2)
    kept = _exported(alice)
    alice.create()
    before = alice.head()["rev"]
    _imported(alice, kept)
    assert alice.head()["rev"] != before


def a_move_is_asked_for_with_a_token(server: Subject) -> None:
    alice = server.member()
    lxm = "com.atproto.server.createAccount"
    token = alice.get("server.getServiceAuth", aud=server.did, lxm=lxm)["token"]
    assert claims(token)["aud"] == server.did
