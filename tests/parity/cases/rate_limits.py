"""How often is too often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.parity.subject import Account, Subject

NUMBERS = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "ratelimit-policy")


def _limited(server: Subject) -> Subject:
    return server.other("limits")


def an_answer_tells_what_is_left(server: Subject) -> None:
    answer = _limited(server).anyone.ask("GET", "server.describeServer")
    assert all(name in answer.headers for name in NUMBERS)


def what_is_left_falls_with_each_request(server: Subject) -> None:
    limited = _limited(server)
    left = [
        int(limited.anyone.ask("GET", "server.describeServer").headers["ratelimit-remaining"])
        for _ in range(3)
    ]
    assert left[0] > left[1] > left[2]


def an_address_has_three_thousand_requests_in_five_minutes(server: Subject) -> None:
    answer = _limited(server).anyone.ask("GET", "server.describeServer")
    assert (answer.headers["ratelimit-limit"], answer.headers["ratelimit-policy"]) == (
        "3000",
        "3000;w=300",
    )


def _guesses(limited: Subject, alice: Account) -> list[httpx.Response]:
    """The answers to 31 wrong passwords at nearly the same time, refusals last."""
    body = {"identifier": alice.handle, "password": "wrong"}
    with ThreadPoolExecutor(8) as pool:
        asked = [
            pool.submit(limited.anyone.ask, "POST", "server.createSession", json=body)
            for _ in range(31)
        ]
        answers: list[httpx.Response] = [each.result() for each in asked]
    return sorted(answers, key=lambda answer: answer.status_code)


def nobody_guesses_a_password_more_than_thirty_times(server: Subject) -> None:
    limited = _limited(server)
    alice = limited.member()
    assert [answer.status_code for answer in _guesses(limited, alice)] == [401] * 30 + [429]


def another_account_can_still_be_signed_in_to(server: Subject) -> None:
    limited = _limited(server)
    alice, bob = limited.member(), limited.member()
    _guesses(limited, alice)
    assert bob.sign_in().did == bob.did


def a_refusal_names_itself(server: Subject) -> None:
    limited = _limited(server)
    alice = limited.member()
    answer = _guesses(limited, alice)[-1]
    assert answer.json()["error"] == "RateLimitExceeded"
    assert answer.headers["ratelimit-remaining"] == "0"


def a_handle_changes_ten_times_in_five_minutes(server: Subject) -> None:
    limited = _limited(server)
    alice = limited.member()
    statuses = [
        alice.ask("POST", "identity.updateHandle", json={"handle": alice.handle}).status_code
        for _ in range(11)
    ]
    assert statuses == [200] * 10 + [429]


def a_code_is_sent_five_times_an_hour(server: Subject) -> None:
    limited = _limited(server)
    alice = limited.member()
    statuses = [alice.ask("POST", "server.requestAccountDelete").status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]


def a_server_without_limits_says_nothing_of_them(server: Subject) -> None:
    answer = server.anyone.ask("GET", "server.describeServer")
    assert "ratelimit-limit" not in answer.headers
