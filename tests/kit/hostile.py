"""Requests of a hostile client: every address, odd methods, headers, queries and bodies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

from hypothesis import strategies as st

from tests.kit.whole import AS2, JSON_LD, POST, SERVER, TURTLE

KEY = "3kaaaaaaaaa22"
ALICE = f"alice.{SERVER}"
N3 = "text/n3"
METHODS = ("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS")
ODD_METHODS = ("PROPFIND", "TRACE", "CONNECT", "get", "X-Y", "QUERY")
PATHS = (
    "/",
    "/me",
    f"/repo/{POST}/{KEY}",
    f"/repo/{POST}/{KEY};g1",
    f"/repo/{POST}/{KEY};g2",
    f"/repo/{POST}/",
    "/repo/",
    "/repo/.acl",
    f"/repo/{POST}/never",
    "/repo/x/y",
    "/repo/x",
    "/data/",
    "/data/.acl",
    "/data/note.ttl",
    "/data/note.ttl.acl",
    "/data/new",
    "/data/new/",
    "/data/photo.png",
    "/data/a/b/c.ttl",
    "/data/note.ttl/x",
    "/data/x.acl.acl",
    "/profile/card",
    "/inbox",
    "/inbox/",
    "/outbox",
    "/outbox/3kaaaaaaaaa22-0",
    "/followers",
    "/following",
    "/liked",
    "/featured",
    "/actor",
    "/actor/outbox",
    "/feed.atom",
    "/feed.rss",
    "/feed.json",
    "/identity.json",
    "/nodeinfo/2.0",
    "/nodeinfo/2.1",
    "/.well-known/nodeinfo",
    "/.well-known/webfinger",
    "/.well-known/host-meta",
    "/.well-known/host-meta.json",
    "/.well-known/did.json",
    "/.well-known/atproto-did",
    "/.well-known/solid",
    "/.well-known/commonpod",
    "/.well-known/oauth-protected-resource",
    "/assets/style.css",
    "/blobs/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy",
    "/spaces/x/y",
    "/plc/did:plc:abc",
    "/oauth/par",
    "/oauth/token",
    "/oauth/revoke",
    "/oauth/jwks",
    "/oauth/authorize",
    "/.well-known/oauth-authorization-server",
    "/robots.txt",
    "/xrpc/",
    "/xrpc/com.atproto.server.describeServer",
    "/xrpc/com.atproto.server.createSession",
    "/xrpc/com.atproto.server.createAccount",
    "/xrpc/com.atproto.repo.putRecord",
    "/xrpc/com.atproto.repo.applyWrites",
    "/xrpc/com.atproto.repo.uploadBlob",
    "/xrpc/com.atproto.repo.importRepo",
    "/xrpc/com.atproto.repo.listRecords",
    "/xrpc/com.atproto.sync.getRepo",
    "/xrpc/com.atproto.sync.getBlocks",
    "/xrpc/com.atproto.sync.subscribeRepos",
    "/xrpc/app.bsky.actor.getProfile",
    "/xrpc/app.bsky.feed.getTimeline",
    "/xrpc/com.example.never",
    "/xrpc/_health",
)
TYPES = (
    TURTLE,
    JSON_LD,
    N3,
    AS2,
    "application/json",
    "application/n-triples",
    "image/png",
    "application/vnd.ipld.dag-cbor",
    "text/html",
    "*/*",
    "text/",
    "",
    "text/turtle; charset=klingon",
    f'{JSON_LD}; profile="https://www.w3.org/ns/activitystreams"',
    "text/turtle;;;=",
    "\xff",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "application/sparql-update",
)
PATCH = """@prefix solid: <http://www.w3.org/ns/solid/terms#>.
<> a solid:InsertDeletePatch; %s."""
BODIES = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b"\x00",
    b"<a> <b> <c>.",
    b"<a> <b> ",
    b'<a> <b> "\xff".',
    b"[" * 5_000,
    b'{"a":' * 5_000,
    b"(" * 5_000,
    b"<a> <b> " + b"[<c> " * 3_000,
    b"[" * 200_000,
    b"@prefix : <http://[>. :a :b :c.",
    b"<http://a b> <x> <y>.",
    b"<a> <b> 1e999999, 0.1e-999999.",
    b'{"@context": "http://10.0.0.1/x", "@id": ""}',
    b'{"@id": {}}',
    b'{"@context": {"@vocab": "http://["}, "a": 1}',
    b'{"$type": "x"}',
    b"\xa0",
    b"\xa1\x61a\xf6",
    b'{"$type": "app.bsky.feed.post", "text": 1, "createdAt": "x"}',
    b'{"a": 1.5}',
    b'{"a": 99999999999999999999999}',
    b'{"a": "\\ud800"}',
    (PATCH % "solid:inserts { <a> <b> }").encode(),
    (PATCH % "solid:inserts {}").encode(),
    (PATCH % "solid:inserts { <> <b> <c>. }").encode(),
    (PATCH % "solid:where { ?a ?b ?c. }; solid:deletes { ?a ?b ?c. }").encode(),
    (PATCH % "solid:inserts { ?a <b> <c>. }").encode(),
    (PATCH % "solid:deletes { <> <b> _:x. }").encode(),
    (PATCH % 'solid:where { <a> ?x (1 2). }; solid:inserts { <b> ?x "\\ud800". }').encode(),
    (PATCH % ("solid:inserts { <> <b> " + "[ <c> " * 2_000 + "}")).encode(),
)
VALUES = (
    "*",
    "*/*",
    "text/html",
    "text/turtle;q=x",
    "q=1",
    '"x"',
    'W/"x"',
    '"bafy.0;ttl"',
    "bytes=0-",
    "bytes=9-1",
    "bytes=-0",
    "bytes=99999999999999999-",
    "bytes=0-0,2-3",
    "Thu, 99 Foo 2026 25:61:61 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Mon, 01 Jan 0001 00:00:00 -2400",
    "http://app.example",
    "null",
    "../../x",
    "a/b.acl",
    "%00",
    "\u00e9",
    '<http://www.w3.org/ns/ldp#BasicContainer>; rel="type"',
    "Bearer x.y.z",
    "Basic eDp5",
    "DPoP a",
    "Bearer",
    'keyId="http://10.0.0.1/k",algorithm="rsa-sha256",headers="(request-target)",signature="AA=="',
    'keyId="",signature=""',
    "keyId",
    'sig1=("@method");created=1;keyid="x"',
    "sig1=:AA==:",
    "sig1=(",
    "SHA-256=AAAA",
    "sha-256=:AAAA:",
    "0",
    "-1",
    "99999999999999999999",
    "gzip",
    "chunked",
)
FIELDS = (
    "Accept",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "If-Modified-Since",
    "If-Unmodified-Since",
    "Range",
    "If-Range",
    "Origin",
    "Authorization",
    "Slug",
    "Link",
    "Signature",
    "Signature-Input",
    "Digest",
    "Content-Digest",
    "Date",
    "Content-Encoding",
    "Access-Control-Request-Method",
    "Access-Control-Request-Headers",
    "Accept-Language",
    "Cookie",
    "X-Forwarded-Host",
    "DPoP",
    "X-HTTP-Method-Override",
    "atproto-proxy",
    "Prefer",
    "Expect",
)
HOSTS = (
    ALICE,
    SERVER,
    "nobody.localhost:2583",
    "alice.test",
    "",
    "[::1",
    "a:b:c",
    ALICE.upper(),
    "\xe4",
)

words = st.text(st.characters(codec="utf-8"), max_size=12)
latin = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))
paths = st.one_of(
    st.sampled_from(PATHS),
    st.sampled_from(PATHS),
    st.builds(lambda a, w: a + quote(w, safe=""), st.sampled_from(PATHS), words),
    st.builds(lambda a, w: f"/repo/{a}/{quote(w)}", st.sampled_from([POST, "a.b.c", "x"]), words),
    st.builds(lambda w: f"/data/{quote(w)}", st.text(st.characters(codec="utf-8"), max_size=40)),
    st.just("/data/" + "x/" * 1_000 + "y"),
    st.just("/data/" + "x" * 3_000),
)
queries = st.one_of(
    st.just(""),
    st.sampled_from(
        [
            "view=lex",
            "page=",
            "page=-1",
            "page=x&page=y",
            "c=replies",
            "c=x",
            "tag=%00",
            "before=%ff",
            "after=%2e%2e",
            "resource=acct:@",
            "resource=acct:alice@",
            f"resource=acct:alice@{SERVER}",
            "resource=http://[",
            "resource=did:plc:x",
            "resource=a&resource=b",
            "rel=",
            "%",
            "&&=&",
            "view=lex&view",
        ]
    ),
    words.map(lambda w: f"resource={quote(w)}"),
    words.map(lambda w: f"page={quote(w)}&before={quote(w)}&after={quote(w)}&c={quote(w)}"),
    st.text(
        st.characters(codec="ascii", exclude_categories=["Cc"], exclude_characters=" #"), max_size=9
    ),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | words | st.sampled_from(["@id", "http://[", "_:x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["@id", "@type", "@context", "@graph", "@list", "$type", "$link", "text"]
            )
            | words,
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
turtle = st.lists(
    st.sampled_from(
        [
            "<a>",
            "<>",
            "<#x>",
            "a",
            "_:b",
            "[",
            "]",
            "(",
            ")",
            ".",
            ";",
            ",",
            '"x"',
            "'''",
            "@en",
            "^^",
            "1",
            "?v",
            "{",
            "}",
            "@prefix",
            "as:",
            "<https://schema.org/articleBody>",
            "<lex:text>",
            "\\u0000",
            "<http://[>",
        ]
    ),
    max_size=12,
).map(" ".join)
bodies = st.one_of(
    st.sampled_from(BODIES),
    st.binary(max_size=30),
    turtle.map(str.encode),
    turtle.map(lambda text: (PATCH % f"solid:inserts {{ {text} }}").encode()),
    values.map(lambda value: json.dumps(value).encode()),
)
headers = st.dictionaries(
    st.sampled_from(FIELDS), st.one_of(st.sampled_from(VALUES), latin), max_size=4
)


@dataclass(frozen=True)
class Ask:
    """One request of a hostile client."""

    method: str
    target: str
    host: str
    headers: dict[str, str]
    body: bytes
    as_owner: bool
    pieces: int = 1


asks = st.builds(
    lambda method, path, query, host, given, media, body, owner, pieces: Ask(
        method,
        f"{path}?{query}" if query else path,
        host,
        given
        | ({"Content-Type": media} if media is not None and "Content-Type" not in given else {}),
        body,
        owner and "Authorization" not in given,
        pieces,
    ),
    st.sampled_from(METHODS * 3 + ODD_METHODS),
    paths,
    queries,
    st.sampled_from((ALICE,) * 8 + HOSTS),
    headers,
    st.none() | st.sampled_from(TYPES) | st.sampled_from(TYPES[:4]),
    bodies,
    st.booleans(),
    st.integers(1, 3),
)
