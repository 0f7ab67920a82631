"""Invitations, where nobody signs up without one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.parity.subject import Account, Json, Subject

REFUSED = (400, "InvalidInviteCode")


def _code(server: Subject, uses: int = 1, **more: object) -> str:
    code: str = server.admin.post("server.createInviteCode", useCount=uses, **more)["code"]
    return code


def _closed(server: Subject) -> Subject:
    return server.other("invites")


def _invited(server: Subject) -> Account:
    return server.member(inviteCode=_code(server))


def _refused(server: Subject, code: str) -> tuple[int, str]:
    body = server.application(inviteCode=code)
    return server.anyone.post_refused("server.createAccount", **body)


def _all(server: Subject, **more: object) -> list[Json]:
    codes: list[Json] = server.admin.get("admin.getInviteCodes", limit=500, **more)["codes"]
    return codes


def a_server_tells_that_it_wants_an_invitation(server: Subject) -> None:
    told = _closed(server).anyone.get("server.describeServer")
    assert told["inviteCodeRequired"] is True


def an_open_server_tells_that_it_wants_none(server: Subject) -> None:
    assert server.anyone.get("server.describeServer")["inviteCodeRequired"] is False


def an_invitation_lets_somebody_in(server: Subject) -> None:
    assert _invited(_closed(server)).did.startswith("did:plc:")


def nobody_comes_in_without_an_invitation(server: Subject) -> None:
    closed = _closed(server)
    body = closed.application()
    assert closed.anyone.post_refused("server.createAccount", **body) == REFUSED


def an_invented_invitation_lets_nobody_in(server: Subject) -> None:
    assert _refused(_closed(server), "fake-invite") == REFUSED


def an_invitation_is_good_as_often_as_it_says(server: Subject) -> None:
    closed = _closed(server)
    code = _code(closed, 2)
    closed.member(inviteCode=code)
    closed.member(inviteCode=code)
    assert _refused(closed, code) == REFUSED


def a_disabled_invitation_lets_nobody_in(server: Subject) -> None:
    closed = _closed(server)
    code = _code(closed)
    closed.admin.post("admin.disableInviteCodes", codes=[code])
    assert _refused(closed, code) == REFUSED


def invitations_of_an_account_are_disabled_together(server: Subject) -> None:
    closed = _closed(server)
    alice = _invited(closed)
    code = _code(closed, forAccount=alice.did)
    closed.admin.post("admin.disableInviteCodes", accounts=[alice.did])
    assert _refused(closed, code) == REFUSED


def invitations_of_the_administrator_are_not_disabled_together(server: Subject) -> None:
    closed = _closed(server)
    refusal = closed.admin.post_refused("admin.disableInviteCodes", accounts=["admin"])
    assert refusal == (400, "InvalidRequest")


def an_invitation_of_somebody_taken_down_lets_nobody_in(server: Subject) -> None:
    closed = _closed(server)
    alice = _invited(closed)
    code = _code(closed, forAccount=alice.did)
    subject = {"$type": "com.atproto.admin.defs#repoRef", "did": alice.did}
    closed.admin.post(
        "admin.updateSubjectStatus", subject=subject, takedown={"applied": True, "ref": "x"}
    )
    assert _refused(closed, code) == REFUSED


def of_many_with_the_same_invitation_one_comes_in(server: Subject) -> None:
    closed = _closed(server)
    code = _code(closed)

    def sign_up(_: int) -> int:
        body = closed.application(inviteCode=code)
        status: int = closed.anyone.ask("POST", "server.createAccount", json=body).status_code
        return status

    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(sign_up, range(6)))
    assert statuses == [200] + [400] * 5


def a_refused_sign_up_leaves_the_invitation_good(server: Subject) -> None:
    closed = _closed(server)
    code = _code(closed)
    body = closed.application(inviteCode=code, handle="al.test")
    closed.anyone.post_refused("server.createAccount", **body)
    assert closed.member(inviteCode=code).did


def only_an_administrator_makes_invitations(server: Subject) -> None:
    closed = _closed(server)
    alice = _invited(closed)
    assert alice.post_refused("server.createInviteCode", useCount=1)[0] in (400, 401, 403)
    assert closed.anyone.post_refused("server.createInviteCode", useCount=1)[0] == 401


def an_invitation_begins_with_the_host(server: Subject) -> None:
    assert _code(_closed(server)).startswith("localhost-")


def many_invitations_are_made_at_once(server: Subject) -> None:
    closed = _closed(server)
    alice, bob = _invited(closed), _invited(closed)
    made = closed.admin.post(
        "server.createInviteCodes", codeCount=3, useCount=2, forAccounts=[alice.did, bob.did]
    )["codes"]
    assert [each["account"] for each in made] == [alice.did, bob.did]
    assert [len(set(each["codes"])) for each in made] == [3, 3]


def a_member_sees_the_invitations_they_were_given(server: Subject) -> None:
    closed = _closed(server)
    alice = _invited(closed)
    code = _code(closed, 3, forAccount=alice.did)
    (mine,) = alice.get("server.getAccountInviteCodes")["codes"]
    assert (mine["code"], mine["available"], mine["disabled"]) == (code, 3, False)
    assert (mine["forAccount"], mine["uses"]) == (alice.did, [])


def a_member_sees_who_came_by_an_invitation(server: Subject) -> None:
    closed = _closed(server)
    alice = _invited(closed)
    bob = closed.member(inviteCode=_code(closed, forAccount=alice.did))
    (mine,) = alice.get("server.getAccountInviteCodes")["codes"]
    assert [use["usedBy"] for use in mine["uses"]] == [bob.did]


def used_invitations_are_left_out_when_asked(server: Subject) -> None:
    closed = _closed(server)
    alice = _invited(closed)
    closed.member(inviteCode=_code(closed, forAccount=alice.did))
    assert alice.get("server.getAccountInviteCodes", includeUsed=False)["codes"] == []


def an_administrator_sees_all_invitations_newest_first(server: Subject) -> None:
    closed = _closed(server)
    made = [_code(closed) for _ in range(3)]
    listed = [each["code"] for each in _all(closed)]
    assert set(made) <= set(listed[:3])
    times = [each["createdAt"] for each in _all(closed)]
    assert times == sorted(times, reverse=True)


def invitations_are_listed_in_pages(server: Subject) -> None:
    closed = _closed(server)
    for _ in range(5):
        _code(closed)
    whole = [each["code"] for each in _all(closed)]
    first = closed.admin.get("admin.getInviteCodes", limit=2)
    rest = closed.admin.get("admin.getInviteCodes", limit=500, cursor=first["cursor"])
    assert [each["code"] for each in first["codes"] + rest["codes"]] == whole


def invitations_are_listed_by_use(server: Subject) -> None:
    closed = _closed(server)
    closed.member(inviteCode=_code(closed, 2))
    uses = [len(each["uses"]) for each in _all(closed, sort="usage")]
    assert uses == sorted(uses, reverse=True)
    assert uses[0] > 0


def nobody_else_sees_all_invitations(server: Subject) -> None:
    alice = server.member()
    assert alice.get_refused("admin.getInviteCodes")[0] in (400, 401, 403)


def an_administrator_sees_by_whom_somebody_was_invited(server: Subject) -> None:
    closed = _closed(server)
    alice = _invited(closed)
    code = _code(closed, forAccount=alice.did)
    bob = closed.member(inviteCode=code)
    told = closed.admin.get("admin.getAccountInfo", did=bob.did)
    assert told["invitedBy"]["code"] == code
    assert told["invitesDisabled"] is False


def an_administrator_sees_the_invitations_of_an_account(server: Subject) -> None:
    closed = _closed(server)
    alice = _invited(closed)
    code = _code(closed, forAccount=alice.did)
    told = closed.admin.get("admin.getAccountInfo", did=alice.did)
    assert [each["code"] for each in told["invites"]] == [code]


def an_account_may_be_kept_from_inviting(server: Subject) -> None:
    closed = _closed(server)
    alice = _invited(closed)
    closed.admin.post("admin.disableAccountInvites", account=alice.did)
    assert closed.admin.get("admin.getAccountInfo", did=alice.did)["invitesDisabled"] is True


def an_account_may_invite_again(server: Subject) -> None:
    closed = _closed(server)
    alice = _invited(closed)
    closed.admin.post("admin.disableAccountInvites", account=alice.did, note="why not")
    closed.admin.post("admin.enableAccountInvites", account=alice.did, note="because")
    assert closed.admin.get("admin.getAccountInfo", did=alice.did)["invitesDisabled"] is False
