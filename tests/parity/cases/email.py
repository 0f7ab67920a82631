"""Mail addresses: confirmed, changed, and the way back to a forgotten password."""

from __future__ import annotations

from tests.parity.subject import PASSWORD, Account, Subject

WRONG = "AAAAA-BBBBB"
BAD_TOKEN = (400, "InvalidToken")


def _code(alice: Account, count: int = 1) -> str:
    return alice.server.mail.code_for(alice.email, count)


def _confirmed(server: Subject) -> Account:
    alice = server.member()
    alice.post("server.requestEmailConfirmation")
    alice.post("server.confirmEmail", email=alice.email, token=_code(alice))
    return alice


def _is_confirmed(alice: Account) -> bool:
    told: bool = alice.get("server.getSession")["emailConfirmed"]
    return told


def an_address_is_unconfirmed_at_first(server: Subject) -> None:
    assert not _is_confirmed(server.member())


def a_code_confirms_the_address(server: Subject) -> None:
    assert _is_confirmed(_confirmed(server))


def a_confirmation_is_asked_for_by_mail(server: Subject) -> None:
    alice = server.member()
    alice.post("server.requestEmailConfirmation")
    assert alice.email in str(server.mail.wait_for(alice.email)["to"])


def a_wrong_code_confirms_nothing(server: Subject) -> None:
    alice = server.member()
    alice.post("server.requestEmailConfirmation")
    _code(alice)
    body = {"email": alice.email, "token": WRONG}
    assert alice.post_refused("server.confirmEmail", **body) == BAD_TOKEN
    assert not _is_confirmed(alice)


def a_code_for_another_address_confirms_nothing(server: Subject) -> None:
    alice = server.member()
    alice.post("server.requestEmailConfirmation")
    body = {"email": "other@mail.test", "token": _code(alice)}
    assert alice.post_refused("server.confirmEmail", **body) == (400, "InvalidEmail")


def the_code_of_another_confirms_nothing(server: Subject) -> None:
    alice, bob = server.member(), server.member()
    alice.post("server.requestEmailConfirmation")
    body = {"email": bob.email, "token": _code(alice)}
    assert bob.post_refused("server.confirmEmail", **body) == BAD_TOKEN


def a_code_confirms_once(server: Subject) -> None:
    alice = server.member()
    alice.post("server.requestEmailConfirmation")
    body = {"email": alice.email, "token": _code(alice)}
    alice.post("server.confirmEmail", **body)
    assert alice.post_refused("server.confirmEmail", **body) == BAD_TOKEN


def a_new_code_takes_the_place_of_the_old(server: Subject) -> None:
    alice = server.member()
    alice.post("server.requestEmailConfirmation")
    old = _code(alice)
    alice.post("server.requestEmailConfirmation")
    new = _code(alice, 2)
    assert alice.post_refused("server.confirmEmail", email=alice.email, token=old) == BAD_TOKEN
    alice.post("server.confirmEmail", email=alice.email, token=new)


def a_code_is_read_in_small_letters_too(server: Subject) -> None:
    alice = server.member()
    alice.post("server.requestEmailConfirmation")
    alice.post("server.confirmEmail", email=alice.email, token=_code(alice).lower())
    assert _is_confirmed(alice)


def an_unconfirmed_address_is_changed_without_a_code(server: Subject) -> None:
    alice = server.member()
    assert alice.post("server.requestEmailUpdate") == {"tokenRequired": False}
    new = f"{server.free_name()}@mail.test"
    alice.post("server.updateEmail", email=new)
    assert alice.get("server.getSession")["email"] == new


def a_confirmed_address_is_not_changed_without_a_code(server: Subject) -> None:
    alice = _confirmed(server)
    refusal = alice.post_refused("server.updateEmail", email="new@mail.test")
    assert refusal == (400, "TokenRequired")


def a_change_of_a_confirmed_address_is_asked_for_by_mail(server: Subject) -> None:
    alice = _confirmed(server)
    assert alice.post("server.requestEmailUpdate") == {"tokenRequired": True}
    assert _code(alice, 2)


def a_confirmed_address_is_changed_with_a_code(server: Subject) -> None:
    alice = _confirmed(server)
    alice.post("server.requestEmailUpdate")
    new = f"{server.free_name()}@mail.test"
    alice.post("server.updateEmail", email=new, token=_code(alice, 2))
    told = alice.get("server.getSession")
    assert (told["email"], told["emailConfirmed"]) == (new, False)


def a_confirmed_address_is_not_changed_with_a_wrong_code(server: Subject) -> None:
    alice = _confirmed(server)
    alice.post("server.requestEmailUpdate")
    body = {"email": "new@mail.test", "token": WRONG}
    assert alice.post_refused("server.updateEmail", **body) == BAD_TOKEN


def a_malformed_address_is_refused(server: Subject) -> None:
    refusal = server.member().post_refused("server.updateEmail", email="nonsense")
    assert refusal == (400, "InvalidRequest")


def an_address_that_another_has_is_refused(server: Subject) -> None:
    alice, bob = server.member(), server.member()
    assert alice.post_refused("server.updateEmail", email=bob.email)[0] == 400
    assert alice.get("server.getSession")["email"] == alice.email


def one_signs_in_with_the_new_address(server: Subject) -> None:
    alice = server.member()
    new = f"{server.free_name()}@mail.test"
    alice.post("server.updateEmail", email=new)
    session = server.anyone.post("server.createSession", identifier=new, password=PASSWORD)
    assert session["did"] == alice.did


def the_old_address_opens_nothing(server: Subject) -> None:
    alice = server.member()
    alice.post("server.updateEmail", email=f"{server.free_name()}@mail.test")
    body = {"identifier": alice.email, "password": PASSWORD}
    assert server.anyone.post_refused("server.createSession", **body)[0] == 401


def nobody_changes_an_address_without_signing_in(server: Subject) -> None:
    refusal = server.anyone.post_refused("server.updateEmail", email="a@mail.test")
    assert refusal == (401, "AuthMissing")


def a_forgotten_password_is_replaced_with_a_code(server: Subject) -> None:
    alice = server.member()
    server.anyone.post("server.requestPasswordReset", email=alice.email)
    server.anyone.post("server.resetPassword", token=_code(alice), password="new-word")
    assert alice.sign_in("new-word").did == alice.did


def the_forgotten_password_opens_nothing(server: Subject) -> None:
    alice = _reset(server)
    body = {"identifier": alice.did, "password": PASSWORD}
    assert server.anyone.post_refused("server.createSession", **body)[0] == 401


def a_code_replaces_a_password_once(server: Subject) -> None:
    alice = _reset(server)
    body = {"token": _code(alice), "password": "again"}
    assert server.anyone.post_refused("server.resetPassword", **body) == BAD_TOKEN


def a_wrong_code_replaces_no_password(server: Subject) -> None:
    alice = server.member()
    server.anyone.post("server.requestPasswordReset", email=alice.email)
    body = {"token": WRONG, "password": "new-word"}
    assert server.anyone.post_refused("server.resetPassword", **body) == BAD_TOKEN
    assert alice.sign_in().did == alice.did


def a_new_password_ends_all_sessions(server: Subject) -> None:
    alice = _reset(server)
    refusal = alice.with_refresh().post_refused("server.refreshSession")
    assert refusal == (400, "ExpiredToken")


def a_new_password_may_not_be_too_long(server: Subject) -> None:
    alice = server.member()
    server.anyone.post("server.requestPasswordReset", email=alice.email)
    body = {"token": _code(alice), "password": "x" * 257}
    assert server.anyone.post_refused("server.resetPassword", **body) == (400, "InvalidRequest")
    assert alice.sign_in().did == alice.did


def a_password_is_forgotten_in_capitals_too(server: Subject) -> None:
    alice = server.member()
    server.anyone.post("server.requestPasswordReset", email=alice.email.upper())
    server.anyone.post("server.resetPassword", token=_code(alice), password="new-word")
    assert alice.sign_in("new-word").did == alice.did


def the_code_for_an_address_replaces_no_password(server: Subject) -> None:
    alice = server.member()
    alice.post("server.requestEmailConfirmation")
    body = {"token": _code(alice), "password": "new-word"}
    assert server.anyone.post_refused("server.resetPassword", **body) == BAD_TOKEN


def _reset(server: Subject) -> Account:
    alice = server.member()
    server.anyone.post("server.requestPasswordReset", email=alice.email)
    server.anyone.post("server.resetPassword", token=_code(alice), password="new-word")
    return alice
