"""How apps find their way: the WebID and its alias, preferences, and type indexes kept true."""

from __future__ import annotations

import asyncio

import pytest
import rdflib
from rdflib.namespace import FOAF, OWL, RDF

from pod.model.ids import Nsid, Rkey
from pod.read import record_of
from pod.write import PutRecord
from tests.kit.house import owner
from tests.kit.solid_host import Host, graph_of, told

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib's own

TTL, N3 = "text/turtle", "text/n3"
PUBLIC, PRIVATE = "/profile/publicTypeIndex", "/settings/privateTypeIndex"
PREFERENCES, CARD = "/settings/preferences", "/profile/card"
SOLID = rdflib.Namespace("http://www.w3.org/ns/solid/terms#")
PIM = rdflib.Namespace("http://www.w3.org/ns/pim/space#")
AS = rdflib.Namespace("https://www.w3.org/ns/activitystreams#")
BOOKMARK = rdflib.URIRef("http://www.w3.org/2002/01/bookmark#Bookmark")
HEAD = """@prefix solid: <http://www.w3.org/ns/solid/terms#> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix dct: <http://purl.org/dc/terms/> . """
NOTE = "<#it> a <http://www.w3.org/2002/01/bookmark#Bookmark> ."


async def shown(host: Host, path: str, as_: str | None = "alice") -> rdflib.Graph:
    answer = await host.ask("GET", path, as_=as_, Accept=TTL)
    assert answer.status_code == 200
    return await graph_of(answer, host.url(path))


async def patched(host: Host, path: str, body: str, **headers: str) -> int:
    text = f"{HEAD} <> a solid:InsertDeletePatch; {body} ."
    return (await host.ask("PATCH", path, text, Content_Type=N3, **headers)).status_code


async def registered(host: Host, path: str) -> set[tuple[str, str]]:
    """Class and place of each registration of an index."""
    graph = await shown(host, path, None if path == PUBLIC else "alice")
    found = set()
    for one in graph.subjects(RDF.type, SOLID.TypeRegistration):
        kind = graph.value(one, SOLID.forClass)
        where = graph.value(one, SOLID.instanceContainer) or graph.value(one, SOLID.instance)
        found.add((str(kind), str(where).removeprefix(host.alice.origin)))
    return found


async def posted(host: Host) -> None:
    post = {"$type": "app.bsky.feed.post", "text": "Hi", "createdAt": "2026-01-01T00:00:00.000Z"}
    op = PutRecord(Nsid("app.bsky.feed.post"), Rkey("3mtcccccccc2c"), post)
    await host.pod.write.apply(owner(host.alice), host.alice.id, [op])


def test_the_webid_leads_to_everything() -> None:
    async def story(host: Host) -> None:
        me = rdflib.URIRef(host.alice.webid)
        graph = await shown(host, "/me", None)
        assert graph.value(me, SOLID.publicTypeIndex) == rdflib.URIRef(host.url(PUBLIC))
        assert graph.value(me, SOLID.privateTypeIndex) == rdflib.URIRef(host.url(PRIVATE))
        assert graph.value(me, PIM.preferencesFile) == rdflib.URIRef(host.url(PREFERENCES))
        assert (me, OWL.sameAs, rdflib.URIRef(host.alice.did)) in graph
        assert (me, AS.alsoKnownAs, rdflib.URIRef(f"at://{host.alice.handle}")) in graph
        names = {str(graph.value(a, FOAF.accountName)) for a in graph.objects(me, FOAF.account)}
        assert names == {host.alice.handle, host.alice.acct}

    told(story)


def test_the_alias_says_and_takes_the_same() -> None:
    async def story(host: Host) -> None:
        alias = rdflib.URIRef(host.url(CARD) + "#me")
        me = rdflib.URIRef(host.alice.webid)
        said = 'solid:inserts { <#me> foaf:name "Al" ; <a:b> "c" }'
        assert await patched(host, CARD, said) == 204
        found = host.stored("/repo/app.bsky.actor.profile/self")
        assert found is not None
        assert record_of(found)["displayName"] == "Al"
        assert (me, FOAF.name, rdflib.Literal("Al")) in await shown(host, "/me", None)
        card = await shown(host, CARD, None)
        assert (alias, FOAF.name, rdflib.Literal("Al")) in card
        assert (alias, rdflib.URIRef("a:b"), rdflib.Literal("c")) in card
        assert (alias, OWL.sameAs, me) in card
        assert (rdflib.URIRef(host.url(CARD)), FOAF.primaryTopic, alias) in card
        assert {p for s, p, o in card if me in (s, o)} == {OWL.sameAs}
        assert len(card) == len(await shown(host, "/me", None)) + 4
        assert await patched(host, CARD, "solid:inserts { </me> <a:b> <a:c> }") == 409
        assert await patched(host, CARD, "solid:deletes { <#me> a foaf:Person }") == 409
        for media in (TTL, "application/ld+json"):
            answer = await host.ask("GET", CARD, Accept=media)
            seq = host.pod.store.head_seq()
            again = await host.ask(
                "PUT",
                CARD,
                await answer.get_data(),
                Content_Type=media,
                If_Match=answer.headers["ETag"],
            )
            assert again.status_code == 204
            assert host.pod.store.head_seq() == seq
        assert (await host.ask("PUT", CARD, "", Content_Type=TTL)).status_code == 409
        page = await host.ask("GET", CARD, Accept="text/html,*/*;q=0.8", as_=None)
        assert (page.status_code, page.headers["Location"]) == (303, host.alice.webid)
        assert (await host.ask("PUT", CARD, "", Content_Type=TTL, as_="bob")).status_code == 403

    told(story)


@pytest.mark.parametrize("term", ["oidcIssuer", "storage", "inbox"])
@pytest.mark.parametrize("path", ["/me", CARD])
def test_what_others_trust_in_a_profile_is_the_pods_to_say(path: str, term: str) -> None:
    spaces = {"oidcIssuer": str(SOLID), "storage": str(PIM), "inbox": "http://www.w3.org/ns/ldp#"}

    async def story(host: Host) -> None:
        subject = "<#me>" if path == CARD else "<>"
        predicate = f"<{spaces[term]}{term}>"
        evil = f"{subject} {predicate} <https://evil.example/>"
        assert await patched(host, path, f"solid:inserts {{ {evil} }}") == 409
        held = f"{{ {subject} {predicate} ?x }}"
        gone = f"solid:where {held} ; solid:deletes {held}"
        assert await patched(host, path, gone) == 409

    told(story)


def test_collections_of_the_repository_are_in_the_public_index() -> None:
    async def story(host: Host) -> None:
        assert {where for _, where in await registered(host, PUBLIC)} == {"/me"}
        await posted(host)
        found = await registered(host, PUBLIC)
        assert ("lex:app.bsky.feed.post", "/repo/app.bsky.feed.post/") in found
        assert (str(AS.Note), "/repo/app.bsky.feed.post/") in found
        await host.ask("DELETE", "/repo/app.bsky.feed.post/3mtcccccccc2c")
        assert {where for _, where in await registered(host, PUBLIC)} == {"/me"}

    told(story)


def test_documents_are_found_by_class_where_their_readers_look() -> None:
    async def story(host: Host) -> None:
        entry = (str(BOOKMARK), "/data/links/")
        for name in ("one", "two"):
            await host.ask("PUT", f"/data/links/{name}", NOTE, Content_Type=TTL)
        assert entry in await registered(host, PRIVATE)
        assert entry not in await registered(host, PUBLIC)
        acl = """@prefix acl: <http://www.w3.org/ns/auth/acl#> .
            <#p> a acl:Authorization ; acl:accessTo <./> ; acl:default <./> ; acl:mode acl:Read ;
              acl:agentClass <http://xmlns.com/foaf/0.1/Agent> .
            <#o> a acl:Authorization ; acl:accessTo <./> ; acl:default <./> ; acl:agent </me> ;
              acl:mode acl:Read, acl:Write, acl:Control ."""
        made = await host.ask("PUT", "/data/links/.acl", acl, Content_Type=TTL)
        assert made.status_code in (201, 204)
        assert entry in await registered(host, PUBLIC)
        assert entry not in await registered(host, PRIVATE)
        await host.ask("PUT", "/data/links/one", "<#it> <a:b> 1 .", Content_Type=TTL)
        assert entry in await registered(host, PUBLIC)
        await host.ask("DELETE", "/data/links/two")
        assert entry not in await registered(host, PUBLIC)

    told(story)


def test_a_private_document_in_a_public_container_is_not_given_away() -> None:
    async def story(host: Host) -> None:
        await host.ask("PUT", "/data/links/one", NOTE, Content_Type=TTL)
        acl = """@prefix acl: <http://www.w3.org/ns/auth/acl#> .
            <#p> a acl:Authorization ; acl:accessTo <./> ; acl:mode acl:Read ;
              acl:agentClass <http://xmlns.com/foaf/0.1/Agent> .
            <#o> a acl:Authorization ; acl:accessTo <./> ; acl:default <./> ; acl:agent </me> ;
              acl:mode acl:Read, acl:Write, acl:Control ."""
        await host.ask("PUT", "/data/links/.acl", acl, Content_Type=TTL)
        assert (str(BOOKMARK), "/data/links/") not in await registered(host, PUBLIC)
        assert (str(BOOKMARK), "/data/links/") in await registered(host, PRIVATE)

    told(story)


@pytest.mark.parametrize("path", [PUBLIC, PRIVATE, PREFERENCES])
def test_what_apps_add_stays_and_what_follows_cannot_go(path: str) -> None:
    async def story(host: Host) -> None:
        await posted(host)
        before = await shown(host, path)
        own = (
            "<#mine> a solid:TypeRegistration ; solid:forClass <https://schema.org/Recipe> ;"
            " solid:instanceContainer </data/cook/>"
        )
        assert await patched(host, path, f"solid:inserts {{ {own} }}") == 204
        await host.ask("PUT", "/data/x/one", NOTE, Content_Type=TTL)
        after = await shown(host, path)
        assert set(before) < set(after)
        assert (rdflib.URIRef(host.url(path) + "#mine"), RDF.type, SOLID.TypeRegistration) in after
        document = f"<> a <{after.value(rdflib.URIRef(host.url(path)), RDF.type)}>"
        assert await patched(host, path, f"solid:deletes {{ {document} }}") == 409
        for media in (TTL, "application/ld+json"):
            answer = await host.ask("GET", path, Accept=media)
            seq = host.pod.store.head_seq()
            put = await host.ask(
                "PUT",
                path,
                await answer.get_data(),
                Content_Type=media,
                If_Match=answer.headers["ETag"],
            )
            assert put.status_code == 204
            assert host.pod.store.head_seq() == seq
        assert await patched(host, path, f"solid:deletes {{ {own} }}", If_Match='"x;ttl"') == 412
        assert (await host.ask("PUT", path, "", Content_Type=TTL)).status_code == 204
        assert len(await shown(host, path)) == len(after) - 3
        assert (await host.ask("PUT", path, "<a", Content_Type=TTL)).status_code == 400
        assert (await host.ask("PUT", path, "x", Content_Type="text/plain")).status_code == 415
        assert (await host.ask("DELETE", path)).status_code == 405

    told(story)


def test_a_registration_of_an_app_stands_for_the_pods_own() -> None:
    async def story(host: Host) -> None:
        await host.ask("PUT", "/data/links/one", NOTE, Content_Type=TTL)
        [computed] = (await shown(host, PRIVATE)).subjects(SOLID.forClass, BOOKMARK)
        own = (
            f"<#mine> a solid:TypeRegistration ; solid:forClass <{BOOKMARK}> ;"
            " solid:instanceContainer </data/links/>"
        )
        assert await patched(host, PRIVATE, f"solid:inserts {{ {own} }}") == 204
        [found] = (await shown(host, PRIVATE)).subjects(SOLID.forClass, BOOKMARK)
        assert str(found).endswith("#mine")
        assert await patched(host, PRIVATE, f"solid:deletes {{ {own} }}") == 204
        [found] = (await shown(host, PRIVATE)).subjects(SOLID.forClass, BOOKMARK)
        assert found == computed

    told(story)


def test_apps_that_register_at_once_lose_nothing() -> None:
    async def story(host: Host) -> None:
        inserts = (f'solid:inserts {{ <#r{i}> dct:title "{i}" }}' for i in range(6))
        statuses = await asyncio.gather(*(patched(host, PRIVATE, body) for body in inserts))
        assert set(statuses) == {204}
        titles = set((await shown(host, PRIVATE)).objects(None, rdflib.DCTERMS.title))
        assert {str(title) for title in titles} == set("012345")

    told(story)


def test_the_members_own_documents_lie_in_a_folder() -> None:
    async def story(host: Host) -> None:
        contains = rdflib.URIRef("http://www.w3.org/ns/ldp#contains")
        found = set((await shown(host, "/settings/")).objects(None, contains))
        assert {str(url) for url in found} == {host.url(PRIVATE), host.url(PREFERENCES)}
        acl = await shown(host, "/settings/.acl")
        assert set(acl.subjects(None, rdflib.URIRef(host.alice.webid)))
        assert (await host.ask("GET", "/settings/.acl", as_="bob")).status_code == 403
        assert (await host.ask("PUT", "/settings/.acl", "", Content_Type=TTL)).status_code == 405
        assert (await host.ask("GET", "/settings/", as_="bob")).status_code == 403
        assert (await host.ask("GET", "/settings/", as_=None)).status_code == 401
        assert (await host.ask("OPTIONS", "/settings/", as_=None)).status_code == 204
        assert (await host.ask("PUT", "/settings/x", "", Content_Type=TTL)).status_code == 404

    told(story)


@pytest.mark.parametrize("path", [PRIVATE, PREFERENCES])
@pytest.mark.parametrize(("as_", "status"), [(None, 401), ("bob", 403)])
def test_private_documents_are_the_members_alone(path: str, as_: str | None, status: int) -> None:
    async def story(host: Host) -> None:
        for method in ("GET", "HEAD"):
            assert (await host.ask(method, path, as_=as_)).status_code == status
        for method in ("PUT", "PATCH"):
            answer = await host.ask(method, path, "", as_=as_, Content_Type=TTL)
            assert answer.status_code == status

    told(story)


def test_the_indexes_can_be_queried_by_who_may_read_them() -> None:
    async def story(host: Host) -> None:
        await host.ask("PUT", "/data/links/one", NOTE, Content_Type=TTL)
        query = f"ASK%20%7B%20%3Fr%20%3C{SOLID}forClass%3E%20%3C{BOOKMARK}%3E%20%7D".replace(
            "#", "%23"
        )
        for as_, found in ((None, b"false"), ("bob", b"false"), ("alice", b"true")):
            answer = await host.ask("GET", f"/sparql?query={query}", as_=as_, Accept="text/csv")
            assert await answer.get_data() == found
        await host.ask("DELETE", "/data/links/one")
        answer = await host.ask("GET", f"/sparql?query={query}", Accept="text/csv")
        assert await answer.get_data() == b"false"

    told(story)
