"""The server itself, and how it speaks HTTP."""

from __future__ import annotations

import gzip
import json

from tests.parity.listing import differs
from tests.parity.subject import POST, Subject, post, write


def a_server_describes_itself(server: Subject) -> None:
    told = server.anyone.get("server.describeServer")
    assert told["did"].startswith("did:web:localhost")
    assert told["availableUserDomains"] == [".test"]
    assert told["inviteCodeRequired"] is False


def a_server_tells_how_large_a_blob_may_be(server: Subject) -> None:
    assert server.anyone.get("server.describeServer")["blobUploadLimit"] > 1_000_000


def a_server_that_is_well_says_so(server: Subject) -> None:
    assert server.anyone.get("_health")["version"]


def crawlers_may_read_the_api(server: Subject) -> None:
    answer = server.http.get("/robots.txt")
    assert answer.status_code == 200
    assert "Allow: /" in answer.text


def an_address_that_is_nothing_is_not_found(server: Subject) -> None:
    assert server.http.get("/no/such/page").status_code == 404


def an_unknown_method_is_not_implemented(server: Subject) -> None:
    answer = server.anyone.ask("GET", "com.example.nothing")
    assert answer.status_code in (401, 501)


def a_path_that_is_no_method_is_refused(server: Subject) -> None:
    answer = server.http.get("/xrpc/nonsense")
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] in ("InvalidRequest", "AuthMissing")


def a_query_that_is_posted_is_refused(server: Subject) -> None:
    answer = server.anyone.ask("POST", "server.describeServer")
    assert (answer.status_code, answer.json()["error"]) == (400, "InvalidRequest")


def a_procedure_that_is_queried_is_refused(server: Subject) -> None:
    answer = server.anyone.ask("GET", "server.createSession")
    assert (answer.status_code, answer.json()["error"]) == (400, "InvalidRequest")


def another_verb_is_refused(server: Subject) -> None:
    assert 400 <= server.anyone.ask("DELETE", "server.createSession").status_code < 500


def a_body_that_is_no_json_is_refused(server: Subject) -> None:
    headers = {"content-type": "application/json"}
    answer = server.anyone.ask("POST", "server.createSession", content=b"{", headers=headers)
    assert answer.status_code == 400


def a_body_that_is_a_list_is_refused(server: Subject) -> None:
    answer = server.anyone.ask("POST", "server.createSession", json=[])
    assert (answer.status_code, answer.json()["error"]) == (400, "InvalidRequest")


def a_missing_body_is_refused(server: Subject) -> None:
    answer = server.anyone.ask("POST", "server.createSession")
    assert (answer.status_code, answer.json()["error"]) == (400, "InvalidRequest")


def a_body_of_another_type_is_refused(server: Subject) -> None:
    headers = {"content-type": "text/plain"}
    answer = server.anyone.ask("POST", "server.createSession", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "InvalidRequest")


def a_json_body_may_name_its_charset(server: Subject) -> None:
    alice = server.member()
    body = {"identifier": alice.did, "password": alice.password}
    answer = server.anyone.ask(
        "POST",
        "server.createSession",
        content=json.dumps(body),
        headers={"content-type": "application/json; charset=utf-8"},
    )
    assert answer.status_code == 200


def a_json_body_may_be_compressed(server: Subject) -> None:
    alice = server.member()
    body = {"identifier": alice.did, "password": alice.password}
    answer = server.anyone.ask(
        "POST",
        "server.createSession",
        content=gzip.compress(json.dumps(body).encode()),
        headers={"content-type": "application/json", "content-encoding": "gzip"},
    )
    assert answer.status_code == 200


def a_json_body_over_the_limit_is_refused(server: Subject) -> None:
    body = {"identifier": "x" * 160_000, "password": "x"}
    assert server.anyone.ask("POST", "server.createSession", json=body).status_code == 413


def a_body_where_none_is_wanted_is_refused(server: Subject) -> None:
    alice = server.member()
    answer = alice.with_refresh().ask("POST", "server.refreshSession", json={"a": 1})
    assert (answer.status_code, answer.json()["error"]) == (400, "InvalidRequest")


def an_error_is_told_as_name_and_message(server: Subject) -> None:
    answer = server.anyone.ask("GET", "server.getSession")
    assert set(answer.json()) == {"error", "message"}
    assert answer.headers["content-type"].startswith("application/json")


def pages_of_any_origin_may_read(server: Subject) -> None:
    headers = {"origin": "https://app.example"}
    answer = server.anyone.ask("GET", "server.describeServer", headers=headers)
    assert answer.headers["access-control-allow-origin"] == "*"


def pages_of_any_origin_may_read_errors_too(server: Subject) -> None:
    headers = {"origin": "https://app.example"}
    answer = server.anyone.ask("GET", "server.getSession", headers=headers)
    assert answer.headers["access-control-allow-origin"] == "*"


def pages_of_any_origin_may_ask_before_they_call(server: Subject) -> None:
    headers = {
        "origin": "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,atproto-proxy",
    }
    answer = server.http.options("/xrpc/com.atproto.repo.createRecord", headers=headers)
    assert answer.status_code in (200, 204)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "atproto-proxy" in answer.headers["access-control-allow-headers"].lower()


def a_page_asks_again_after_a_day(server: Subject) -> None:
    headers = {"origin": "https://app.example", "access-control-request-method": "POST"}
    answer = server.http.options("/xrpc/com.atproto.repo.createRecord", headers=headers)
    assert answer.headers["access-control-max-age"] == "86400"


def answers_to_members_are_kept_by_no_cache(server: Subject) -> None:
    answer = server.member().ask("GET", "server.getSession")
    assert "private" in answer.headers["cache-control"]
    assert "authorization" in answer.headers["vary"].lower()


@differs("Compression is left to the web server in front, alike for all protocols of the pod.")
def a_large_answer_is_sent_as_it_is(server: Subject) -> None:
    alice = server.member()
    alice.apply(*[write("create", value=post("long " * 20)) for _ in range(100)])
    where = {"repo": alice.did, "collection": POST, "limit": 100}
    headers = {"accept-encoding": "gzip"}
    answer = server.anyone.ask("GET", "repo.listRecords", params=where, headers=headers)
    assert "content-encoding" not in answer.headers


@differs("Compression is left to the web server in front: an export costs none of it here.")
def a_repo_is_sent_as_it_is(server: Subject) -> None:
    alice = server.member()
    alice.apply(*[write("create", value=post("long " * 20)) for _ in range(100)])
    headers = {"accept-encoding": "gzip"}
    answer = server.anyone.ask("GET", "sync.getRepo", params={"did": alice.did}, headers=headers)
    assert "content-encoding" not in answer.headers


def a_small_answer_is_not_compressed(server: Subject) -> None:
    headers = {"accept-encoding": "gzip"}
    answer = server.anyone.ask("GET", "_health", headers=headers)
    assert "content-encoding" not in answer.headers


def who_reads_no_compression_gets_none(server: Subject) -> None:
    alice = server.member()
    alice.apply(*[write("create", value=post("long " * 20)) for _ in range(50)])
    where = {"repo": alice.did, "collection": POST}
    answer = server.anyone.ask("GET", "repo.listRecords", params=where)
    assert "content-encoding" not in answer.headers


def a_parameter_that_is_given_twice_is_refused_where_one_is_wanted(server: Subject) -> None:
    alice = server.member()
    params = [("did", alice.did), ("did", alice.did)]
    assert server.anyone.ask("GET", "sync.getLatestCommit", params=params).status_code == 400


def a_parameter_that_nobody_knows_is_ignored(server: Subject) -> None:
    alice = server.member()
    assert server.anyone.get("sync.getLatestCommit", did=alice.did, more="x") == alice.head()


@differs("A did:web of the server has its document where the method says; the reference has none.")
def the_did_of_the_server_has_a_document(server: Subject) -> None:
    answer = server.http.get("/.well-known/did.json")
    assert answer.status_code == 200
    assert answer.json()["id"] == server.did


def a_signup_queue_lets_everybody_through(server: Subject) -> None:
    assert server.member().get("temp.checkSignupQueue") == {"activated": True}
