"""Whatever is sent to whatever method: the protocol's own error, never a crash, nothing changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.atproto import face
from adapters.atproto.xrpc.call import JSON, Auth, Method
from tests.kit.house import LEXICONS
from tests.kit.xrpc import Person, Pod, in_pod

QUERIES = [m for m in face.METHODS if m.is_query and not m.nsid.startswith("_")]
PROCEDURES = [method for method in face.METHODS if not method.is_query and method.input == JSON]
STREAMS = [method for method in face.METHODS if method.input not in (JSON, None)]

SNIPPETS = st.sampled_from(
    [
        "",
        "alice.test",
        "did:plc:" + "a" * 24,
        "did:web:pods.example",
        "app.bsky.feed.post",
        "self",
        "3kaaaaaaaaaaa",
        "..",
        "0",
        "-1",
        "99999999999999999999",
        "true",
        "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a",
        "at://did:plc:abc/app.bsky.feed.post/1",
        "2026-01-01T00:00:00Z",
        "\x00",
        "'; DROP TABLE resources; --",
        "%",
        "_",
        "a" * 3000,
    ]
)
TEXTS = st.one_of(SNIPPETS, st.text(max_size=30))
SCALARS = st.one_of(
    TEXTS, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.just({})
)
SPECIAL = st.sampled_from(
    [
        {"$link": "nonsense"},
        {"$bytes": "%%"},
        {"$type": ""},
        {"$type": "blob", "ref": 1},
        {"$type": "app.bsky.feed.post"},
        {"$type": "com.atproto.repo.applyWrites#create", "collection": "a.b.c", "value": {}},
        {"$type": "com.atproto.repo.applyWrites#delete", "collection": "a.b.c", "rkey": "x"},
    ]
)
VALUES = st.recursive(
    st.one_of(SCALARS, SPECIAL),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)


def names_of(method: Method, part: str) -> list[str]:
    main = LEXICONS.definition(method.nsid)["defs"]["main"]
    schema = main.get("parameters") if part == "parameters" else main["input"]["schema"]
    return list((schema or {}).get("properties", {}))


def token_for(method: Method, person: Person) -> str | None:
    if method.auth in (Auth.REFRESH, Auth.REFRESH_EXPIRED):
        return person.refresh
    return None if method.auth is Auth.NONE else person.access


def check(pod: Pod, reply: Any, before: Any, *, may_write: bool) -> None:
    # Without an AppView there is nobody to ask: the protocol's own word for that is a 501.
    is_nowhere = reply.status == 501 and reply.error == "MethodNotImplemented"
    assert reply.status < 500 or is_nowhere, reply.body
    if reply.status >= 400:
        assert reply.error
        assert pod.state() == before
    elif not may_write:
        assert pod.state() == before


@pytest.mark.parametrize("method", QUERIES, ids=lambda method: method.nsid)
@settings(max_examples=15)
@given(data=st.data())
def test_queries_refuse_what_makes_no_sense(method: Method, data):
    names = [*names_of(method, "parameters"), "other"]
    pairs = data.draw(st.lists(st.tuples(st.sampled_from(names), TEXTS), max_size=5))

    async def story(pod: Pod):
        alice = await pod.join("alice")
        await pod.write_post(alice, "hello")
        before = pod.state()
        query = [(name, text.encode("utf-8", "surrogatepass")) for name, text in pairs]
        for token in (token_for(method, alice), None, alice.access, "nonsense"):
            reply = await pod.ask("GET", f"/xrpc/{method.nsid}", query, token=token)
            check(pod, reply, before, may_write=False)

    in_pod(story)


@pytest.mark.parametrize("method", PROCEDURES, ids=lambda method: method.nsid)
@settings(max_examples=15)
@given(data=st.data())
def test_procedures_refuse_what_makes_no_sense(method: Method, data):
    names = st.sampled_from([*names_of(method, "input"), "other"])
    body = data.draw(st.one_of(VALUES, st.dictionaries(names, VALUES, max_size=6)))

    async def story(pod: Pod):
        alice = await pod.join("alice")
        before = pod.state()
        reply = await pod.post(method.nsid, body, token_for(method, alice))
        check(pod, reply, before, may_write=True)

    in_pod(story)


@settings(max_examples=60)
@given(data=st.data())
def test_writes_with_any_record_are_taken_whole_or_refused(data):
    collections = st.sampled_from(
        ["app.bsky.feed.post", "app.bsky.actor.profile", "app.bsky.feed.like", "com.example.x"]
    )
    body = {
        "repo": "alice.test",
        "collection": data.draw(st.one_of(collections, TEXTS)),
        "record": data.draw(st.one_of(st.dictionaries(TEXTS, VALUES, max_size=5), VALUES)),
    }
    optional = st.fixed_dictionaries(
        {}, optional={"rkey": TEXTS, "validate": st.booleans(), "swapCommit": TEXTS}
    )
    body |= data.draw(optional)

    async def story(pod: Pod):
        alice = await pod.join("alice")
        for nsid in ("com.atproto.repo.createRecord", "com.atproto.repo.putRecord"):
            before = pod.state()
            reply = await pod.post(nsid, body, alice.access)
            check(pod, reply, before, may_write=True)
            if reply.status == 200:
                collection, rkey = reply.json["uri"].split("/")[3:]
                read = await pod.get(
                    "com.atproto.repo.getRecord",
                    repo=alice.did,
                    collection=collection,
                    rkey=rkey,
                )
                assert read.json["cid"] == reply.json["cid"]

    in_pod(story)


@pytest.mark.parametrize("method", STREAMS, ids=lambda method: method.nsid)
@settings(max_examples=40)
@given(body=st.binary(max_size=400), media_type=TEXTS)
def test_uploads_of_anything_are_kept_or_refused(method: Method, body, media_type):
    async def story(pod: Pod):
        alice = await pod.join("alice")
        before = pod.state()
        declared = media_type.encode("ascii", "ignore").decode()
        for name in (declared, method.input):
            reply = await pod.ask(
                "POST",
                f"/xrpc/{method.nsid}",
                body=body,
                headers={"content-type": name},
                token=alice.access,
            )
            check(pod, reply, before, may_write=True)
            before = pod.state()

    in_pod(story)


@settings(max_examples=40)
@given(
    car=st.binary(max_size=300),
    at=st.integers(0, 10_000),
    flip=st.integers(1, 255),
    cut=st.integers(0, 400),
)
def test_an_import_with_any_byte_changed_or_cut_is_refused(car, at, flip, cut):
    async def story(pod: Pod):
        alice = await pod.join("alice")
        made = await pod.write_post(alice, "hello")
        whole = (await pod.get("com.atproto.sync.getRepo", did=alice.did)).body
        # What is here already may be left out of a CAR, so it must not be here.
        at_key = {"collection": "app.bsky.feed.post", "rkey": made["uri"].rpartition("/")[2]}
        await pod.post("com.atproto.repo.deleteRecord", {"repo": alice.did} | at_key, alice.access)
        place = at % len(whole)
        flipped = whole[:place] + bytes((whole[place] ^ flip,)) + whole[place + 1 :]
        headers = {"content-type": "application/vnd.ipld.car"}
        before = pod.state()
        for body in (car, flipped, whole[: -(1 + cut % len(whole))], whole + car):
            if body == whole:
                continue
            reply = await pod.ask(
                "POST",
                "/xrpc/com.atproto.repo.importRepo",
                body=body,
                headers=headers,
                token=alice.access,
            )
            check(pod, reply, before, may_write=False)

    in_pod(story)


@settings(max_examples=60)
@given(
    header=st.one_of(
        st.text(max_size=60), st.binary(max_size=60).map(lambda b: b.decode("latin-1"))
    )
)
def test_any_authorization_header_is_read_without_a_crash(header):
    async def story(pod: Pod):
        sent = {"authorization": header.encode("latin-1", "ignore").decode("latin-1")}
        for nsid in ("com.atproto.server.getSession", "com.atproto.sync.listBlobs"):
            reply = await pod.ask("GET", f"/xrpc/{nsid}", "did=did:plc:abc", headers=sent)
            assert reply.status in (400, 401), reply.body
            assert json.loads(reply.body)["error"]

    in_pod(story)
