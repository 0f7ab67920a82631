"""The XRPC application itself: verbs, bodies, CORS, what it answers to what it does not know."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest

from adapters.atproto import face
from adapters.atproto.xrpc.call import JSON
from adapters.atproto.xrpc.router import Router
from pod.model.ids import Nsid
from tests.kit.house import LEXICONS
from tests.kit.xrpc import Pod, in_pod

SESSION = "/xrpc/com.atproto.server.createSession"
DESCRIBE = "/xrpc/com.atproto.server.describeServer"
JSON_TYPE = {"content-type": "application/json"}


def test_every_method_agrees_with_its_lexicon():
    for method in face.METHODS:
        if method.nsid.startswith("_"):
            continue  # our own, of no lexicon
        main = LEXICONS.definition(Nsid(method.nsid))["defs"]["main"]
        assert main["type"] == ("query" if method.is_query else "procedure"), method.nsid
        assert main.get("input", {}).get("encoding") == method.input, method.nsid
        assert method.limit > 0
        assert method.input == JSON or method.limit == 150 * 1024


def test_no_method_is_declared_twice():
    names = [method.nsid for method in face.METHODS]
    assert len(names) == len(set(names))


def test_only_xrpc_and_robots_are_ours():
    assert Router.serves("/xrpc/com.atproto.server.describeServer")
    assert Router.serves("/robots.txt")
    assert not Router.serves("/xrpcx")
    assert not Router.serves("/repo/app.bsky.feed.post/1")


def test_the_wrong_verb_is_told_the_right_one():
    async def story(pod: Pod):
        reply = await pod.ask("POST", DESCRIBE)
        assert (reply.status, reply.json["message"]) == (
            400,
            "Incorrect HTTP method (POST) expected GET",
        )
        reply = await pod.ask("GET", SESSION)
        assert reply.json["message"] == "Incorrect HTTP method (GET) expected POST"
        for verb in ("PUT", "DELETE", "PATCH"):
            for path in (DESCRIBE, SESSION, "/xrpc/com.example.unknown"):
                assert (await pod.ask(verb, path)).status == 400

    in_pod(story)


def test_an_unknown_method_is_not_implemented():
    async def story(pod: Pod):
        reply = await pod.ask("GET", "/xrpc/com.example.unknown")
        assert (reply.status, reply.error) == (501, "MethodNotImplemented")
        for path in ("/xrpc/", "/xrpc/x", "/xrpc/a.b.c/d", "/xrpc/%00", "/xrpc/../x"):
            reply = await pod.ask("GET", path)
            assert (reply.status, reply.json["message"]) == (400, "invalid xrpc path"), path

    in_pod(story)


def test_health_and_robots_are_answered():
    async def story(pod: Pod):
        assert (await pod.ask("GET", "/xrpc/_health")).json == {"version": "test"}
        robots = await pod.ask("GET", "/robots.txt")
        assert (robots.status, b"User-agent: *" in robots.body) == (200, True)

    in_pod(story)


def test_a_head_request_has_the_headers_of_a_get_and_no_body():
    async def story(pod: Pod):
        got, head = await pod.ask("GET", DESCRIBE), await pod.ask("HEAD", DESCRIBE)
        assert head.body == b""
        assert head.headers == got.headers
        assert head.headers["content-length"] == str(len(got.body))

    in_pod(story)


def test_any_page_may_call_from_a_browser():
    async def story(pod: Pod):
        asked = {"origin": "https://app.example", "access-control-request-headers": "x-a, dpop"}
        reply = await pod.ask("OPTIONS", SESSION, headers=asked)
        assert reply.status == 204
        assert reply.headers["access-control-allow-origin"] == "*"
        assert reply.headers["access-control-allow-headers"] == "x-a, dpop"
        assert "POST" in reply.headers["access-control-allow-methods"]
        for path in (DESCRIBE, "/xrpc/com.example.unknown"):
            reply = await pod.ask("GET", path)
            assert reply.headers["access-control-allow-origin"] == "*"

    in_pod(story)


def test_answers_to_members_are_private():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        reply = await pod.get("com.atproto.server.getSession", alice.access)
        assert reply.headers["cache-control"] == "private"
        assert reply.headers["vary"] == "Authorization"

    in_pod(story)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (None, {}, 400),
        (b"", JSON_TYPE, 400),
        (b"{", JSON_TYPE, 400),
        (b"[]", JSON_TYPE, 400),
        (b'"text"', JSON_TYPE, 400),
        (b"\xff\xfe", JSON_TYPE, 400),
        (b'{"identifier":"\\ud800","password":"x"}', JSON_TYPE, 400),
        (b'{"identifier":1,"password":"x"}', JSON_TYPE, 400),
        (b'{"identifier":"x"}', JSON_TYPE, 400),
        (b'{"identifier":NaN,"password":"x"}', JSON_TYPE, 400),
        (b"[" * 5000, JSON_TYPE, 400),
        (b'{"a":' * 500 + b"1" + b"}" * 500, JSON_TYPE, 400),
        (b"{}", {"content-type": "text/plain"}, 400),
        (b"{}", {"content-type": "nonsense"}, 400),
        (b"{}", {}, 400),
        (b"{}", JSON_TYPE | {"content-encoding": "br"}, 415),
        (b"{}", JSON_TYPE | {"content-encoding": "gzip"}, 400),
        (gzip.compress(b"{}")[:-9], JSON_TYPE | {"content-encoding": "gzip"}, 400),
        (b" " * 153_601, JSON_TYPE, 413),
        (gzip.compress(b" " * 10_000_000), JSON_TYPE | {"content-encoding": "gzip"}, 413),
    ],
)
def test_a_bad_body_gets_a_clear_error(body, headers, status):
    async def story(pod: Pod):
        reply = await pod.ask("POST", SESSION, body=body, headers=headers)
        assert reply.status == status, reply.body
        assert reply.error

    in_pod(story)


def test_compressed_bodies_are_read():
    async def story(pod: Pod):
        plain = json.dumps({"handle": "alice.test", "email": "a@b.example"}).encode()
        path = "/xrpc/com.atproto.server.createAccount"
        for name, body in (("gzip", gzip.compress(plain)), ("deflate", zlib.compress(plain))):
            headers = JSON_TYPE | {"content-encoding": name}
            reply = await pod.ask("POST", path, body=body, headers=headers)
            assert reply.json.get("handle", "alice.test") == "alice.test"
            assert reply.status == 200 or reply.error == "HandleNotAvailable"

    in_pod(story)


def test_a_body_where_none_belongs_is_refused():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        path = "/xrpc/com.atproto.server.refreshSession"
        reply = await pod.ask("POST", path, body=b"{}", token=alice.refresh)
        assert reply.json["message"] == "A request body was provided when none was expected"
        assert (await pod.ask("POST", path, body=b"", token=alice.refresh)).status == 200

    in_pod(story)


def test_a_broken_query_string_is_refused():
    async def story(pod: Pod):
        path = "/xrpc/com.atproto.identity.resolveHandle"
        for query in ("handle=%ff", "handle=\udcff", "handle=" + "a" * 20_000, "&&&=", "handle"):
            assert (await pod.ask("GET", path, query)).status == 400, query

    in_pod(story)


def test_a_crash_tells_the_caller_nothing():
    async def story(pod: Pod):
        async def explode(*_args, **_kwargs):
            raise RuntimeError("a secret")

        pod.directory.resolve_handle = explode
        reply = await pod.get("com.atproto.identity.resolveHandle", handle="far.example")
        assert reply.status == 500
        assert reply.json == {"error": "InternalServerError", "message": "Internal Server Error"}

    in_pod(story)


def test_the_firehose_is_not_for_plain_requests():
    async def story(pod: Pod):
        path = "/xrpc/com.atproto.sync.subscribeRepos"
        assert (await pod.ask("GET", path)).status == 426
        assert (await pod.ask("POST", path)).status == 405

    in_pod(story)


def test_a_subscription_is_served_from_its_cursor():
    async def story(pod: Pod):
        await pod.join("alice")
        path = "/xrpc/com.atproto.sync.subscribeRepos"
        frames = [frame for _, frame in pod.store.frames(after=0, limit=100)]
        sent = await pod.connect(path, "cursor=0", until=1 + len(frames))
        assert sent[0]["type"] == "websocket.accept"
        assert [message["bytes"] for message in sent[1:]] == frames
        for refused in ((path, "cursor=x"), ("/xrpc/com.example.other", "")):
            [answer] = await pod.connect(*refused, until=1)
            assert answer["type"] == "websocket.close"

    in_pod(story)
