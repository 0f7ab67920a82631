"""Signing up."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.parity.listing import differs
from tests.parity.subject import PASSWORD, Json, Subject

BAD = (400, "InvalidRequest")
HANDLE = (400, "InvalidHandle")


def _refused(server: Subject, **more: object) -> tuple[int, str]:
    return server.anyone.post_refused("server.createAccount", **server.application(**more))


def a_new_account_gets_a_did_of_the_directory(server: Subject) -> None:
    assert re.fullmatch(r"did:plc:[a-z2-7]{24}", server.member().did)


def a_new_account_has_the_handle_that_was_asked_for(server: Subject) -> None:
    handle = f"{server.free_name()}.test"
    assert server.member(handle=handle).handle == handle


def a_handle_is_kept_in_small_letters(server: Subject) -> None:
    handle = f"{server.free_name()}.test"
    assert server.member(handle=handle.upper()).handle == handle


def a_did_is_registered_with_its_handle(server: Subject) -> None:
    alice = server.member()
    assert server.registered(alice.did)["alsoKnownAs"][0] == f"at://{alice.handle}"


def a_did_is_registered_with_this_server(server: Subject) -> None:
    service = server.registered(server.member().did)["services"]["atproto_pds"]
    assert service == {"type": "AtprotoPersonalDataServer", "endpoint": server.url}


def a_did_is_registered_with_a_signing_key(server: Subject) -> None:
    keys = server.registered(server.member().did)["verificationMethods"]
    assert keys["atproto"].startswith("did:key:zQ3s")


def a_did_is_the_hash_of_its_first_operation(server: Subject) -> None:
    alice = server.member()
    log = httpx.get(f"{server.plc_url}/{alice.did}/log").json()
    assert (len(log), log[0]["type"], log[0]["prev"]) == (1, "plc_operation", None)


def a_key_for_recovery_comes_before_the_servers_own(server: Subject) -> None:
    key = "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme"
    alice = server.member(recoveryKey=key)
    keys = server.registered(alice.did)["rotationKeys"]
    assert keys[0] == key
    assert len(keys) == 2


def a_key_for_recovery_that_is_no_key_is_refused(server: Subject) -> None:
    assert _refused(server, recoveryKey="nonsense")[0] >= 400


def a_new_account_shows_its_did_document(server: Subject) -> None:
    alice = server.member()
    assert alice.did_doc is not None
    assert alice.did_doc["id"] == alice.did
    assert f"at://{alice.handle}" in alice.did_doc["alsoKnownAs"]


@differs("The lexicon names the error HandleNotAvailable; the reference answers InvalidRequest.")
def the_refusal_of_a_taken_handle_says_so_by_name(server: Subject) -> None:
    alice = server.member()
    assert _refused(server, handle=alice.handle) == (400, "HandleNotAvailable")


@differs("The lexicon names the error HandleNotAvailable; the reference answers InvalidRequest.")
def the_refusal_of_a_taken_handle_in_capitals_says_so_by_name(server: Subject) -> None:
    alice = server.member()
    assert _refused(server, handle=alice.handle.upper()) == (400, "HandleNotAvailable")


@differs("A name of its own lets apps tell this refusal; the reference answers InvalidRequest.")
def the_refusal_of_a_taken_mail_address_says_so_by_name(server: Subject) -> None:
    assert _refused(server, email=server.member().email) == (400, "EmailTaken")


@differs("A name of its own lets apps tell this refusal; the reference answers InvalidRequest.")
def the_refusal_of_a_taken_mail_address_in_capitals_says_so_by_name(server: Subject) -> None:
    assert _refused(server, email=server.member().email.upper()) == (400, "EmailTaken")


def a_handle_or_mail_address_that_is_taken_is_refused(server: Subject) -> None:
    alice = server.member()
    for taken in ({"handle": alice.handle}, {"email": alice.email}):
        assert _refused(server, **taken)[0] == 400


def a_handle_or_mail_address_that_is_taken_is_refused_in_capitals_too(server: Subject) -> None:
    alice = server.member()
    for taken in ({"handle": alice.handle.upper()}, {"email": alice.email.upper()}):
        assert _refused(server, **taken)[0] == 400


def a_missing_mail_address_is_refused(server: Subject) -> None:
    given = server.application()
    del given["email"]
    assert server.anyone.post_refused("server.createAccount", **given) == BAD


def a_malformed_mail_address_is_refused(server: Subject) -> None:
    assert _refused(server, email="nonsense") == BAD


def a_mail_address_without_a_domain_is_refused(server: Subject) -> None:
    assert _refused(server, email="alice@localhost") == BAD


def a_missing_handle_is_refused(server: Subject) -> None:
    given = server.application()
    del given["handle"]
    assert server.anyone.post_refused("server.createAccount", **given) == BAD


def a_handle_without_a_dot_is_refused(server: Subject) -> None:
    assert _refused(server, handle="alice")[0] == 400


def a_handle_with_an_underscore_is_refused(server: Subject) -> None:
    assert _refused(server, handle="a_lice.test")[0] == 400


def a_handle_with_a_space_is_refused(server: Subject) -> None:
    assert _refused(server, handle="ali ce.test")[0] == 400


def a_handle_that_begins_with_a_hyphen_is_refused(server: Subject) -> None:
    assert _refused(server, handle="-alice.test")[0] == 400


def a_handle_that_ends_with_a_hyphen_is_refused(server: Subject) -> None:
    assert _refused(server, handle="alice-.test")[0] == 400


def a_handle_of_two_labels_under_the_domain_is_refused(server: Subject) -> None:
    assert _refused(server, handle="alice.smith.test") == HANDLE


@differs(
    "A member may bring a domain of their own to sign-up; the reference only gives out its own."
)
def a_handle_on_a_domain_of_ones_own_is_taken(server: Subject) -> None:
    handle = f"{server.free_name()}.example.com"
    assert server.member(handle=handle).handle == handle


def a_handle_of_two_letters_is_refused(server: Subject) -> None:
    assert _refused(server, handle="al.test") == HANDLE


def a_handle_of_nineteen_letters_is_refused(server: Subject) -> None:
    assert _refused(server, handle="a" * 19 + ".test") == HANDLE


def a_handle_of_eighteen_letters_is_taken(server: Subject) -> None:
    name = (server.free_name() + "x" * 18)[:18]
    assert server.member(handle=f"{name}.test").handle == f"{name}.test"


def a_handle_under_a_domain_that_is_no_part_of_the_network_is_refused(server: Subject) -> None:
    for domain in ("local", "onion", "invalid", "arpa", "internal", "alt"):
        assert _refused(server, handle=f"{server.free_name()}.{domain}") == HANDLE


def a_reserved_handle_is_refused(server: Subject) -> None:
    assert _refused(server, handle="about.test") == (400, "HandleNotAvailable")


def a_handle_that_sounds_official_is_refused(server: Subject) -> None:
    for name in ("admin", "support", "postmaster", "www"):
        assert _refused(server, handle=f"{name}.test")[0] == 400


def a_password_of_more_than_256_characters_is_refused(server: Subject) -> None:
    assert _refused(server, password="x" * 257) == BAD


def a_password_of_256_characters_is_taken(server: Subject) -> None:
    alice = server.member(password="x" * 256)
    assert alice.sign_in().did == alice.did


def an_operation_of_ones_own_is_refused(server: Subject) -> None:
    assert _refused(server, plcOp={"type": "plc_operation"}) == BAD


def a_did_of_ones_own_needs_a_token_of_its_own(server: Subject) -> None:
    did = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
    assert _refused(server, did=did) == (401, "AuthenticationRequired")


def a_body_that_is_not_what_the_schema_says_is_refused(server: Subject) -> None:
    assert _refused(server, password=5) == BAD


def of_two_who_want_a_handle_at_the_same_time_one_gets_it(server: Subject) -> None:
    handle = f"{server.free_name()}.test"

    def sign_up(_: int) -> int:
        body = server.application(handle=handle)
        status: int = server.anyone.ask("POST", "server.createAccount", json=body).status_code
        return status

    with ThreadPoolExecutor(5) as pool:
        statuses = sorted(pool.map(sign_up, range(5)))
    assert statuses[0] == 200
    assert all(status >= 400 for status in statuses[1:])


def of_two_who_want_a_mail_address_at_the_same_time_one_gets_it(server: Subject) -> None:
    email = f"{server.free_name()}@mail.test"

    def sign_up(_: int) -> Json:
        body = server.application(email=email)
        answer: Json = server.anyone.ask("POST", "server.createAccount", json=body).json()
        return answer

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(sign_up, range(4)))
    assert sum("did" in answer for answer in answers) == 1


def the_password_is_told_to_nobody(server: Subject) -> None:
    given = server.application()
    answer = server.anyone.ask("POST", "server.createAccount", json=given)
    assert PASSWORD not in answer.text
