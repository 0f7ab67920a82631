"""Sessions: opened, renewed, ended."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tests.parity.subject import PASSWORD, Caller, Subject, claims

NO = (401, "AuthenticationRequired")


def a_new_account_comes_with_a_session(server: Subject) -> None:
    alice = server.member()
    assert alice.get("server.getSession")["did"] == alice.did


def a_session_is_opened_with_handle_and_password(server: Subject) -> None:
    alice = server.member()
    session = server.anyone.post("server.createSession", identifier=alice.handle, password=PASSWORD)
    assert session["did"] == alice.did
    assert Caller(server, f"Bearer {session['accessJwt']}").get("server.getSession")


def a_session_is_opened_with_the_did(server: Subject) -> None:
    alice = server.member()
    assert alice.sign_in().did == alice.did


def a_session_is_opened_with_the_mail_address(server: Subject) -> None:
    alice = server.member()
    session = server.anyone.post("server.createSession", identifier=alice.email, password=PASSWORD)
    assert session["did"] == alice.did


def a_mail_address_is_the_same_in_capitals(server: Subject) -> None:
    alice = server.member()
    session = server.anyone.post(
        "server.createSession", identifier=alice.email.upper(), password=PASSWORD
    )
    assert session["did"] == alice.did


def a_handle_is_the_same_in_capitals(server: Subject) -> None:
    alice = server.member()
    session = server.anyone.post(
        "server.createSession", identifier=alice.handle.upper(), password=PASSWORD
    )
    assert session["did"] == alice.did


def a_new_session_tells_who_it_is_for(server: Subject) -> None:
    alice = server.member()
    session = server.anyone.post("server.createSession", identifier=alice.did, password=PASSWORD)
    told = {name: session[name] for name in ("did", "handle", "email", "emailConfirmed", "active")}
    assert told == {
        "did": alice.did,
        "handle": alice.handle,
        "email": alice.email,
        "emailConfirmed": False,
        "active": True,
    }


def a_session_tells_who_it_is_for(server: Subject) -> None:
    alice = server.member()
    told = alice.get("server.getSession")
    assert (told["did"], told["handle"], told["email"]) == (alice.did, alice.handle, alice.email)
    assert told["active"] is True
    assert told["emailConfirmed"] is False


def a_session_shows_the_did_document(server: Subject) -> None:
    alice = server.member()
    assert alice.get("server.getSession")["didDoc"]["id"] == alice.did


def a_wrong_password_opens_no_session(server: Subject) -> None:
    alice = server.member()
    body = {"identifier": alice.handle, "password": "wrong"}
    assert server.anyone.post_refused("server.createSession", **body) == NO


def a_stranger_is_refused_in_the_same_words_as_a_member(server: Subject) -> None:
    alice = server.member()
    answers = [
        server.anyone.ask(
            "POST", "server.createSession", json={"identifier": who, "password": "wrong"}
        )
        for who in (alice.handle, "nobody-at-all.test", "nobody@mail.test", alice.email)
    ]
    assert len({(answer.status_code, answer.text) for answer in answers}) == 1


def a_refusal_takes_as_long_for_a_stranger_as_for_a_member(server: Subject) -> None:
    alice = server.member()
    took = []
    for who in (alice.handle, "nobody-at-all.test"):
        begin = time.monotonic()
        server.anyone.post_refused("server.createSession", identifier=who, password="wrong")
        took.append(time.monotonic() - begin)
    assert min(took) >= 0.34


def a_password_beyond_all_measure_is_refused(server: Subject) -> None:
    alice = server.member()
    body = {"identifier": alice.handle, "password": "x" * 513}
    assert server.anyone.post_refused("server.createSession", **body)[0] == 401


def a_missing_password_is_a_bad_request(server: Subject) -> None:
    refusal = server.anyone.post_refused("server.createSession", identifier="alice.test")
    assert refusal == (400, "InvalidRequest")


def an_access_token_says_what_it_is_for(server: Subject) -> None:
    alice = server.member()
    told = claims(alice.access)
    assert (told["scope"], told["sub"]) == ("com.atproto.access", alice.did)
    assert told["aud"] == server.did
    assert told["exp"] - told["iat"] == 7200


def a_refresh_token_says_what_it_is_for(server: Subject) -> None:
    alice = server.member()
    told = claims(alice.refresh)
    assert (told["scope"], told["sub"]) == ("com.atproto.refresh", alice.did)
    assert told["jti"]
    assert told["exp"] - told["iat"] == 90 * 86400


def a_refresh_gives_a_new_pair(server: Subject) -> None:
    alice = server.member()
    told = alice.with_refresh().post("server.refreshSession")
    assert (told["did"], told["handle"]) == (alice.did, alice.handle)
    assert told["refreshJwt"] != alice.refresh
    assert (
        Caller(server, f"Bearer {told['accessJwt']}").get("server.getSession")["did"] == alice.did
    )


def a_refresh_gives_the_same_successor_again_for_a_while(server: Subject) -> None:
    alice = server.member()
    first = alice.with_refresh().post("server.refreshSession")["refreshJwt"]
    again = alice.with_refresh().post("server.refreshSession")["refreshJwt"]
    assert claims(first)["jti"] == claims(again)["jti"] != claims(alice.refresh)["jti"]


def refreshes_at_the_same_time_agree(server: Subject) -> None:
    alice = server.member()
    with ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(alice.with_refresh().post, "server.refreshSession") for _ in range(5)]
        ids = {claims(each.result()["refreshJwt"])["jti"] for each in asked}
    assert len(ids) == 1


def a_refresh_can_be_refreshed_in_turn(server: Subject) -> None:
    alice = server.member()
    token = alice.refresh
    seen = set()
    for _ in range(3):
        seen.add(claims(token)["jti"])
        token = alice.with_refresh(token).post("server.refreshSession")["refreshJwt"]
    assert len(seen) == 3


def an_access_token_renews_nothing(server: Subject) -> None:
    alice = server.member()
    assert alice.post_refused("server.refreshSession") == (400, "InvalidToken")


def a_refresh_token_opens_nothing(server: Subject) -> None:
    alice = server.member()
    assert alice.with_refresh().get_refused("server.getSession") == (400, "InvalidToken")


def a_session_that_was_ended_is_not_renewed(server: Subject) -> None:
    alice = server.member()
    alice.with_refresh().post("server.deleteSession")
    refusal = alice.with_refresh().post_refused("server.refreshSession")
    assert refusal == (400, "ExpiredToken")


def ending_one_session_leaves_the_others(server: Subject) -> None:
    alice = server.member()
    other = alice.sign_in()
    alice.with_refresh().post("server.deleteSession")
    assert other.with_refresh().post("server.refreshSession")["did"] == alice.did


def an_access_token_ends_no_session(server: Subject) -> None:
    alice = server.member()
    assert alice.post_refused("server.deleteSession") == (400, "InvalidToken")
    alice.with_refresh().post("server.refreshSession")


def nobody_has_a_session_without_a_token(server: Subject) -> None:
    assert server.anyone.get_refused("server.getSession") == (401, "AuthMissing")


def a_token_of_another_making_is_refused(server: Subject) -> None:
    forged = server.member().access.rpartition(".")[0] + ".AAAA"
    stranger = Caller(server, f"Bearer {forged}")
    assert stranger.get_refused("server.getSession") == (400, "InvalidToken")


def a_token_that_is_no_token_is_refused(server: Subject) -> None:
    assert Caller(server, "Bearer nonsense").get_refused("server.getSession") == (
        400,
        "InvalidToken",
    )


def the_administrator_has_no_session(server: Subject) -> None:
    assert server.admin.get_refused("server.getSession")[0] in (400, 401)


def the_word_bearer_may_be_in_any_case(server: Subject) -> None:
    alice = server.member()
    assert Caller(server, f"bearer {alice.access}").get("server.getSession")["did"] == alice.did


def an_account_that_is_complete_says_so(server: Subject) -> None:
    alice = server.member()
    alice.create()
    told = alice.get("server.checkAccountStatus")
    head = alice.head()
    assert (told["activated"], told["validDid"]) == (True, True)
    assert (told["repoCommit"], told["repoRev"]) == (head["cid"], head["rev"])
    assert (told["repoBlocks"], told["indexedRecords"]) == (3, 1)
    assert (told["expectedBlobs"], told["importedBlobs"]) == (0, 0)


def an_account_counts_its_blobs(server: Subject) -> None:
    alice = server.member()
    alice.create({"$type": "com.example.file", "file": alice.upload(b"one", "text/plain")})
    told = alice.get("server.checkAccountStatus")
    assert (told["expectedBlobs"], told["importedBlobs"]) == (1, 1)
