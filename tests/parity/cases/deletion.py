"""The end of an account."""

from __future__ import annotations

import time

from tests.parity.listing import differs
from tests.parity.subject import PASSWORD, POST, Account, Subject, post

NOT_FOUND = (400, "RepoNotFound")


def _asked(server: Subject) -> tuple[Account, str]:
    alice = server.member()
    alice.create()
    alice.post("server.requestAccountDelete")
    return alice, server.mail.code_for(alice.email)


def _deleted(server: Subject) -> Account:
    alice, code = _asked(server)
    server.anyone.post("server.deleteAccount", did=alice.did, password=PASSWORD, token=code)
    return alice


def the_end_is_asked_for_by_mail(server: Subject) -> None:
    _, code = _asked(server)
    assert len(code) == 11


def nobody_asks_for_the_end_without_signing_in(server: Subject) -> None:
    refusal = server.anyone.post_refused("server.requestAccountDelete")
    assert refusal == (401, "AuthMissing")


def a_wrong_code_ends_nothing(server: Subject) -> None:
    alice, _ = _asked(server)
    body = {"did": alice.did, "password": PASSWORD, "token": "AAAAA-BBBBB"}
    assert server.anyone.post_refused("server.deleteAccount", **body) == (400, "InvalidToken")
    assert alice.get("server.getSession")["did"] == alice.did


def a_wrong_password_ends_nothing(server: Subject) -> None:
    alice, code = _asked(server)
    body = {"did": alice.did, "password": "wrong", "token": code}
    refusal = server.anyone.post_refused("server.deleteAccount", **body)
    assert refusal == (401, "AuthenticationRequired")
    assert alice.get("server.getSession")["did"] == alice.did


def the_code_of_another_ends_nothing(server: Subject) -> None:
    _, code = _asked(server)
    bob = server.member()
    body = {"did": bob.did, "password": PASSWORD, "token": code}
    assert server.anyone.post_refused("server.deleteAccount", **body) == (400, "InvalidToken")


def the_end_of_a_stranger_is_refused(server: Subject) -> None:
    body = {"did": "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", "password": PASSWORD, "token": "x"}
    assert server.anyone.post_refused("server.deleteAccount", **body)[0] == 400


def a_deleted_member_does_not_sign_in(server: Subject) -> None:
    alice = _deleted(server)
    for who in (alice.did, alice.handle, alice.email):
        body = {"identifier": who, "password": PASSWORD}
        assert server.anyone.post_refused("server.createSession", **body)[0] == 401


def a_deleted_members_session_is_good_for_nothing(server: Subject) -> None:
    alice = _deleted(server)
    assert alice.create_refused(post())[0] in (400, 401, 403)
    assert alice.get_refused("server.getSession")[0] in (400, 401, 403)


def a_deleted_repo_is_not_found(server: Subject) -> None:
    alice = _deleted(server)
    for method in ("sync.getRepo", "sync.getLatestCommit", "sync.getRepoStatus"):
        assert server.anyone.get_refused(method, did=alice.did) == NOT_FOUND


def a_deleted_repo_is_not_listed(server: Subject) -> None:
    alice = _deleted(server)
    repos = server.anyone.get("sync.listRepos", limit=1000)["repos"]
    assert alice.did not in [repo["did"] for repo in repos]


def records_of_a_deleted_repo_are_gone(server: Subject) -> None:
    alice = _deleted(server)
    where = {"repo": alice.did, "collection": POST}
    assert server.anyone.get_refused("repo.listRecords", **where)[0] == 400


def the_handle_of_a_deleted_account_leads_nowhere(server: Subject) -> None:
    alice = _deleted(server)
    assert server.anyone.get_refused("identity.resolveHandle", handle=alice.handle)[0] == 400


def the_address_is_free_again(server: Subject) -> None:
    alice = _deleted(server)
    bob = server.member(email=alice.email)
    assert bob.get("server.getSession")["email"] == alice.email


@differs("The name was an actor and a WebID too; nobody shall meet a stranger under it.")
def the_name_is_given_to_nobody_else(server: Subject) -> None:
    alice = _deleted(server)
    body = server.application(handle=alice.handle)
    refusal = server.anyone.post_refused("server.createAccount", **body)
    assert refusal == (400, "HandleNotAvailable")


def blobs_of_a_deleted_repo_are_gone(server: Subject) -> None:
    alice, code = _asked(server)
    blob = alice.upload(b"of alice", "text/plain")
    alice.create({"$type": "com.example.file", "file": blob})
    server.anyone.post("server.deleteAccount", did=alice.did, password=PASSWORD, token=code)
    where = {"did": alice.did, "cid": blob["ref"]["$link"]}
    assert server.anyone.get_refused("sync.getBlob", **where) == NOT_FOUND


def the_same_blob_of_another_stays(server: Subject) -> None:
    alice, code = _asked(server)
    bob = server.member()
    for member in (alice, bob):
        blob = member.upload(b"of both", "text/plain")
        member.create({"$type": "com.example.file", "file": blob})
    server.anyone.post("server.deleteAccount", did=alice.did, password=PASSWORD, token=code)
    time.sleep(0.1)
    where = {"did": bob.did, "cid": blob["ref"]["$link"]}
    assert server.anyone.ask("GET", "sync.getBlob", params=where).content == b"of both"


def an_account_with_nothing_in_it_may_end(server: Subject) -> None:
    alice = server.member()
    alice.post("server.requestAccountDelete")
    code = server.mail.code_for(alice.email)
    server.anyone.post("server.deleteAccount", did=alice.did, password=PASSWORD, token=code)
    assert server.anyone.get_refused("sync.getRepoStatus", did=alice.did) == NOT_FOUND


def an_administrator_ends_an_account(server: Subject) -> None:
    alice = server.member()
    server.admin.post("admin.deleteAccount", did=alice.did)
    assert server.anyone.get_refused("sync.getRepoStatus", did=alice.did) == NOT_FOUND


def nobody_else_ends_an_account(server: Subject) -> None:
    alice, bob = server.member(), server.member()
    assert bob.post_refused("admin.deleteAccount", did=alice.did)[0] in (400, 401, 403)
    assert server.anyone.get("sync.getRepoStatus", did=alice.did)["active"] is True


def the_end_is_told(server: Subject) -> None:
    alice, code = _asked(server)
    with server.events() as events:
        server.anyone.post("server.deleteAccount", did=alice.did, password=PASSWORD, token=code)
        event = events.of(alice.did, "#account")[-1]
    assert (event["active"], event["status"]) == (False, "deleted")


def what_was_told_before_the_end_is_told_no_more(server: Subject) -> None:
    with server.events() as events:
        bob = server.member()
        seq = events.of(bob.did, "#sync")[-1]["seq"]
    alice = _deleted(server)
    with server.events(seq) as events:
        seen = events.of(alice.did, "#account", within_s=8)
    assert [event["t"] for event in seen] == ["#account"]
    assert seen[0]["status"] == "deleted"
