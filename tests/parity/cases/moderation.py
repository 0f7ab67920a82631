"""What is taken down, by whom, and how it comes back."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode

from pod.keys.curves import SigningKey
from tests.parity.subject import POST, Account, Caller, Json, Subject, post, rkey_of

REPO = "com.atproto.admin.defs#repoRef"
BLOB = "com.atproto.admin.defs#repoBlobRef"
RECORD = "com.atproto.repo.strongRef"
TAKENDOWN = (400, "RepoTakendown")


def _subject(alice: Account) -> Json:
    return {"$type": REPO, "did": alice.did}


def _take_down(by: Caller, subject: Json, *, applied: bool = True) -> Json:
    takedown = {"applied": applied} | ({"ref": "case-1"} if applied else {})
    answer: Json = by.post("admin.updateSubjectStatus", subject=subject, takedown=takedown)
    return answer


def _gone(server: Subject) -> Account:
    alice = server.member()
    alice.create()
    _take_down(server.admin, _subject(alice))
    return alice


def _file(server: Subject) -> tuple[Account, Json]:
    alice = server.member()
    blob = alice.upload(server.free_name().encode(), "text/plain")
    alice.create({"$type": "com.example.file", "file": blob})
    return alice, blob


def _blob_subject(alice: Account, blob: Json) -> Json:
    return {"$type": BLOB, "did": alice.did, "cid": blob["ref"]["$link"]}


def _served(by: Caller, alice: Account, blob: Json) -> int:
    where = {"did": alice.did, "cid": blob["ref"]["$link"]}
    status: int = by.ask("GET", "sync.getBlob", params=where).status_code
    return status


def a_takedown_is_answered_with_its_subject(server: Subject) -> None:
    alice = server.member()
    told = _take_down(server.admin, _subject(alice))
    assert told["subject"] == _subject(alice)
    assert told["takedown"]["applied"] is True


def the_status_of_a_subject_tells_the_takedown(server: Subject) -> None:
    alice = _gone(server)
    told = server.admin.get("admin.getSubjectStatus", did=alice.did)
    assert told["subject"] == _subject(alice)
    assert told["takedown"] == {"applied": True, "ref": "case-1"}


def the_status_of_a_subject_tells_that_there_is_no_takedown(server: Subject) -> None:
    alice = server.member()
    told = server.admin.get("admin.getSubjectStatus", did=alice.did)
    assert told["takedown"] == {"applied": False}
    assert told["deactivated"]["applied"] is False


def a_repo_taken_down_is_not_copied(server: Subject) -> None:
    assert server.anyone.get_refused("sync.getRepo", did=_gone(server).did) == TAKENDOWN


def the_head_of_a_repo_taken_down_is_not_told(server: Subject) -> None:
    assert server.anyone.get_refused("sync.getLatestCommit", did=_gone(server).did) == TAKENDOWN


def records_of_a_repo_taken_down_are_not_proven(server: Subject) -> None:
    where = {"did": _gone(server).did, "collection": POST, "rkey": "3kabcdefghi2j"}
    assert server.anyone.get_refused("sync.getRecord", **where) == TAKENDOWN


def the_status_of_a_repo_taken_down_is_told(server: Subject) -> None:
    alice = _gone(server)
    told = server.anyone.get("sync.getRepoStatus", did=alice.did)
    assert told == {"did": alice.did, "active": False, "status": "takendown"}


def a_repo_taken_down_is_listed_as_such(server: Subject) -> None:
    alice = _gone(server)
    repos = server.anyone.get("sync.listRepos", limit=1000)
    found = [repo for repo in repos["repos"] if repo["did"] == alice.did]
    if found:
        assert (found[0]["active"], found[0]["status"]) == (False, "takendown")
    else:
        assert "cursor" in repos


def an_administrator_copies_a_repo_taken_down(server: Subject) -> None:
    alice = _gone(server)
    assert len(server.admin.car("sync.getRepo", did=alice.did).records()) == 1


def records_of_an_account_taken_down_are_not_read(server: Subject) -> None:
    alice = server.member()
    key = rkey_of(alice.create())
    _take_down(server.admin, _subject(alice))
    where = {"repo": alice.did, "collection": POST, "rkey": key}
    answer = server.anyone.ask("GET", "repo.getRecord", params=where)
    assert answer.status_code >= 400 or answer.json().get("method")


def the_handle_of_an_account_taken_down_leads_nowhere(server: Subject) -> None:
    alice = _gone(server)
    assert server.anyone.get_refused("identity.resolveHandle", handle=alice.handle)[0] == 400


def a_member_taken_down_does_not_sign_in(server: Subject) -> None:
    alice = _gone(server)
    body = {"identifier": alice.did, "password": alice.password}
    refusal = server.anyone.post_refused("server.createSession", **body)
    assert refusal == (401, "AccountTakedown")


def a_member_taken_down_renews_no_session(server: Subject) -> None:
    alice = _gone(server)
    assert alice.with_refresh().post_refused("server.refreshSession")[0] in (400, 401)


def a_member_taken_down_writes_nothing(server: Subject) -> None:
    alice = _gone(server)
    assert alice.create_refused(post()) == (401, "AccountTakedown")


def a_member_taken_down_may_sign_in_to_leave(server: Subject) -> None:
    alice = _gone(server).sign_in(allowTakendown=True)
    assert len(alice.car("sync.getRepo", did=alice.did).records()) == 1


def a_member_taken_down_writes_nothing_with_that_session_either(server: Subject) -> None:
    alice = _gone(server).sign_in(allowTakendown=True)
    assert alice.create_refused(post())[0] in (400, 401, 403)


def a_member_taken_down_may_appeal(server: Subject) -> None:
    alice = _gone(server).sign_in(allowTakendown=True)
    told = alice.post(
        "moderation.createReport",
        reasonType="com.atproto.moderation.defs#reasonAppeal",
        reason="it was a joke",
        subject=_subject(alice),
    )
    assert (told["reason"], told["reportedBy"]) == ("it was a joke", alice.did)


def a_report_is_passed_on_to_the_moderators(server: Subject) -> None:
    alice, bob = server.member(), server.member()
    told = alice.post(
        "moderation.createReport",
        reasonType="com.atproto.moderation.defs#reasonSpam",
        reason="spam",
        subject=_subject(bob),
    )
    assert (told["reason"], told["reportedBy"]) == ("spam", alice.did)
    assert told["subject"] == _subject(bob)


def nobody_reports_without_signing_in(server: Subject) -> None:
    body = {"reasonType": "com.atproto.moderation.defs#reasonSpam", "subject": {}}
    refusal = server.anyone.post_refused("moderation.createReport", **body)
    assert refusal == (401, "AuthMissing")


def an_account_comes_back(server: Subject) -> None:
    alice = _gone(server)
    _take_down(server.admin, _subject(alice), applied=False)
    assert server.anyone.get("sync.getRepoStatus", did=alice.did)["active"] is True
    assert alice.sign_in().create()["uri"]


def a_takedown_is_told_on_the_firehose(server: Subject) -> None:
    alice = server.member()
    with server.events() as events:
        _take_down(server.admin, _subject(alice))
        event = events.of(alice.did, "#account")[-1]
    assert (event["active"], event["status"]) == (False, "takendown")


def a_return_is_told_on_the_firehose(server: Subject) -> None:
    alice = _gone(server)
    with server.events() as events:
        _take_down(server.admin, _subject(alice), applied=False)
        event = events.of(alice.did, "#account")[-1]
    assert event["active"] is True


def a_member_taken_down_does_not_lift_that_themselves(server: Subject) -> None:
    alice = _gone(server).sign_in(allowTakendown=True)
    assert alice.post_refused("server.activateAccount")[0] in (400, 401, 403)
    told = server.anyone.get("sync.getRepoStatus", did=alice.did)
    assert told["status"] == "takendown"


def a_member_taken_down_may_rest_too(server: Subject) -> None:
    alice = _gone(server).sign_in(allowTakendown=True)
    alice.post("server.deactivateAccount", deleteAfter="2030-01-01T00:00:00.000Z")
    told = server.anyone.get("sync.getRepoStatus", did=alice.did)
    assert told["status"] == "takendown"


def an_account_is_not_activated_and_taken_down_at_once(server: Subject) -> None:
    alice = server.member()
    refusal = server.admin.post_refused(
        "admin.updateSubjectStatus",
        subject=_subject(alice),
        takedown={"applied": True, "ref": "x"},
        deactivated={"applied": False},
    )
    assert refusal == (400, "InvalidRequest")


def an_administrator_lets_an_account_rest(server: Subject) -> None:
    alice = server.member()
    server.admin.post(
        "admin.updateSubjectStatus", subject=_subject(alice), deactivated={"applied": True}
    )
    told = server.anyone.get("sync.getRepoStatus", did=alice.did)
    assert told["status"] == "deactivated"


def a_record_taken_down_is_not_read(server: Subject) -> None:
    alice = server.member()
    made = alice.create()
    subject = {"$type": RECORD, "uri": made["uri"], "cid": made["cid"]}
    _take_down(server.admin, subject)
    where = {"repo": alice.did, "collection": POST, "rkey": rkey_of(made)}
    assert server.anyone.get_refused("repo.getRecord", **where) == (400, "RecordNotFound")


def a_record_taken_down_is_not_listed(server: Subject) -> None:
    alice = server.member()
    made, other = alice.create(), alice.create()
    _take_down(server.admin, {"$type": RECORD, "uri": made["uri"], "cid": made["cid"]})
    assert alice.listed() == [rkey_of(other)]


def a_record_taken_down_stays_in_the_repo(server: Subject) -> None:
    alice = server.member()
    made = alice.create()
    _take_down(server.admin, {"$type": RECORD, "uri": made["uri"], "cid": made["cid"]})
    car = server.anyone.car("sync.getRepo", did=alice.did)
    assert list(car.records().values()) == [made["cid"]]


def a_record_comes_back(server: Subject) -> None:
    alice = server.member()
    made = alice.create()
    subject = {"$type": RECORD, "uri": made["uri"], "cid": made["cid"]}
    _take_down(server.admin, subject)
    _take_down(server.admin, subject, applied=False)
    assert alice.read(rkey_of(made))["cid"] == made["cid"]


def the_status_of_a_record_is_told(server: Subject) -> None:
    alice = server.member()
    made = alice.create()
    subject = {"$type": RECORD, "uri": made["uri"], "cid": made["cid"]}
    _take_down(server.admin, subject)
    told = server.admin.get("admin.getSubjectStatus", uri=made["uri"])
    assert told["subject"] == subject
    assert told["takedown"]["applied"] is True


def a_blob_taken_down_is_not_served(server: Subject) -> None:
    alice, blob = _file(server)
    _take_down(server.admin, _blob_subject(alice, blob))
    assert _served(server.anyone, alice, blob) == 400


def a_blob_taken_down_is_shown_by_no_new_record(server: Subject) -> None:
    alice, blob = _file(server)
    _take_down(server.admin, _blob_subject(alice, blob))
    again = {"$type": "com.example.file", "file": blob, "n": 2}
    assert alice.create_refused(again)[0] == 400


def a_blob_taken_down_is_not_uploaded_again(server: Subject) -> None:
    alice = server.member()
    content = server.free_name().encode()
    blob = alice.upload(content, "text/plain")
    alice.create({"$type": "com.example.file", "file": blob})
    _take_down(server.admin, _blob_subject(alice, blob))
    headers = {"content-type": "text/plain"}
    answer = alice.ask("POST", "repo.uploadBlob", content=content, headers=headers)
    assert answer.status_code == 400


def a_blob_comes_back(server: Subject) -> None:
    alice, blob = _file(server)
    _take_down(server.admin, _blob_subject(alice, blob))
    _take_down(server.admin, _blob_subject(alice, blob), applied=False)
    assert _served(server.anyone, alice, blob) == 200


def blobs_of_an_account_taken_down_are_not_served(server: Subject) -> None:
    alice, blob = _file(server)
    _take_down(server.admin, _subject(alice))
    assert _served(server.anyone, alice, blob) == 400


def an_administrator_sees_blobs_of_an_account_taken_down(server: Subject) -> None:
    alice, blob = _file(server)
    _take_down(server.admin, _subject(alice))
    assert _served(server.admin, alice, blob) == 200


def nobody_else_takes_anything_down(server: Subject) -> None:
    alice, bob = server.member(), server.member()
    body = {"subject": _subject(alice), "takedown": {"applied": True, "ref": "x"}}
    assert bob.post_refused("admin.updateSubjectStatus", **body)[0] in (400, 401, 403)
    assert server.anyone.post_refused("admin.updateSubjectStatus", **body)[0] == 401
    assert server.anyone.get("sync.getRepoStatus", did=alice.did)["active"] is True


def nobody_else_sees_the_status_of_a_subject(server: Subject) -> None:
    alice = server.member()
    assert alice.get_refused("admin.getSubjectStatus", did=alice.did)[0] in (400, 401, 403)


def a_subject_must_be_named(server: Subject) -> None:
    assert server.admin.get_refused("admin.getSubjectStatus") == (400, "InvalidRequest")


def a_moderation_service_takes_down(server: Subject) -> None:
    alice = server.member()
    _take_down(_moderator(server), _subject(alice))
    told = server.anyone.get("sync.getRepoStatus", did=alice.did)
    assert told["status"] == "takendown"


def a_moderation_service_does_so_only_for_this_server(server: Subject) -> None:
    moderator = _moderator(server, aud="did:web:other.example")
    _fails(moderator, server.member())


def a_moderation_service_does_so_only_with_its_own_key(server: Subject) -> None:
    moderator = _moderator(server, key=SigningKey.generate_k256())
    _fails(moderator, server.member())


def a_moderation_service_does_so_only_for_the_method_it_signed(server: Subject) -> None:
    moderator = _moderator(server, lxm="com.atproto.admin.getSubjectStatus")
    _fails(moderator, server.member())


def a_moderation_service_does_so_only_in_time(server: Subject) -> None:
    moderator = _moderator(server, exp=int(time.time()) - 60)
    _fails(moderator, server.member())


def another_service_takes_nothing_down(server: Subject) -> None:
    alice = server.member()
    token = alice.get(
        "server.getServiceAuth", aud=server.did, lxm="com.atproto.admin.updateSubjectStatus"
    )["token"]
    _fails(Caller(server, f"Bearer {token}"), server.member())


def _fails(by: Caller, alice: Account) -> None:
    body = {"subject": _subject(alice), "takedown": {"applied": True, "ref": "x"}}
    assert by.post_refused("admin.updateSubjectStatus", **body)[0] in (400, 401, 403)
    told = alice.server.anyone.get("sync.getRepoStatus", did=alice.did)
    assert told["active"] is True


def _moderator(server: Subject, key: SigningKey | None = None, **more: object) -> Caller:
    """The moderation service with a token for one takedown."""
    now = int(time.time())
    payload = {
        "iss": server.upstream.did,
        "aud": server.did,
        "lxm": "com.atproto.admin.updateSubjectStatus",
        "iat": now,
        "exp": now + 60,
        "jti": server.free_name(),
    } | more
    parts = [
        _base64(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ES256K"}, payload)
    ]
    signature = (key or server.upstream.key).sign(".".join(parts).encode())
    return Caller(server, f"Bearer {'.'.join(parts)}.{_base64(signature)}")


def _base64(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
