"""The storage over HTTP: verbs, statuses and headers of documents, binaries and containers."""

from __future__ import annotations

import asyncio

import pytest
import rdflib
from rdflib.compare import isomorphic

from tests.kit.solid_host import Host, graph_of, told

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib's own

TTL = "text/turtle"
DOC = "<#a> <http://e.example/p> 'x', 7 ."
OWNER = """@prefix acl: <http://www.w3.org/ns/auth/acl#> . <#o> a acl:Authorization ;
acl:agent </me> ; acl:default <./> ; acl:accessTo <./>, <a> ;
acl:mode acl:Read, acl:Write, acl:Control ."""
LDP = rdflib.Namespace("http://www.w3.org/ns/ldp#")


def patch_of(body: str) -> str:
    head = "@prefix solid: <http://www.w3.org/ns/solid/terms#> ."
    return f"{head} <> a solid:InsertDeletePatch; {body} ."


def test_a_document_is_made_read_in_both_syntaxes_replaced_and_deleted() -> None:
    async def story(host: Host) -> None:
        made = await host.ask("PUT", "/data/notes/a", DOC, Content_Type=TTL)
        assert made.status_code == 201
        assert made.headers["Location"] == host.url("/data/notes/a")
        read = await host.ask("GET", "/data/notes/a")
        assert (await read.get_data()) == DOC.encode()
        assert read.headers["ETag"] == made.headers["ETag"]
        assert read.headers["Content-Type"] == TTL
        other = await host.ask("GET", "/data/notes/a", Accept="application/ld+json")
        assert other.headers["ETag"] != read.headers["ETag"]
        base = host.url("/data/notes/a")
        assert isomorphic(await graph_of(read, base), await graph_of(other, base))
        again = await host.ask("PUT", "/data/notes/a", "<#b> a <#C> .", Content_Type=TTL)
        assert again.status_code == 204
        gone = await host.ask("DELETE", "/data/notes/a")
        assert gone.status_code == 205
        assert (await host.ask("GET", "/data/notes/a")).status_code == 404
        # The container that was made on the way stays.
        listing = await graph_of(await host.ask("GET", "/data/"))
        assert (None, LDP.contains, rdflib.URIRef(host.url("/data/notes/"))) in listing

    told(story)


def test_a_document_appears_nowhere_else() -> None:
    async def story(host: Host) -> None:
        head = host.pod.store.repo(host.alice.id)
        await host.ask("PUT", "/data/private", DOC, Content_Type=TTL)
        assert host.pod.store.repo(host.alice.id) == head
        changes = host.pod.store.changes(after=0, limit=100)
        assert changes[-1].frame is None
        assert (await host.ask("GET", "/data/private", as_=None)).status_code == 401
        assert (await host.ask("GET", "/data/private", as_="bob")).status_code == 403
        assert (await host.ask("GET", "/data/absent", as_="bob")).status_code == 403
        assert (await host.ask("GET", "/data/absent", as_=None)).status_code == 401

    told(story)


def test_every_answer_says_what_can_be_done_here() -> None:
    async def story(host: Host) -> None:
        await host.ask("PUT", "/data/a", DOC, Content_Type=TTL)
        for method in ("GET", "HEAD", "OPTIONS"):
            got = await host.ask(method, "/data/a", Origin="https://app.example")
            assert got.status_code in (200, 204)
            assert got.headers["Allow"] == "GET, HEAD, OPTIONS, PUT, PATCH, DELETE"
            assert got.headers["Accept-Patch"].startswith("text/n3")
            assert "text/turtle" in got.headers["Accept-Put"]
            assert f'<{host.url("/data/a.acl")}>; rel="acl"' in got.headers["Link"]
            assert "/.well-known/solid>" in got.headers["Link"]
            assert got.headers["Access-Control-Allow-Origin"] == "https://app.example"
            assert "Link" in got.headers["Access-Control-Expose-Headers"]
            assert "Origin" in got.headers["Vary"]
        assert (await host.ask("HEAD", "/data/a")).headers["WAC-Allow"] == (
            'user="read append write control",public=""'
        )
        root = await host.ask("OPTIONS", "/data/")
        assert "DELETE" not in root.headers["Allow"]
        assert '<http://www.w3.org/ns/pim/space#Storage>; rel="type"' in root.headers["Link"]
        assert root.headers["Accept-Post"]
        preflight = await host.ask(
            "OPTIONS",
            "/data/a",
            as_=None,
            Origin="https://app.example",
            Access_Control_Request_Method="PUT",
            Access_Control_Request_Headers="x-thing",
        )
        assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]
        assert preflight.headers["Access-Control-Allow-Headers"] == "x-thing"

    told(story)


def test_preconditions_decide_who_wins() -> None:
    async def story(host: Host) -> None:
        made = await host.ask("PUT", "/data/a", DOC, Content_Type=TTL, If_None_Match="*")
        assert made.status_code == 201
        tag = made.headers["ETag"]
        exists = await host.ask("PUT", "/data/a", DOC, Content_Type=TTL, If_None_Match="*")
        assert exists.status_code == 412
        jsonld = (await host.ask("GET", "/data/a", Accept="application/ld+json")).headers["ETag"]
        newer = await host.ask(
            "PUT", "/data/a", "<a:a> <a:b> 1 .", Content_Type=TTL, If_Match=jsonld
        )
        assert newer.status_code == 204
        for method in ("PUT", "DELETE"):
            stale = await host.ask(method, "/data/a", DOC, Content_Type=TTL, If_Match=tag)
            assert stale.status_code == 412
        insert = patch_of("solid:inserts { <#n> a <#N> }")
        stale = await host.ask("PATCH", "/data/a", insert, Content_Type="text/n3", If_Match=tag)
        assert stale.status_code == 412
        nothing = await host.ask("PUT", "/data/none", DOC, Content_Type=TTL, If_Match="*")
        assert nothing.status_code == 412
        seen = await host.ask("GET", "/data/a", If_None_Match=newer.headers["ETag"])
        assert seen.status_code == 304
        assert (await host.ask("GET", "/data/a", Accept="image/png")).status_code == 406

    told(story)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("PUT", "/data/a", {}, 400),
        ("POST", "/data/", {}, 400),
        ("PATCH", "/data/a", {}, 400),
        ("PUT", "/data/a", {"Content_Type": "nonsense"}, 400),
        ("PATCH", "/data/a", {"Content_Type": "application/json-patch+json"}, 415),
        ("PATCH", "/data/a", {"Content_Type": "application/sparql-update"}, 400),
        ("PUT", "/data/c/", {}, 400),
        ("PUT", "/data/c/", {"Content_Type": "text/plain"}, 415),
        ("POST", "/data/missing/", {"Content_Type": TTL}, 404),
        ("DELETE", "/data/missing", {}, 404),
        ("DELETE", "/data/missing/", {}, 404),
        ("GET", "/data/missing/", {}, 404),
        ("GET", "/data/../repo/", {}, 400),
        ("PUT", "/data/a.acl.acl", {"Content_Type": TTL}, 409),
        ("DELETE", "/data/", {}, 405),
        ("DELETE", "/data/.acl", {}, 405),
        ("PUT", "/data/a.acl", {"Content_Type": "text/plain"}, 415),
        ("FROB", "/data/a", {}, 405),
    ],
)
def test_what_cannot_be_done_has_its_own_status(
    method: str, path: str, headers: dict[str, str], status: int
) -> None:
    async def story(host: Host) -> None:
        answer = await host.ask(method, path, "x y", **headers)
        assert answer.status_code == status

    told(story)


def test_broken_rdf_is_refused_and_changes_nothing() -> None:
    async def story(host: Host) -> None:
        broken = await host.ask("PUT", "/data/a", "<a> <b>", Content_Type=TTL)
        assert broken.status_code == 400
        assert b"line 1" in await broken.get_data()
        deep = await host.ask("PUT", "/data/a", "<a:a> <a:b> " + "[" * 9999, Content_Type=TTL)
        assert deep.status_code == 422
        assert host.stored("/data/a") is None

    told(story)


def test_a_slash_tells_containers_from_documents() -> None:
    async def story(host: Host) -> None:
        assert (await host.ask("PUT", "/data/c/", Content_Type=TTL)).status_code == 201
        assert (await host.ask("PUT", "/data/c", DOC, Content_Type=TTL)).status_code == 409
        twin = await host.ask("GET", "/data/c")
        assert (twin.status_code, twin.headers["Location"]) == (301, host.url("/data/c/"))
        await host.ask("PUT", "/data/d", DOC, Content_Type=TTL)
        assert (await host.ask("PUT", "/data/d/", Content_Type=TTL)).status_code == 409
        assert (await host.ask("PUT", "/data/d/e", DOC, Content_Type=TTL)).status_code == 409

    told(story)


def test_post_takes_a_slug_that_is_free_and_makes_containers() -> None:
    async def story(host: Host) -> None:
        first = await host.ask("POST", "/data/", DOC, Content_Type=TTL, Slug="my note")
        second = await host.ask("POST", "/data/", DOC, Content_Type=TTL, Slug="my note")
        assert first.headers["Location"] == host.url("/data/my-note")
        assert second.headers["Location"].startswith(host.url("/data/my-note-"))
        tricky = await host.ask("POST", "/data/", DOC, Content_Type=TTL, Slug="../x.acl")
        assert tricky.headers["Location"] == host.url("/data/x")
        folder = await host.ask(
            "POST",
            "/data/",
            Slug="box",
            Content_Type=TTL,
            Link='<http://www.w3.org/ns/ldp#BasicContainer>; rel="type"',
        )
        assert folder.status_code == 201
        assert folder.headers["Location"] == host.url("/data/box/")
        assert (await host.ask("POST", "/data/my-note", DOC, Content_Type=TTL)).status_code == 405

    told(story)


def test_many_posts_of_one_name_all_find_a_place() -> None:
    async def story(host: Host) -> None:
        asked = (host.ask("POST", "/data/", DOC, Content_Type=TTL, Slug="n") for _ in range(16))
        answers = await asyncio.gather(*asked)
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.headers["Location"] for answer in answers}) == 16

    told(story)


def test_a_container_lists_its_children_with_what_is_known_of_them() -> None:
    async def story(host: Host) -> None:
        await host.ask("PUT", "/data/c/a b", DOC, Content_Type=TTL)
        await host.ask("PUT", "/data/c/pic", b"\x89PNG\r\n\x1a\n...", Content_Type="image/png")
        await host.ask("PUT", "/data/c/sub/deep/x", DOC, Content_Type=TTL)
        await host.ask("PUT", "/data/c/.acl", OWNER, Content_Type=TTL)
        answer = await host.ask("GET", "/data/c/")
        listing = await graph_of(answer)
        here = rdflib.URIRef(host.url("/data/c/"))
        assert set(listing.objects(here, LDP.contains)) == {
            rdflib.URIRef(host.url(f"/data/c/{name}")) for name in ("a b", "pic", "sub/")
        }
        picture = rdflib.URIRef(host.url("/data/c/pic"))
        size = rdflib.URIRef("http://www.w3.org/ns/posix/stat#size")
        assert [str(o) for o in listing.objects(picture, size)] == ["11"]
        iana = rdflib.URIRef("http://www.w3.org/ns/iana/media-types/image/png#Resource")
        assert (picture, rdflib.RDF.type, iana) in listing
        other = await graph_of(await host.ask("GET", "/data/c/", Accept="application/ld+json"))
        assert isomorphic(listing, other)
        assert '<http://www.w3.org/ns/ldp#BasicContainer>; rel="type"' in answer.headers["Link"]

    told(story)


def test_only_the_writers_own_part_of_a_container_can_be_changed() -> None:
    async def story(host: Host) -> None:
        await host.ask("PUT", "/data/c/a", DOC, Content_Type=TTL)
        title = '<> <http://purl.org/dc/terms/title> "Box" .'
        put = await host.ask("PUT", "/data/c/", title, Content_Type=TTL)
        assert put.status_code == 204
        assert b"Box" in await (await host.ask("GET", "/data/c/")).get_data()
        whole = await (await host.ask("GET", "/data/c/")).get_data()
        assert (await host.ask("PUT", "/data/c/", whole, Content_Type=TTL)).status_code == 204
        assert b"Box" in await (await host.ask("GET", "/data/c/")).get_data()
        for body in (
            "<> <http://www.w3.org/ns/ldp#contains> <other> .",
            "<a> <http://www.w3.org/ns/posix/stat#size> 1 .",
        ):
            assert (await host.ask("PUT", "/data/c/", body, Content_Type=TTL)).status_code == 409
            change = patch_of(f"solid:inserts {{ {body} }}")
            answer = await host.ask("PATCH", "/data/c/", change, Content_Type="text/n3")
            assert answer.status_code == 409
        gone = patch_of("solid:deletes { <> <http://www.w3.org/ns/ldp#contains> <a> }")
        assert (
            await host.ask("PATCH", "/data/c/", gone, Content_Type="text/n3")
        ).status_code == 409
        more = patch_of("solid:inserts { <> <http://e.example/p> 1 }")
        assert (
            await host.ask("PATCH", "/data/c/", more, Content_Type="text/n3")
        ).status_code == 204
        assert b"Box" in await (await host.ask("GET", "/data/c/")).get_data()

    told(story)


def test_a_full_container_stays_and_an_empty_one_goes_with_its_list() -> None:
    async def story(host: Host) -> None:
        await host.ask("PUT", "/data/c/a", DOC, Content_Type=TTL)
        await host.ask("PUT", "/data/c/.acl", OWNER, Content_Type=TTL)
        assert (await host.ask("DELETE", "/data/c/")).status_code == 409
        await host.ask("PUT", "/data/c/a.acl", OWNER, Content_Type=TTL)
        assert (await host.ask("DELETE", "/data/c/a")).status_code == 205
        assert host.stored("/data/c/a.acl") is None
        assert (await host.ask("DELETE", "/data/c/")).status_code == 205
        assert host.stored("/data/c/.acl") is None
        assert (await host.ask("GET", "/data/c/")).status_code == 404

    told(story)


def test_a_patch_changes_what_it_says_and_makes_what_is_not_there() -> None:
    async def story(host: Host) -> None:
        await host.ask("PUT", "/data/a", DOC, Content_Type=TTL)
        change = patch_of(
            "solid:where { ?x <http://e.example/p> 'x' } ;"
            "solid:deletes { ?x <http://e.example/p> 'x' } ;"
            "solid:inserts { ?x <http://e.example/p> 'y' }"
        )
        assert (
            await host.ask("PATCH", "/data/a", change, Content_Type="text/n3")
        ).status_code == 204
        body = await (await host.ask("GET", "/data/a")).get_data()
        assert b'"y"' in body
        assert b"7" in body
        again = await host.ask("PATCH", "/data/a", change, Content_Type="text/n3")
        assert again.status_code == 409
        new = await host.ask(
            "PATCH",
            "/data/new/b",
            patch_of("solid:inserts { <#a> a <#B> }"),
            Content_Type="text/n3",
        )
        assert new.status_code == 201
        bad = await host.ask(
            "PATCH", "/data/a", patch_of("solid:inserts { ?a a <#B> }"), Content_Type="text/n3"
        )
        assert bad.status_code == 422
        await host.ask("PUT", "/data/t", b"text", Content_Type="text/plain")
        insert = patch_of("solid:inserts { <#a> a <#B> }")
        assert (
            await host.ask("PATCH", "/data/t", insert, Content_Type="text/n3")
        ).status_code == 409

    told(story)


def test_a_dataset_is_kept_whole_and_read_as_its_default_graph() -> None:
    async def story(host: Host) -> None:
        body = b'{"@graph":[{"@id":"a:g","@graph":[{"@id":"a:a","a:b":1}]},{"@id":"a:c","a:d":2}]}'
        ld = "application/ld+json"
        assert (await host.ask("PUT", "/data/set", body, Content_Type=ld)).status_code == 201
        assert await (await host.ask("GET", "/data/set", Accept=ld)).get_data() == body
        assert len(await graph_of(await host.ask("GET", "/data/set", Accept=TTL))) == 1
        insert = patch_of("solid:inserts { <#a> a <#B> }")
        answer = await host.ask("PATCH", "/data/set", insert, Content_Type="text/n3")
        assert answer.status_code == 422

    told(story)


def test_an_older_app_may_send_sparql_updates() -> None:
    async def story(host: Host) -> None:
        update = "PREFIX e: <http://e.example/> INSERT DATA { <#a> e:p 1, 2 ; e:q [ e:r 3 ] }"
        sparql = "application/sparql-update"
        made = await host.ask("PATCH", "/data/s", update, Content_Type=sparql)
        assert made.status_code == 201
        update = """PREFIX e: <http://e.example/>
        DELETE { ?s e:p ?v } INSERT { ?s e:was ?v } WHERE { ?s e:p ?v } ;
        DELETE DATA { <#none> e:p 1 }"""
        assert (await host.ask("PATCH", "/data/s", update, Content_Type=sparql)).status_code == 204
        body = await (await host.ask("GET", "/data/s")).get_data()
        assert b"e.example/was> 1, 2" in body

    told(story)


def test_many_patches_of_one_document_all_count() -> None:
    async def story(host: Host) -> None:
        async def one(i: int) -> int:
            body = patch_of(f"solid:inserts {{ <#n{i}> a <#N> }}")
            return (await host.ask("PATCH", "/data/hot", body, Content_Type="text/n3")).status_code

        statuses = await asyncio.gather(*(one(i) for i in range(32)))
        assert sorted(statuses) == [201] + [204] * 31 or set(statuses) <= {201, 204}
        assert len(await graph_of(await host.ask("GET", "/data/hot"))) == 32

    told(story)


def test_many_new_documents_share_new_containers() -> None:
    async def story(host: Host) -> None:
        asked = (host.ask("PUT", f"/data/new/deep/{i}", DOC, Content_Type=TTL) for i in range(16))
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {201}
        assert (
            len(
                list(
                    (await graph_of(await host.ask("GET", "/data/new/deep/"))).objects(
                        predicate=LDP.contains
                    )
                )
            )
            == 16
        )

    told(story)


def test_a_binary_comes_back_whole_or_in_part_and_cannot_act() -> None:
    async def story(host: Host) -> None:
        body = bytes(range(256)) * 4
        made = await host.ask("PUT", "/data/bin", body, Content_Type="application/octet-stream")
        assert made.status_code == 201
        whole = await host.ask("GET", "/data/bin")
        assert await whole.get_data() == body
        assert whole.headers["ETag"] == made.headers["ETag"]
        assert whole.headers["Content-Security-Policy"] == "sandbox"
        for asked, status, part in (
            ("bytes=0-9", 206, body[:10]),
            ("bytes=1000-", 206, body[1000:]),
            ("bytes=-5", 206, body[-5:]),
            ("bytes=1024-", 416, b""),
            ("bytes=0-1,3-4", 200, body),
            ("bytes=9-1", 200, body),
        ):
            got = await host.ask("GET", "/data/bin", Range=asked)
            assert (got.status_code, await got.get_data()) == (status, part)
        changed = await host.ask("GET", "/data/bin", Range="bytes=0-9", If_Range='"other"')
        assert changed.status_code == 200
        head = await host.ask("HEAD", "/data/bin")
        assert (head.status_code, await head.get_data()) == (200, b"")
        assert head.headers["Accept-Ranges"] == "bytes"
        assert (
            await host.ask("GET", "/data/bin", If_None_Match=made.headers["ETag"])
        ).status_code == 304
        latin = 'text/plain; format=flowed; charset="ISO-8859-1"'
        await host.ask("PUT", "/data/latin", b"caf\xe9", Content_Type=latin)
        kept = (await host.ask("GET", "/data/latin")).headers["Content-Type"]
        assert kept == "text/plain; charset=iso-8859-1"
        listing = await (await host.ask("GET", "/data/")).get_data()
        assert b"media-types/text/plain#Resource" in listing
        empty = await host.ask("PUT", "/data/empty", b"", Content_Type="text/plain")
        assert empty.status_code == 201
        assert await (await host.ask("GET", "/data/empty")).get_data() == b""

    told(story)


def test_the_storage_describes_itself() -> None:
    async def story(host: Host) -> None:
        description = await graph_of(await host.ask("GET", "/.well-known/solid", as_=None))
        storage = rdflib.URIRef(host.url("/data/"))
        kind = rdflib.URIRef("http://www.w3.org/ns/pim/space#Storage")
        assert (storage, rdflib.RDF.type, kind) in description
        card = await graph_of(await host.ask("GET", "/profile/card", as_=None))
        me = rdflib.URIRef(host.url("/profile/card") + "#me")
        assert (me, rdflib.OWL.sameAs, rdflib.URIRef(host.alice.webid)) in card

    told(story)
