"""Whatever is sent to whichever Solid endpoint, the answer is the protocol's own, never a fault."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kit.solid_host import Host

METHODS = st.sampled_from(["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"])
PATHS = st.sampled_from(
    [
        "/me",
        "/data/",
        "/data/.acl",
        "/data/a",
        "/data/a/b/",
        "/data/c/d",
        "/data/é ü",
        "/repo/",
        "/repo/.acl",
        "/repo/app.bsky.feed.post/",
        "/repo/app.bsky.feed.post/3mtcccccccc2c",
        "/repo/app.bsky.actor.profile/self",
        "/repo/com.example.thing/x",
        "/repo/x/y",
        "/repo/app.bsky.feed.post/3mtcccccccc2c?view=lex",
        "/profile/card",
        "/.well-known/solid",
    ]
)
TYPES = st.sampled_from(
    [
        "text/turtle",
        "application/ld+json",
        "application/n-triples",
        "application/json",
        "application/vnd.ipld.dag-cbor",
        "text/n3",
        "application/sparql-update",
        "text/plain",
        'image/png; x="',
        "/",
        "",
    ]
)
PIECES = [
    "<> a <https://www.w3.org/ns/activitystreams#Note> ;",
    '<https://www.w3.org/ns/activitystreams#content> "x"@en',
    "<lex:app.bsky.feed.post#text> 'y'",
    "@prefix solid: <http://www.w3.org/ns/solid/terms#> .",
    "<> a solid:InsertDeletePatch ; solid:inserts { <#a> <a:b> 1 }",
    "; solid:where { ?x ?y ?z }",
    "; solid:deletes { ?x ?y ?z } .",
    "INSERT DATA { <a:a> <a:b> 1 }",
    "DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }",
    '{"$type": "app.bsky.feed.post", "text": "t", "createdAt": "2026-01-01T00:00:00Z"}',
    '{"@context": "https://www.w3.org/ns/activitystreams", "type": "Note", "content": "x"}',
    '{"@id": "", "@graph": [',
    "[ [ [ ( (",
    "<http://www.w3.org/ns/auth/acl#agent> <#x> .",
    "<http://www.w3.org/1999/02/22-rdf-syntax-ns#rest> <> .",
    '"""',
    "\\u0000",
    "\x00",
    "\ufffe",
    " . ",
    "}",
]
BODIES = st.lists(st.sampled_from(PIECES), max_size=6).map(lambda p: " ".join(p).encode()) | (
    st.binary(max_size=60)
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Accept", "If_Match", "If_None_Match", "If_Modified_Since", "Range", "Slug", "Link",
         "Origin", "If_Range", "If_Unmodified_Since"]
    ),
    st.sampled_from(
        ["*", "*/*;q=0", '"x"', 'W/"x"', '"bafy.0;ttl"', "bytes=0-", "bytes=-0", "text/turtle",
         'text/turtle; profile="lex:view"', "../..",
         '<http://www.w3.org/ns/ldp#Container>; rel="type"',
         "Thu, 01 Jan 1970 00:00:00 GMT", "Sun, 99 Foo", "é", ""]
    ),
    max_size=3,
)  # fmt: skip
ASKS = st.lists(
    st.tuples(METHODS, PATHS, TYPES, BODIES, HEADERS, st.sampled_from(["alice", "bob", None])),
    min_size=1,
    max_size=12,
)


@given(ASKS)
@settings(deadline=None)
def test_no_request_makes_a_fault(asks: list[tuple]) -> None:
    async def story() -> None:
        host = await Host().open()
        for method, path, media, body, headers, who in asks:
            answer = await host.ask(method, path, body, as_=who, Content_Type=media, **headers)
            told = (method, path, media, body, headers, who, answer.status_code)
            assert answer.status_code < 500, told
            if who != "alice":
                assert not (
                    method in ("PUT", "POST", "PATCH", "DELETE") and answer.status_code < 300
                ), told

    asyncio.run(story())


def test_the_storage_itself_can_be_described_and_the_question_ends() -> None:
    async def story() -> None:
        host = await Host().open()
        update = b"INSERT DATA { <> <http://purl.org/dc/terms/title> 'Mine' }"
        patch = b"""@prefix solid: <http://www.w3.org/ns/solid/terms#> .
            <#p> a solid:InsertDeletePatch ; solid:inserts { <#a> <http://a.test/b> 1 } ."""
        sent = (("text/n3", patch), ("application/sparql-update", update))
        for who, expected in ((None, {401}), ("bob", {403}), ("alice", {200, 201, 204, 205, 409})):
            for media, body in sent:
                for path in ("/data/", "/data/.meta", "/data/.acl", "/data/x/y/"):
                    answer = await host.ask("PATCH", path, body, as_=who, Content_Type=media)
                    assert answer.status_code in expected, (path, who, answer.status_code)

    asyncio.run(story())
