"""Methods of other services, passed on in the member's name."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tests.parity.listing import differs
from tests.parity.subject import Account, Json, Subject, claims

ECHO = "app.bsky.feed.getPosts"
BAD = (400, "InvalidRequest")


def _to(server: Subject, service: str = "atproto_labeler") -> Json:
    return {"atproto-proxy": f"{server.upstream.did}#{service}"}


def _echo(alice: Account, headers: Json | None = None, **params: object) -> Json:
    answer = alice.ask("GET", ECHO, headers=headers, params=params)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


def _failing(alice: Account, method: str) -> tuple[int, str]:
    answer = alice.ask("GET", f"com.example.{method}", headers=_to(alice.server))
    return answer.status_code, answer.json()["error"]


def a_method_of_the_appview_is_passed_on(server: Subject) -> None:
    told = _echo(server.member(), uris="at://a")
    assert (told["method"], told["query"]) == (ECHO, [["uris", "at://a"]])


def a_call_is_passed_on_with_a_token_of_the_member(server: Subject) -> None:
    alice = server.member()
    kind, _, token = _echo(alice)["headers"]["authorization"].partition(" ")
    told = claims(token)
    assert kind == "Bearer"
    assert (told["iss"], told["lxm"]) == (alice.did, ECHO)
    assert told["aud"].partition("#")[0] == server.upstream.did


def the_members_own_token_is_passed_on_to_nobody(server: Subject) -> None:
    alice = server.member()
    assert alice.access not in _echo(alice)["headers"]["authorization"]


def repeated_parameters_are_passed_on_in_order(server: Subject) -> None:
    answer = server.member().ask("GET", ECHO, params=[("uris", "b"), ("uris", "a")])
    assert answer.json()["query"] == [["uris", "b"], ["uris", "a"]]


def a_procedure_is_passed_on_with_its_body(server: Subject) -> None:
    told = server.member().post("app.bsky.graph.muteActor", actor="did:plc:x")
    assert told["verb"] == "POST"
    assert '"did:plc:x"' in told["body"]


def a_header_names_the_service_that_answers(server: Subject) -> None:
    told = _echo(server.member(), _to(server))
    assert told["method"] == ECHO


def a_method_nobody_knows_is_passed_on_to_the_service_that_is_named(server: Subject) -> None:
    alice = server.member()
    answer = alice.ask("GET", "com.example.anything", headers=_to(server))
    assert answer.json()["method"] == "com.example.anything"


def a_service_that_is_not_named_in_full_is_refused(server: Subject) -> None:
    alice = server.member()
    for header in (server.upstream.did, "nonsense", "#atproto_labeler", f"{server.upstream.did}#"):
        answer = alice.ask("GET", ECHO, headers={"atproto-proxy": header})
        assert answer.status_code == 400, header


def a_service_with_a_space_in_its_name_is_refused(server: Subject) -> None:
    header = {"atproto-proxy": f"{server.upstream.did} #atproto_labeler"}
    assert server.member().ask("GET", ECHO, headers=header).status_code == 400


def a_service_with_two_fragments_is_refused(server: Subject) -> None:
    header = {"atproto-proxy": f"{server.upstream.did}#a#b"}
    assert server.member().ask("GET", ECHO, headers=header).status_code == 400


def a_did_that_does_not_exist_is_refused(server: Subject) -> None:
    header = {"atproto-proxy": "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa#atproto_labeler"}
    answer = server.member().ask("GET", ECHO, headers=header)
    assert (answer.status_code, answer.json()["error"]) == BAD


def a_service_that_the_did_does_not_have_is_refused(server: Subject) -> None:
    answer = server.member().ask("GET", ECHO, headers=_to(server, "nothing"))
    assert (answer.status_code, answer.json()["error"]) == BAD


def languages_and_labelers_are_passed_on(server: Subject) -> None:
    headers = {"accept-language": "pl", "atproto-accept-labelers": "did:plc:labeler"}
    told = _echo(server.member(), headers)["headers"]
    assert told["accept-language"] == "pl"
    assert told["atproto-accept-labelers"] == "did:plc:labeler"


def topics_are_passed_on(server: Subject) -> None:
    assert _echo(server.member(), {"x-bsky-topics": "a,b"})["headers"]["x-bsky-topics"] == "a,b"


def headers_of_the_browser_are_passed_on_to_nobody(server: Subject) -> None:
    headers = {"cookie": "secret=1", "x-forwarded-for": "192.0.2.1", "origin": "https://a.example"}
    told = _echo(server.member(), headers)["headers"]
    assert not {"cookie", "origin"} & told.keys()


def rev_and_labelers_of_the_answer_come_back(server: Subject) -> None:
    answer = server.member().ask("GET", "com.example.labels", headers=_to(server))
    assert answer.headers["atproto-repo-rev"] == "3kabcdefghi2j"
    assert answer.headers["atproto-content-labelers"] == "did:plc:labeler;redact"


def other_headers_of_the_answer_do_not_come_back(server: Subject) -> None:
    answer = server.member().ask("GET", "com.example.labels", headers=_to(server))
    assert not {"set-cookie", "x-internal"} & set(answer.headers)


def an_answer_comes_back_with_its_type(server: Subject) -> None:
    answer = server.member().ask("GET", ECHO)
    assert answer.headers["content-type"].startswith("application/json")


def a_refusal_comes_back_as_it_is(server: Subject) -> None:
    assert _failing(server.member(), "refuses") == (400, "NoSuchThing")


def a_failure_of_the_service_is_none_of_ours(server: Subject) -> None:
    assert _failing(server.member(), "failsInside") == (502, "InternalServerError")


def a_service_that_hangs_up_is_an_upstream_failure(server: Subject) -> None:
    assert _failing(server.member(), "hangsUp") == (502, "UpstreamFailure")


def a_service_that_does_not_answer_disturbs_nobody(server: Subject) -> None:
    alice = server.member()
    with ThreadPoolExecutor(6) as pool:
        slow = [pool.submit(_slow, alice) for _ in range(5)]
        begin = time.monotonic()
        alice.get("server.getSession")
        assert time.monotonic() - begin < 5
        assert all(each.result() for each in slow)


def _slow(alice: Account) -> bool:
    answer = alice.ask("GET", "com.example.slow", headers=_to(alice.server))
    told: Json = answer.json()
    return told["slow"] is True


def a_compressed_answer_can_be_read(server: Subject) -> None:
    headers = _to(server) | {"accept-encoding": "gzip"}
    answer = server.member().ask("GET", "com.example.compresses", headers=headers)
    assert answer.json()["text"].startswith("long long")


@differs("Who asks for no compression gets none, whatever the service sent.")
def a_compressed_answer_is_opened_for_who_reads_none(server: Subject) -> None:
    headers = _to(server) | {"accept-encoding": "identity"}
    answer = server.member().ask("GET", "com.example.compresses", headers=headers)
    assert answer.headers.get("content-encoding", "identity") == "identity"
    assert answer.json()["text"].startswith("long long")


def nobody_is_passed_on_without_signing_in(server: Subject) -> None:
    assert server.anyone.get_refused(ECHO) == (401, "AuthMissing")


def a_record_of_a_repo_elsewhere_is_asked_of_the_appview(server: Subject) -> None:
    where = {
        "repo": "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa",
        "collection": "app.bsky.feed.post",
        "rkey": "3kabcdefghi2j",
    }
    told = server.anyone.get("repo.getRecord", **where)
    assert told["method"] == "com.atproto.repo.getRecord"
    assert dict(told["query"]) == where


def a_session_is_never_asked_of_others(server: Subject) -> None:
    alice = server.member()
    answer = alice.ask("GET", "server.getSession", headers=_to(server))
    assert answer.json()["did"] == alice.did
