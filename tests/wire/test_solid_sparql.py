"""The SPARQL endpoint: what the asker may read, in every format, bounded, and nothing else."""

from __future__ import annotations

import asyncio
import csv
import gc
import io
import json
from urllib.parse import quote, urlencode
from xml.etree import ElementTree as ET

import pytest
from quart import Response

from adapters.solid.query import lane
from adapters.solid.routes import sparql
from pod.access.agent import Agent, Credential
from pod.errors import Overloaded
from pod.model.ids import Iri, Nsid, Rkey
from pod.write import PutRecord
from tests.kit.house import owner
from tests.kit.solid_host import Host, graph_of, told

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib's own

JSON = "application/sparql-results+json"
FORM = "application/x-www-form-urlencoded"
POST = "/repo/app.bsky.feed.post/3mtcccccccc2c"
TTL = "text/turtle"
ACL = """@prefix acl: <http://www.w3.org/ns/auth/acl#> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
<#p> a acl:Authorization ; acl:accessTo <{it}> ; acl:agentClass foaf:Agent ; acl:mode acl:Read .
<#o> a acl:Authorization ; acl:accessTo <{it}> ; acl:agent </me> ;
  acl:mode acl:Read, acl:Write, acl:Control ."""
ALL = "SELECT ?s ?p ?o WHERE { ?s ?p ?o }"
COUNT = "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }"


async def furnished(host: Host) -> None:
    """A post, a public document, a private one, and one for bob."""
    text = {"$type": "app.bsky.feed.post", "text": "Hello", "createdAt": "2026-01-01T00:00:00.000Z"}
    op = PutRecord(Nsid("app.bsky.feed.post"), Rkey("3mtcccccccc2c"), text)
    await host.pod.write.apply(owner(host.alice), host.alice.id, [op])
    for name in ("public", "secret", "shared"):
        body = f'<#it> <http://e.example/says> "{name} word" ; <http://e.example/has> [ <a:b> 1 ] .'
        assert (await host.ask("PUT", f"/data/{name}", body, Content_Type=TTL)).status_code == 201
    await host.ask("PUT", "/data/public.acl", ACL.format(it="public"), Content_Type=TTL)
    only_bob = ACL.format(it="shared").replace(
        "acl:agentClass foaf:Agent", "acl:agent <https://bob.example/me>"
    )
    await host.ask("PUT", "/data/shared.acl", only_bob, Content_Type=TTL)


async def asked(host: Host, query: str, as_: str | None = None, **headers: str) -> Response:
    headers.setdefault("Accept", JSON)
    return await host.ask("GET", f"/sparql?query={quote(query)}", as_=as_, **headers)


async def rows(host: Host, query: str, as_: str | None = None) -> list[dict[str, str]]:
    answer = await asked(host, query, as_)
    assert answer.status_code == 200, await answer.get_data()
    found = json.loads(await answer.get_data())["results"]["bindings"]
    return [{name: term["value"] for name, term in row.items()} for row in found]


async def words(host: Host, as_: str | None) -> set[str]:
    said = await rows(host, "SELECT ?w { ?s <http://e.example/says> ?w }", as_)
    return {row["w"] for row in said}


def test_each_asker_sees_what_they_may_read_and_nothing_else() -> None:
    async def story(host: Host) -> None:
        await furnished(host)
        for _ in range(2):
            assert await words(host, None) == {"public word"}
            assert await words(host, "bob") == {"public word", "shared word"}
            assert await words(host, "alice") == {"public word", "secret word", "shared word"}
        text = "SELECT ?t ?g { GRAPH ?g { ?s <https://schema.org/articleBody> ?t } }"
        assert await rows(host, text) == [{"t": "Hello", "g": host.url(POST)}]

    told(story)


@pytest.mark.parametrize("as_", [None, "bob"])
def test_nothing_private_shows_by_counts_tests_graphs_or_errors(as_: str | None) -> None:
    async def story(host: Host) -> None:
        await furnished(host)
        before = await rows(host, COUNT, as_)
        graphs = await rows(host, "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }", as_)
        assert host.url("/data/secret") not in {row["g"] for row in graphs}
        secret, nothing = host.url("/data/secret"), host.url("/data/nothing")
        await rows(host, COUNT, "alice")
        for shape in (
            "ASK {{ <{0}#it> ?p ?o }}",
            "ASK {{ FILTER EXISTS {{ ?s ?p ?o . FILTER(CONTAINS(STR(?o), 'secret')) }} }}",
            "ASK {{ GRAPH <{0}> {{ ?s ?p ?o }} }}",
            "SELECT (COUNT(*) AS ?n) FROM <{0}> {{ ?s ?p ?o }}",
            "SELECT (COUNT(*) AS ?n) FROM NAMED <{0}> {{ GRAPH ?g {{ ?s ?p ?o }} }}",
            "SELECT ?x {{ ?x ?p ?o FILTER(STRSTARTS(STR(?x), '{0}')) }}",
        ):
            answers = [await asked(host, shape.format(url), as_) for url in (secret, nothing)]
            bodies = [await answer.get_data() for answer in answers]
            assert [answer.status_code for answer in answers] == [200, 200]
            assert bodies[0] == bodies[1]
            assert b"true" not in bodies[0]
        described = await asked(host, f"DESCRIBE <{secret}#it>", as_, Accept="text/turtle")
        assert await described.get_data() == b""
        await host.ask("PUT", "/data/secret", '<#it> <a:b> "more secret" .', Content_Type=TTL)
        assert await rows(host, COUNT, as_) == before

    told(story)


def test_a_kept_dataset_follows_every_change() -> None:
    async def story(host: Host) -> None:
        await furnished(host)
        assert await words(host, None) == {"public word"}
        await host.ask(
            "PUT", "/data/public", '<#it> <http://e.example/says> "new".', Content_Type=TTL
        )
        assert await words(host, None) == {"new"}
        await host.ask("PUT", "/data/secret.acl", ACL.format(it="secret"), Content_Type=TTL)
        assert await words(host, None) == {"new", "secret word"}
        await host.ask("DELETE", "/data/secret.acl")
        assert await words(host, None) == {"new"}
        assert (await host.ask("DELETE", "/data/public")).status_code == 205
        assert await words(host, None) == set()
        body = await rows(host, "SELECT ?t { ?s <https://schema.org/articleBody> ?t }")
        assert body == [{"t": "Hello"}]
        assert (await host.ask("DELETE", POST)).status_code == 205
        assert await rows(host, "SELECT ?t { ?s <https://schema.org/articleBody> ?t }") == []
        renamed = "SELECT ?n { ?s <http://xmlns.com/foaf/0.1/name> ?n }"
        assert await rows(host, renamed) == []
        profile = {"$type": "app.bsky.actor.profile", "displayName": "Alice"}
        op = PutRecord(Nsid("app.bsky.actor.profile"), Rkey("self"), profile)
        await host.pod.write.apply(owner(host.alice), host.alice.id, [op])
        assert await rows(host, renamed) == [{"n": "Alice"}]

    told(story)


def test_blank_nodes_of_two_documents_are_not_the_same() -> None:
    async def story(host: Host) -> None:
        await furnished(host)
        shared = (
            "ASK { GRAPH ?g { ?a ?p ?b } GRAPH ?h { ?c ?q ?b } FILTER(ISBLANK(?b) && ?g != ?h)}"
        )
        assert json.loads(await (await asked(host, shared, "alice")).get_data())["boolean"] is False

    told(story)


def test_results_come_in_every_format_and_other_formats_are_406() -> None:
    async def story(host: Host) -> None:
        await furnished(host)
        query = "SELECT ?t { ?s <https://schema.org/articleBody> ?t }"
        for accept in (JSON, "application/json"):
            answer = await asked(host, query, Accept=accept)
            assert answer.headers["Content-Type"] == accept
            assert json.loads(await answer.get_data())["head"]["vars"] == ["t"]
        tree = ET.fromstring(
            await (await asked(host, query, Accept="application/sparql-results+xml")).get_data()
        )
        assert [e.text for e in tree.iter() if e.tag.endswith("literal")] == ["Hello"]
        body = await (await asked(host, query, Accept="text/csv")).get_data()
        assert list(csv.reader(io.StringIO(body.decode()))) == [["t"], ["Hello"]]
        body = await (await asked(host, query, Accept="text/tab-separated-values")).get_data()
        assert body.decode().splitlines() == ["?t", '"Hello"']
        graph = f"CONSTRUCT {{ ?s ?p ?o }} {{ GRAPH <{host.url(POST)}> {{ ?s ?p ?o }} }}"
        as_turtle = await asked(host, graph, Accept="text/turtle")
        as_json = await asked(host, graph, Accept="application/ld+json")
        assert set(await graph_of(as_turtle)) == set(await graph_of(as_json)) != set()
        lines = await (await asked(host, graph, Accept="application/n-triples")).get_data()
        assert len(lines.splitlines()) == len(set(await graph_of(as_turtle)))
        assert (await asked(host, graph, Accept=JSON)).status_code == 406
        assert (await asked(host, query, Accept="text/turtle")).status_code == 406
        assert (await asked(host, query, Accept="image/png")).status_code == 406
        assert (await asked(host, "ASK { ?s ?p ?o }", Accept="*/*")).status_code == 200
        head = await host.ask("HEAD", f"/sparql?query={quote(query)}", as_=None)
        assert head.status_code == 200

    told(story)


def test_a_query_may_be_posted_and_may_name_graphs_by_the_protocol() -> None:
    async def story(host: Host) -> None:
        await furnished(host)
        query = "SELECT ?w { ?s <http://e.example/says> ?w }"
        direct = await host.ask(
            "POST", "/sparql", query, Content_Type="application/sparql-query", Accept=JSON
        )
        form = await host.ask(
            "POST", "/sparql", urlencode({"query": query}), Content_Type=FORM, Accept=JSON
        )
        assert await direct.get_data() == await form.get_data()
        assert len(json.loads(await form.get_data())["results"]["bindings"]) == 3
        named = urlencode({"query": query, "default-graph-uri": host.url("/data/secret")})
        form = await host.ask("POST", "/sparql", named, Content_Type=FORM, Accept=JSON)
        [row] = json.loads(await form.get_data())["results"]["bindings"]
        assert row["w"]["value"] == "secret word"
        within = "SELECT ?g { GRAPH ?g { ?s <http://e.example/says> ?w } }"
        named = urlencode({"query": within, "named-graph-uri": host.url("/data/secret")})
        [row] = json.loads(await (await host.ask("GET", f"/sparql?{named}")).get_data())["results"][
            "bindings"
        ]
        assert row["g"]["value"] == host.url("/data/secret")
        prefixed = f"PREFIX d: <{host.url('/data/')}> {query.replace('{', 'FROM d:public {', 1)}"
        assert await rows(host, prefixed, "alice") == [{"w": "public word"}]
        relative = query.replace("{", "FROM </data/public> {", 1)
        assert await rows(host, relative, "alice") == [{"w": "public word"}]

    told(story)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("SELECT", 400),
        ("", 400),
        ("INSERT DATA { <a:b> <a:c> 1 }", 400),
        ("SELECT * { SERVICE <http://127.0.0.1:1234/> { ?s ?p ?o } }", 403),
        ("SELECT * { service silent <http://127.0.0.1:1234/> { ?s ?p ?o } }", 403),
        ("SELECT * { SERVI\\u0043E <http://127.0.0.1:1234/> { ?s ?p ?o } }", 403),
        ("SELECT * { #x\nSERVICE?x { ?s ?p ?o } }", 403),
        ("SELECT * FROM <http://elsewhere.example/> { ?s ?p ?o }", 403),
        ("PREFIX e: <http://e.example/> SELECT * FROM NAMED e:x { ?s ?p ?o }", 403),
        ("SELECT * { ?s ?p ?o } #" + "x" * 70_000, 413),
        ('SELECT ?service { ?service ?p "SERVICE <x>" } # SERVICE', 200),
        ("PREFIX SERVICE: <http://e.example/> SELECT * { ?s SERVICE:SERVICE <SERVICE> }", 200),
    ],
)
def test_what_is_refused_says_why_and_runs_nothing(query: str, status: int) -> None:
    async def story(host: Host) -> None:
        body = urlencode({"query": query})
        answer = await host.ask("POST", "/sparql", body, Content_Type=FORM, Accept=JSON)
        assert answer.status_code == status, await answer.get_data()

    told(story)


@pytest.mark.parametrize(
    ("media", "body", "status"),
    [
        ("application/sparql-update", "INSERT DATA { <a:b> <a:c> 1 }", 415),
        ("text/plain", "ASK {}", 415),
        (FORM, "update=CLEAR+ALL", 400),
        (FORM, "query=ASK+%7B%7D&query=ASK+%7B%7D", 400),
        (FORM, "query=ASK+%7B%7D&default-graph-uri=http%3A%2F%2Felsewhere.example%2F", 403),
        ("application/sparql-query", b"\xff", 400),
    ],
)
def test_bad_requests_get_their_own_errors(media: str, body: str | bytes, status: int) -> None:
    async def story(host: Host) -> None:
        assert (await host.ask("POST", "/sparql", body, Content_Type=media)).status_code == status

    told(story)


CROSS = " ".join(f"?a{i} ?b{i} ?c{i} ." for i in range(9))


def test_an_endless_query_is_ended_and_the_next_one_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sparql, "QUERY_S", 0.5)

    async def story(host: Host) -> None:
        await furnished(host)
        answer = await asked(host, f"SELECT (COUNT(*) AS ?n) {{ {CROSS} }}", "alice")
        assert answer.status_code == 503
        assert "Retry-After" in answer.headers
        assert len(await words(host, "alice")) == 3

    told(story)


def test_a_result_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparql, "MAX_RESULT_BYTES", 100)

    async def story(host: Host) -> None:
        await furnished(host)
        assert (await asked(host, ALL)).status_code == 413
        assert (await asked(host, "ASK { ?s ?p ?o }")).status_code == 200

    told(story)


def test_a_query_that_needs_too_much_memory_ends_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparql, "QUERY_S", 60.0)

    async def story(host: Host) -> None:
        await furnished(host)
        greedy = f"SELECT DISTINCT * {{ {CROSS} }} ORDER BY ?a0 ?a1 ?a2 ?a3 ?a4"
        assert (await asked(host, greedy, "alice")).status_code in (413, 503)
        assert len(await words(host, "alice")) == 3

    told(story)


def test_askers_wait_their_turn_and_too_many_are_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "MAX_WAITING", 2)

    async def story(host: Host) -> None:
        await furnished(host)
        answers = await asyncio.gather(*(asked(host, COUNT) for _ in range(6)))
        assert sorted(a.status_code for a in answers) == [200, 200, 503, 503, 503, 503]
        waited: lane.Lane[int] = lane.Lane()
        monkeypatch.setattr(lane, "MAX_WAIT_S", 0.01)
        await waited._turn.acquire()
        with pytest.raises(Overloaded, match="took too long"):
            await waited.ask("x", None, {}, keep=True)  # type: ignore[arg-type]

    told(story)


def test_who_hangs_up_leaves_nothing_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparql, "QUERY_S", 0.3)

    async def story(host: Host) -> None:
        await furnished(host)
        faults: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
        endless = asked(host, f"SELECT (COUNT(*) AS ?n) {{ {CROSS} }}")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(endless, 0.1)
        assert await words(host, None) == {"public word"}
        gc.collect()
        assert [fault for fault in faults if "exception" in fault] == []
        task = asyncio.ensure_future(asked(host, ALL))
        await asyncio.sleep(0.05)
        task.cancel()
        assert await words(host, None) == {"public word"}

    told(story)


def test_tokens_that_speak_of_records_only_see_no_private_document() -> None:
    async def story(host: Host) -> None:
        await furnished(host)
        assert len(await words(host, "alice")) == 3
        agent = host.tokens.agents["alice"]
        gone = Agent(Credential.TAKENDOWN, agent.member, agent.iri)
        host.tokens.agents["gone"] = gone
        assert await rows(host, ALL, "gone") == []
        host.tokens.agents["carol"] = Agent(Credential.SIGNATURE, iri=Iri("https://c.example/me"))
        assert await words(host, "carol") == {"public word"}

    told(story)


def test_the_endpoint_can_be_found_and_says_what_it_can() -> None:
    async def story(host: Host) -> None:
        storage = await graph_of(await host.ask("GET", "/.well-known/solid", as_=None))
        [endpoint] = {
            str(o) for s, p, o in storage if str(p) == "http://rdfs.org/ns/void#sparqlEndpoint"
        }
        assert endpoint == host.url("/sparql")
        about = await graph_of(await host.ask("GET", "/sparql", as_=None, Accept="text/turtle"))
        assert {str(o) for _, p, o in about if str(p).endswith("#feature")} == {
            "http://www.w3.org/ns/sparql-service-description#UnionDefaultGraph"
        }
        options = await host.ask("OPTIONS", "/sparql", as_=None)
        assert options.headers["Allow"] == "GET, HEAD, OPTIONS, POST"

    told(story)
