"""Records and the WebID document over HTTP: one copy, edited through RDF, nothing else lost."""

from __future__ import annotations

import asyncio
import json
import re

import pytest
import rdflib
from rdflib.compare import isomorphic

from pod.model.ids import Nsid, Rkey
from pod.read import record_of
from pod.records.data import Data, Link
from pod.write import PutRecord
from tests.kit.house import owner
from tests.kit.solid_host import Host, graph_of, told

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib's own

TTL, N3 = "text/turtle", "text/n3"
POSTS = "/repo/app.bsky.feed.post/"
PATH = f"{POSTS}3mtcccccccc2c"
AS = rdflib.Namespace("https://www.w3.org/ns/activitystreams#")
SCHEMA = rdflib.Namespace("https://schema.org/")
FOAF = rdflib.Namespace("http://xmlns.com/foaf/0.1/")
HEAD = """@prefix solid: <http://www.w3.org/ns/solid/terms#> .
@prefix schema: <https://schema.org/> .
@prefix as: <https://www.w3.org/ns/activitystreams#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> ."""


async def written(host: Host) -> dict[str, Data]:
    """A post with an image, a language, a mention, a link and a key that nobody knows."""
    blob = await host.pod.media.keep(host.alice.id, b"\x89PNG\r\n\x1a\n....", "image/png")
    post: dict[str, Data] = {
        "$type": "app.bsky.feed.post",
        "text": "Hi @alice, see coop.example",
        "createdAt": "2026-08-20T10:15:30.000Z",
        "langs": ["en"],
        "facets": [
            {
                "index": {"byteStart": 3, "byteEnd": 9},
                "features": [{"$type": "app.bsky.richtext.facet#mention", "did": host.alice.did}],
            },
            {
                "index": {"byteStart": 15, "byteEnd": 27},
                "features": [
                    {"$type": "app.bsky.richtext.facet#link", "uri": "https://coop.example/"}
                ],
            },
        ],
        "embed": {
            "$type": "app.bsky.embed.images",
            "images": [
                {
                    "alt": "Sunflowers",
                    "image": {
                        "$type": "blob",
                        "ref": Link(blob.cid),
                        "mimeType": "image/png",
                        "size": blob.size,
                    },
                }
            ],
        },
        "com.example.unknown": {"a": [1, None]},
    }
    op = PutRecord(Nsid("app.bsky.feed.post"), Rkey("3mtcccccccc2c"), post)
    await host.pod.write.apply(owner(host.alice), host.alice.id, [op])
    return post


def commits(host: Host) -> int:
    changes = host.pod.store.changes(after=0, limit=1000)
    return sum(change.kind == "commit" for change in changes)


async def patch(host: Host, body: str, path: str = PATH, **headers: str) -> int:
    text = f"{HEAD} <> a solid:InsertDeletePatch; {body} ."
    return (await host.ask("PATCH", path, text, Content_Type=N3, **headers)).status_code


def test_the_same_url_says_the_same_in_both_syntaxes() -> None:
    async def story(host: Host) -> None:
        await written(host)
        turtle = await host.ask("GET", PATH, Accept=TTL, as_=None)
        jsonld = await host.ask("GET", PATH, Accept="application/ld+json", as_=None)
        graph = await graph_of(turtle)
        assert isomorphic(graph, await graph_of(jsonld))
        url = rdflib.URIRef(host.url(PATH))
        assert (url, rdflib.RDF.type, AS.Note) in graph
        text = rdflib.Literal("Hi @alice, see coop.example", lang="en")
        assert (url, SCHEMA.articleBody, text) in graph
        [picture] = graph.objects(url, AS.attachment)
        assert (picture, AS.name, rdflib.Literal("Sunflowers")) in graph
        assert turtle.headers["WAC-Allow"] == 'user="read",public="read"'
        assert 'rel="acl"' in turtle.headers["Link"]
        assert turtle.headers["Accept-Patch"].startswith(N3)
        targets = re.findall(r"<([^>]*)>", turtle.headers["Link"])
        assert all(target.startswith("http") for target in targets)  # others stop a URL parser
        lex = await graph_of(await host.ask("GET", PATH + "?view=lex", Accept=TTL))
        profiled = await graph_of(
            await host.ask("GET", PATH, Accept='text/turtle; profile="lex:view"')
        )
        assert isomorphic(lex, profiled)
        assert len(lex) > len(graph)

    told(story)


def test_a_patch_of_the_text_is_one_update_and_everything_else_survives() -> None:
    async def story(host: Host) -> None:
        post = await written(host)
        note = 'solid:inserts { <> dct:rights "CC0" }'
        assert await patch(host, note) == 204
        before, count = host.stored(PATH), commits(host)
        assert before is not None
        change = (
            "solid:where { <> schema:articleBody ?old } ;"
            "solid:deletes { <> schema:articleBody ?old } ;"
            'solid:inserts { <> schema:articleBody "Hello @alice, see coop.example"@en }'
        )
        assert await patch(host, change) == 204
        after = host.stored(PATH)
        assert after is not None
        assert commits(host) == count + 1
        assert after.cid != before.cid
        record = record_of(after)
        assert record["text"] == "Hello @alice, see coop.example"
        assert [f["index"]["byteStart"] for f in record["facets"]] == [6, 18]  # type: ignore[index,call-overload,union-attr]
        kept = post.keys() - {"text", "facets"}
        assert {key: record[key] for key in kept} == {key: post[key] for key in kept}
        assert b'"CC0"' in await (await host.ask("GET", PATH, Accept=TTL)).get_data()

    told(story)


def test_an_annotation_is_no_commit_but_a_new_state() -> None:
    async def story(host: Host) -> None:
        await written(host)
        count = commits(host)
        tag = (await host.ask("GET", PATH, Accept=TTL)).headers["ETag"]
        assert await patch(host, 'solid:inserts { <> dct:rights "CC0" }', If_Match=tag) == 204
        assert commits(host) == count
        assert (await host.ask("GET", PATH, Accept=TTL)).headers["ETag"] != tag
        assert await patch(host, 'solid:inserts { <> dct:rights "x" }', If_Match=tag) == 412
        assert await patch(host, 'solid:deletes { <> dct:rights "CC0" }') == 204
        assert b"CC0" not in await (await host.ask("GET", PATH, Accept=TTL)).get_data()

    told(story)


@pytest.mark.parametrize("media", [TTL, "application/ld+json"])
def test_writing_back_what_was_read_changes_nothing(media: str) -> None:
    async def story(host: Host) -> None:
        await written(host)
        await patch(host, 'solid:inserts { <> dct:rights "CC0" }')
        before, head = host.stored(PATH), host.pod.store.head_seq()
        for query in ("", "?view=lex"):
            read = await host.ask("GET", PATH + query, Accept=media)
            put = await host.ask(
                "PUT",
                PATH + query,
                await read.get_data(),
                Content_Type=media,
                If_Match=read.headers["ETag"],
            )
            assert put.status_code == 204
        assert host.stored(PATH) == before
        assert host.pod.store.head_seq() == head

    told(story)


def test_the_keys_of_a_record_can_be_patched_in_either_view() -> None:
    async def story(host: Host) -> None:
        await written(host)
        key = "<lex:app.bsky.feed.post#com.example.more>"
        assert await patch(host, f"solid:inserts {{ <> {key} 1 }}") == 204
        found = host.stored(PATH)
        assert found is not None
        assert record_of(found)["com.example.more"] == 1
        change = f"solid:deletes {{ <> {key} 1 }} ; solid:inserts {{ <> {key} 2 }}"
        assert await patch(host, change, PATH + "?view=lex") == 204
        found = host.stored(PATH)
        assert found is not None
        assert record_of(found)["com.example.more"] == 2

    told(story)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("solid:inserts { <> as:to <https://bob.example/me> }", 409),
        ("solid:deletes { <> a as:Note }", 409),
        ('solid:inserts { <> schema:articleBody "two"@en }', 204),
        ('solid:inserts { <> as:content "<b>bold</b>" }', 409),
        ("solid:inserts { <> <lex:app.bsky.feed.post#text> 1 }", 422),
        ("solid:deletes { <> <lex:app.bsky.feed.post#createdAt> '2026-08-20T10:15:30.000Z' }", 400),
    ],
)
def test_an_edit_that_cannot_be_is_refused_and_changes_nothing(body: str, status: int) -> None:
    async def story(host: Host) -> None:
        await written(host)
        before = host.stored(PATH)
        assert await patch(host, body) == status
        assert (host.stored(PATH) == before) == (status != 204)

    told(story)


def test_a_posted_turtle_note_is_a_valid_post() -> None:
    async def story(host: Host) -> None:
        body = f'{HEAD} <> a as:Note ; as:content "<p>Hello all</p>"@en ; dct:rights "CC0" .'
        made = await host.ask("POST", POSTS, body, Content_Type=TTL, Slug="ignored")
        assert made.status_code == 201
        path = made.headers["Location"].removeprefix(host.alice.origin)
        found = host.stored(path)
        assert found is not None
        assert record_of(found) == {
            "$type": "app.bsky.feed.post",
            "text": "Hello all",
            "createdAt": "2026-11-24T12:00:00.000Z",
            "langs": ["en"],
        }
        assert commits(host) == 1 + commits_at_birth
        listing = await graph_of(await host.ask("GET", POSTS, as_=None, Accept=TTL))
        contains = rdflib.URIRef("http://www.w3.org/ns/ldp#contains")
        assert rdflib.URIRef(made.headers["Location"]) in set(listing.objects(predicate=contains))
        collections = await graph_of(await host.ask("GET", "/repo/", as_=None))
        assert rdflib.URIRef(host.url(POSTS)) in set(collections.objects(predicate=contains))
        deleted = await host.ask("DELETE", path)
        assert deleted.status_code == 205
        assert (await host.ask("GET", path, Accept=TTL)).status_code == 410

    commits_at_birth = 0

    async def counted(host: Host) -> None:
        nonlocal commits_at_birth
        commits_at_birth = commits(host)
        await story(host)

    told(counted)


@pytest.mark.parametrize(
    ("method", "path", "media", "body", "status"),
    [
        ("POST", POSTS, TTL, "", 422),
        ("POST", POSTS, "text/plain", "x", 415),
        ("POST", POSTS, TTL, "<a> <b>", 400),
        ("POST", "/repo/nonsense/", TTL, "<> <a:b> 1 .", 422),
        ("POST", "/repo/", TTL, "<> <a:b> 1 .", 405),
        ("PUT", f"{POSTS}not a tid", TTL, "<> <a:b> 1 .", 422),
        ("PUT", f"{POSTS}3mtcccccccc2c", "application/json", "{", 400),
        ("PUT", f"{POSTS}3mtcccccccc2c", "application/json", '{"text": 1.5}', 400),
        ("PUT", f"{POSTS}3mtcccccccc2c", "application/json", '{"text": 1}', 400),
        ("PUT", f"{POSTS}3mtcccccccc2c", "application/vnd.ipld.dag-cbor", "\xff", 400),
        ("DELETE", f"{POSTS}3mtcccccccc2c", TTL, "", 404),
        ("PATCH", f"{POSTS}3mtcccccccc2c", TTL, "", 415),
        ("PATCH", f"{POSTS}3mtcccccccc2c", N3, "<> a <b> .", 422),
    ],
)
def test_bad_input_gets_the_protocols_own_error(
    method: str, path: str, media: str, body: str, status: int
) -> None:
    async def story(host: Host) -> None:
        head = host.pod.store.head_seq()
        answer = await host.ask(method, path, body, Content_Type=media)
        assert answer.status_code == status
        assert (await host.ask(method, path, body, Content_Type=media, as_="bob")).status_code in (
            403,
            405,
            422,
        )
        assert host.pod.store.head_seq() == head

    told(story)


def test_a_record_of_an_unknown_lexicon_lives_by_its_keys() -> None:
    async def story(host: Host) -> None:
        path = "/repo/com.example.thing/one"
        record = {"$type": "com.example.thing", "list": [1, None, {"x": []}]}
        made = await host.ask("PUT", path, json.dumps(record), Content_Type="application/json")
        assert made.status_code == 201
        turtle = await (await host.ask("GET", path, Accept=TTL)).get_data()
        other = "/repo/com.example.thing/two"
        copied = turtle.replace(path.encode(), other.encode())
        lines = [line for line in copied.splitlines() if b"lex:uri" not in line]
        assert lines
        lex = await (await host.ask("GET", path + "?view=lex", Accept=TTL)).get_data()
        lex = lex.replace(path.encode(), other.encode())
        assert (await host.ask("PUT", other, lex, Content_Type=TTL)).status_code == 201
        one, two = host.stored(path), host.stored(other)
        assert one is not None
        assert two is not None
        assert one.body == two.body

    told(story)


def test_the_webid_document_names_the_person_and_can_be_edited() -> None:
    async def story(host: Host) -> None:
        me = rdflib.URIRef(host.alice.webid)
        shown = await graph_of(await host.ask("GET", "/me", Accept=TTL, as_=None))
        issuer = rdflib.URIRef("http://www.w3.org/ns/solid/terms#oidcIssuer")
        storage = rdflib.URIRef("http://www.w3.org/ns/pim/space#storage")
        assert (me, issuer, None) in shown
        assert (me, storage, rdflib.URIRef(host.url("/data/"))) in shown
        home = await graph_of(await host.ask("GET", "/", Accept=TTL, as_=None))
        assert (rdflib.URIRef(host.url("/")), FOAF.primaryTopic, me) in home
        assert set(shown) <= set(home)
        body = 'solid:inserts { <> foaf:name "Alice" ; <http://e.example/likes> "tea" }'
        assert await patch(host, body, "/me") == 204
        found = host.stored("/repo/app.bsky.actor.profile/self")
        assert found is not None
        assert record_of(found) == {"$type": "app.bsky.actor.profile", "displayName": "Alice"}
        answer = await host.ask("GET", "/me", Accept="application/ld+json", as_=None)
        shown = await graph_of(answer)
        assert (me, AS.name, rdflib.Literal("Alice")) in shown
        assert (me, rdflib.URIRef("http://e.example/likes"), rdflib.Literal("tea")) in shown
        seq = host.pod.store.head_seq()
        tag = answer.headers["ETag"]
        put = await host.ask(
            "PUT", "/me", await answer.get_data(), Content_Type="application/ld+json", If_Match=tag
        )
        assert put.status_code == 204
        assert host.pod.store.head_seq() == seq
        renamed = 'solid:deletes { <> foaf:name "Alice" } ; solid:inserts { <> foaf:name "Al" }'
        assert await patch(host, renamed, "/me", If_Match=tag) == 204
        assert await patch(host, renamed, "/me", If_Match=tag) == 412
        moved = "solid:inserts { <> solid:oidcIssuer <https://evil.example/> }"
        assert await patch(host, moved, "/me") == 409
        assert (await host.ask("PUT", "/me", "", Content_Type=TTL, as_="bob")).status_code == 403

    told(story)


def test_one_of_many_concurrent_editors_wins_per_state() -> None:
    async def story(host: Host) -> None:
        await written(host)
        tag = (await host.ask("GET", PATH, Accept=TTL)).headers["ETag"]

        async def edit(i: int) -> int:
            change = (
                "solid:where { <> schema:articleBody ?old } ;"
                "solid:deletes { <> schema:articleBody ?old } ;"
                f'solid:inserts {{ <> schema:articleBody "{i}"@en }}'
            )
            return await patch(host, change, If_Match=tag)

        statuses = await asyncio.gather(*(edit(i) for i in range(8)))
        assert sorted(statuses) == [204] + [412] * 7
        notes = (patch(host, f'solid:inserts {{ <> dct:rights "{i}" }}') for i in range(8))
        assert set(await asyncio.gather(*notes)) == {204}

    told(story)
