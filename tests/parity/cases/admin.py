"""What an administrator does with accounts."""

from __future__ import annotations

import base64

from tests.parity.subject import PASSWORD, Caller, Subject


def an_administrator_changes_a_mail_address(server: Subject) -> None:
    alice = server.member()
    new = f"{server.free_name()}@mail.test"
    server.admin.post("admin.updateAccountEmail", account=alice.did, email=new)
    assert alice.get("server.getSession")["email"] == new


def an_account_may_be_named_by_handle_for_that(server: Subject) -> None:
    alice = server.member()
    new = f"{server.free_name()}@mail.test"
    server.admin.post("admin.updateAccountEmail", account=alice.handle, email=new)
    assert alice.get("server.getSession")["email"] == new


def the_mail_address_of_nobody_is_not_changed(server: Subject) -> None:
    body = {"account": "nobody-here.test", "email": "a@mail.test"}
    assert server.admin.post_refused("admin.updateAccountEmail", **body)[0] == 400


def a_member_changes_no_address_as_administrator(server: Subject) -> None:
    alice = server.member()
    body = {"account": alice.did, "email": "a@mail.test"}
    assert alice.post_refused("admin.updateAccountEmail", **body)[0] in (400, 401, 403)


def an_administrator_changes_a_handle(server: Subject) -> None:
    alice = server.member()
    handle = f"{server.free_name()}.test"
    server.admin.post("admin.updateAccountHandle", did=alice.did, handle=handle)
    assert server.anyone.get("identity.resolveHandle", handle=handle)["did"] == alice.did
    assert server.registered(alice.did)["alsoKnownAs"][0] == f"at://{handle}"


def an_administrator_gives_out_reserved_handles(server: Subject) -> None:
    alice = server.member()
    server.admin.post("admin.updateAccountHandle", did=alice.did, handle="dril.test")
    assert server.anyone.get("identity.resolveHandle", handle="dril.test")["did"] == alice.did


def an_administrator_takes_no_handle_from_another(server: Subject) -> None:
    alice, bob = server.member(), server.member()
    body = {"did": bob.did, "handle": alice.handle}
    assert server.admin.post_refused("admin.updateAccountHandle", **body)[0] == 400


def a_member_changes_no_handle_as_administrator(server: Subject) -> None:
    alice = server.member()
    body = {"did": alice.did, "handle": f"{server.free_name()}.test"}
    assert alice.post_refused("admin.updateAccountHandle", **body)[0] in (400, 401, 403)
    assert server.anyone.post_refused("admin.updateAccountHandle", **body)[0] == 401


def an_administrator_changes_a_password(server: Subject) -> None:
    alice = server.member()
    server.admin.post("admin.updateAccountPassword", did=alice.did, password="from-above")
    assert alice.sign_in("from-above").did == alice.did
    body = {"identifier": alice.did, "password": PASSWORD}
    assert server.anyone.post_refused("server.createSession", **body)[0] == 401


def a_password_from_the_administrator_ends_all_sessions(server: Subject) -> None:
    alice = server.member()
    server.admin.post("admin.updateAccountPassword", did=alice.did, password="from-above")
    assert alice.with_refresh().post_refused("server.refreshSession") == (400, "ExpiredToken")


def a_member_changes_no_password_as_administrator(server: Subject) -> None:
    alice = server.member()
    body = {"did": alice.did, "password": "mine"}
    assert alice.post_refused("admin.updateAccountPassword", **body)[0] in (400, 401, 403)


def an_administrator_sees_an_account(server: Subject) -> None:
    alice = server.member()
    told = server.admin.get("admin.getAccountInfo", did=alice.did)
    assert (told["did"], told["handle"], told["email"]) == (alice.did, alice.handle, alice.email)
    assert told["indexedAt"]


def an_administrator_sees_when_an_address_was_confirmed(server: Subject) -> None:
    alice = server.member()
    assert "emailConfirmedAt" not in server.admin.get("admin.getAccountInfo", did=alice.did)
    alice.post("server.requestEmailConfirmation")
    code = server.mail.code_for(alice.email)
    alice.post("server.confirmEmail", email=alice.email, token=code)
    assert server.admin.get("admin.getAccountInfo", did=alice.did)["emailConfirmedAt"]


def an_administrator_sees_when_an_account_began_to_rest(server: Subject) -> None:
    alice = server.member()
    alice.post("server.deactivateAccount", deleteAfter="2030-01-01T00:00:00.000Z")
    assert server.admin.get("admin.getAccountInfo", did=alice.did)["deactivatedAt"]


def an_administrator_sees_several_accounts(server: Subject) -> None:
    dids = [server.member().did for _ in range(3)]
    told = server.admin.get("admin.getAccountInfos", dids=dids)["infos"]
    assert {each["did"] for each in told} == set(dids)


def nobody_is_seen_where_nobody_is(server: Subject) -> None:
    missing = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
    assert server.admin.get_refused("admin.getAccountInfo", did=missing)[0] == 400


def a_member_sees_no_account_as_administrator(server: Subject) -> None:
    alice = server.member()
    assert alice.get_refused("admin.getAccountInfo", did=alice.did)[0] in (400, 401, 403)


def an_administrator_writes_to_a_member(server: Subject) -> None:
    alice = server.member()
    told = server.admin.post(
        "admin.sendEmail",
        recipientDid=alice.did,
        senderDid=server.did,
        subject="A word",
        content="Hello from the administrator",
    )
    assert told["sent"] is True
    assert server.mail.wait_for(alice.email)["subject"] == "A word"


def a_wrong_administrators_password_opens_nothing(server: Subject) -> None:
    wrong = base64.b64encode(b"admin:wrong").decode()
    alice = server.member()
    caller = Caller(server, f"Basic {wrong}")
    assert caller.get_refused("admin.getAccountInfo", did=alice.did)[0] == 401


def another_name_is_no_administrator(server: Subject) -> None:
    wrong = base64.b64encode(b"alice:parity-admin").decode()
    alice = server.member()
    caller = Caller(server, f"Basic {wrong}")
    assert caller.get_refused("admin.getAccountInfo", did=alice.did)[0] == 401
