"""The vocabulary documents: every term that records use, from the installed lexicons."""

from __future__ import annotations

import pytest
import rdflib
from hypothesis import given
from pyoxigraph import NamedNode
from rdflib.namespace import OWL, RDF, RDFS, XSD

from adapters.solid.lens.generic import to_rdf
from adapters.solid.lens.lexicon import BASICS, terms
from pod.model.ids import Nsid
from pod.model.note import Note
from pod.records.lens import index as core
from tests.kit import nouns
from tests.kit.house import LEXICONS
from tests.kit.solid_host import Host, graph_of, told

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib's own

POST = "app.bsky.feed.post"
TTL = "text/turtle"


def lex(name: str) -> rdflib.URIRef:
    return rdflib.URIRef(f"lex:{name}")


def test_a_lexicon_is_a_vocabulary_of_classes_and_properties() -> None:
    async def story(host: Host) -> None:
        answer = await host.ask("GET", f"/ns/lex/{POST}", as_=None, Accept=TTL)
        assert answer.status_code == 200
        shown = await graph_of(answer)
        document = rdflib.URIRef(host.url(f"/ns/lex/{POST}"))
        assert (document, RDF.type, OWL.Ontology) in shown
        assert (lex(POST), RDF.type, RDFS.Class) in shown
        assert (lex(POST), RDFS.isDefinedBy, document) in shown
        text = lex(f"{POST}#text")
        assert (text, RDF.type, RDF.Property) in shown
        assert (text, RDFS.domain, lex(POST)) in shown
        assert (text, RDFS.range, XSD.string) in shown
        assert "primary post content" in str(shown.value(text, RDFS.comment))
        assert (lex(f"{POST}#langs"), RDFS.range, RDF.List) in shown
        reply = lex(f"{POST}#reply")
        assert (reply, RDFS.range, lex(f"{POST}#replyRef")) in shown
        union = shown.value(lex(f"{POST}#embed"), RDFS.range)
        members = rdflib.collection.Collection(shown, shown.value(union, OWL.unionOf))
        assert lex("app.bsky.embed.images") in members
        as_json = await host.ask("GET", f"/ns/lex/{POST}", as_=None, Accept="application/ld+json")
        assert len(await graph_of(as_json)) == len(shown)

    told(story)


def test_people_read_the_vocabulary_as_a_page() -> None:
    async def story(host: Host) -> None:
        answer = await host.ask("GET", f"/ns/lex/{POST}", as_=None, Accept="text/html")
        body = (await answer.get_data()).decode()
        assert answer.headers["Content-Type"].startswith("text/html")
        assert '<dt id="text">text</dt>' in body
        whole = await host.ask("GET", "/ns/lex/", as_=None, Accept="text/html")
        assert f'<a href="/ns/lex/{POST}">' in (await whole.get_data()).decode()
        assert (await host.ask("GET", f"/ns/lex/{POST}", Accept="image/png")).status_code == 406

    told(story)


def test_an_unknown_lexicon_is_said_to_be_unknown() -> None:
    async def story(host: Host) -> None:
        answer = await host.ask("GET", "/ns/lex/com.example.thing", as_=None)
        assert answer.status_code == 404
        assert b"No lexicon com.example.thing is known here" in await answer.get_data()

    told(story)


def test_a_record_links_to_its_other_view_and_to_its_vocabulary() -> None:
    async def story(host: Host) -> None:
        note = '<> <https://schema.org/articleBody> "Hi" .'
        made = await host.ask("POST", f"/repo/{POST}/", note, Content_Type=TTL)
        shown = await host.ask("GET", made.headers["Location"].removeprefix(host.alice.origin))
        links = shown.headers["Link"]
        assert f'<{made.headers["Location"]}?view=lex>; rel="describedby"' in links
        assert f'<{host.url(f"/ns/lex/{POST}")}>; rel="profile"' in links

    told(story)


@given(nouns.notes)
def test_every_term_of_a_record_is_in_a_vocabulary_document(note: Note) -> None:
    record = core.put(POST, note)
    used = {triple.predicate for triple in to_rdf(record, NamedNode("http://a.example/"))}
    known = {term.iri for term in BASICS}
    for predicate in used:
        if predicate.value.startswith("lex:"):
            nsid = Nsid(predicate.value.removeprefix("lex:").partition("#")[0].split("/")[0])
            if LEXICONS.has(nsid):
                known |= {term.iri for term in terms(LEXICONS, nsid)}
    assert {p for p in used if p.value.startswith("lex:")} <= known


def test_every_installed_lexicon_has_its_document() -> None:
    found = {nsid: terms(LEXICONS, nsid) for nsid in LEXICONS.names()}
    records = [n for n in found if LEXICONS.rkey_kind(n) is not None]
    assert len(records) > 30
    assert all(found[nsid] for nsid in records if nsid != "com.atproto.lexicon.schema")
