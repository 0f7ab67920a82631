"""Accounts that rest, and return."""

from __future__ import annotations

from tests.parity.subject import POST, Account, Subject, post, rkey_of

GONE = (400, "RepoDeactivated")


def _resting(server: Subject) -> Account:
    alice = server.member()
    alice.create(post("before"))
    alice.post("server.deactivateAccount", deleteAfter="2030-01-01T00:00:00.000Z")
    return alice


def an_account_may_rest(server: Subject) -> None:
    alice = _resting(server)
    told = server.anyone.get("sync.getRepoStatus", did=alice.did)
    assert told == {"did": alice.did, "active": False, "status": "deactivated"}


def a_resting_repo_is_not_copied(server: Subject) -> None:
    assert server.anyone.get_refused("sync.getRepo", did=_resting(server).did) == GONE


def the_head_of_a_resting_repo_is_not_told(server: Subject) -> None:
    assert server.anyone.get_refused("sync.getLatestCommit", did=_resting(server).did) == GONE


def records_of_a_resting_repo_are_not_proven(server: Subject) -> None:
    alice = _resting(server)
    where = {"did": alice.did, "collection": POST, "rkey": "3kabcdefghi2j"}
    assert server.anyone.get_refused("sync.getRecord", **where) == GONE


def blocks_of_a_resting_repo_are_not_given(server: Subject) -> None:
    alice = server.member()
    cid = alice.create()["cid"]
    alice.post("server.deactivateAccount", deleteAfter="2030-01-01T00:00:00.000Z")
    assert server.anyone.get_refused("sync.getBlocks", did=alice.did, cids=[cid]) == GONE


def blobs_of_a_resting_repo_are_not_listed(server: Subject) -> None:
    assert server.anyone.get_refused("sync.listBlobs", did=_resting(server).did) == GONE


def a_resting_repo_is_not_described(server: Subject) -> None:
    assert server.anyone.get_refused("repo.describeRepo", repo=_resting(server).did)[0] == 400


def records_of_a_resting_repo_are_not_listed(server: Subject) -> None:
    where = {"repo": _resting(server).did, "collection": POST}
    assert server.anyone.get_refused("repo.listRecords", **where)[0] == 400


def the_owner_still_copies_a_resting_repo(server: Subject) -> None:
    alice = _resting(server)
    assert len(alice.car("sync.getRepo", did=alice.did).records()) == 1


def the_owner_still_sees_the_head_of_a_resting_repo(server: Subject) -> None:
    alice = _resting(server)
    assert alice.get("sync.getLatestCommit", did=alice.did)["rev"]


def others_do_not_copy_a_resting_repo_though_they_are_members(server: Subject) -> None:
    bob = server.member()
    assert bob.get_refused("sync.getRepo", did=_resting(server).did) == GONE


def the_administrator_copies_a_resting_repo(server: Subject) -> None:
    alice = _resting(server)
    assert len(server.admin.car("sync.getRepo", did=alice.did).records()) == 1


def the_handle_of_a_resting_account_leads_nowhere(server: Subject) -> None:
    alice = _resting(server)
    assert server.anyone.get_refused("identity.resolveHandle", handle=alice.handle)[0] == 400


def a_resting_member_may_sign_in(server: Subject) -> None:
    alice = _resting(server)
    session = server.anyone.post(
        "server.createSession", identifier=alice.did, password=alice.password
    )
    assert (session["active"], session["status"]) == (False, "deactivated")


def a_resting_member_sees_so_in_the_session(server: Subject) -> None:
    told = _resting(server).get("server.getSession")
    assert (told["active"], told["status"]) == (False, "deactivated")


def a_resting_member_may_renew_the_session(server: Subject) -> None:
    alice = _resting(server)
    told = alice.with_refresh().post("server.refreshSession")
    assert (told["active"], told["status"]) == (False, "deactivated")


def a_resting_member_creates_nothing(server: Subject) -> None:
    alice = _resting(server)
    assert alice.create_refused(post())[1] == "AccountDeactivated"


def a_resting_member_deletes_nothing(server: Subject) -> None:
    alice = server.member()
    key = rkey_of(alice.create())
    alice.post("server.deactivateAccount", deleteAfter="2030-01-01T00:00:00.000Z")
    where = {"repo": alice.did, "collection": POST, "rkey": key}
    assert alice.post_refused("repo.deleteRecord", **where)[1] == "AccountDeactivated"


def a_resting_member_replaces_nothing(server: Subject) -> None:
    alice = _resting(server)
    assert alice.put_refused("3kabcdefghi2j", post())[1] == "AccountDeactivated"


def a_resting_member_uploads_for_the_return(server: Subject) -> None:
    assert _resting(server).upload(b"early", "text/plain")["size"] == 5


def a_resting_account_is_not_activated_in_its_status(server: Subject) -> None:
    assert _resting(server).get("server.checkAccountStatus")["activated"] is False


def a_resting_account_may_return(server: Subject) -> None:
    alice = _resting(server)
    alice.post("server.activateAccount")
    assert server.anyone.get("sync.getRepoStatus", did=alice.did)["active"] is True
    assert len(alice.listed()) == 1


def a_member_writes_again_after_the_return(server: Subject) -> None:
    alice = _resting(server)
    alice.post("server.activateAccount")
    alice.create()
    assert len(alice.listed()) == 2


def a_return_changes_no_commit(server: Subject) -> None:
    alice = server.member()
    head = alice.head()
    alice.post("server.deactivateAccount", deleteAfter="2030-01-01T00:00:00.000Z")
    alice.post("server.activateAccount")
    assert alice.head() == head


def the_handle_leads_to_the_did_again_after_the_return(server: Subject) -> None:
    alice = _resting(server)
    alice.post("server.activateAccount")
    assert server.anyone.get("identity.resolveHandle", handle=alice.handle)["did"] == alice.did


def nobody_lets_another_rest(server: Subject) -> None:
    when = "2030-01-01T00:00:00.000Z"
    refusal = server.anyone.post_refused("server.deactivateAccount", deleteAfter=when)
    assert refusal == (401, "AuthMissing")


def resting_twice_is_no_error(server: Subject) -> None:
    alice = _resting(server)
    alice.post("server.deactivateAccount", deleteAfter="2030-01-01T00:00:00.000Z")
    assert alice.get("server.getSession")["status"] == "deactivated"


def an_active_account_may_be_activated_again(server: Subject) -> None:
    alice = server.member()
    alice.post("server.activateAccount")
    assert alice.get("server.getSession")["active"] is True
