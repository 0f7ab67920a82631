"""Everything social as linked data over HTTP: made, read, edited and refused by its meaning."""

from __future__ import annotations

import pytest
import rdflib

from pod.model.resource import RECORD_TYPE
from pod.read import record_of
from pod.records.cid import cid_text
from pod.records.data import Data
from tests.kit.solid_host import Host, graph_of, told

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # rdflib's own

TTL, N3 = "text/turtle", "text/n3"
PNG = b"\x89PNG\r\n\x1a\n...."
HEAD = """@prefix as: <https://www.w3.org/ns/activitystreams#> .
@prefix schema: <https://schema.org/> .
@prefix vcard: <http://www.w3.org/2006/vcard/ns#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix bookmark: <http://www.w3.org/2002/01/bookmark#> .
@prefix solid: <http://www.w3.org/ns/solid/terms#> . @prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . """
NOW = "2026-11-24T12:00:00.000Z"


async def made(host: Host, collection: str, body: str) -> tuple[str, dict[str, Data]]:
    """Path and record of something that is made from Turtle."""
    answer = await host.ask("POST", f"/repo/{collection}/", HEAD + body, Content_Type=TTL)
    assert answer.status_code == 201, await answer.get_data()
    path = answer.headers["Location"].removeprefix(host.alice.origin)
    found = host.stored(path)
    assert found is not None
    assert found.media_type == RECORD_TYPE
    return path, record_of(found)


async def patched(host: Host, path: str, body: str) -> int:
    text = f"{HEAD} <> a solid:InsertDeletePatch; {body} ."
    return (await host.ask("PATCH", path, text, Content_Type=N3)).status_code


async def shown(host: Host, path: str) -> rdflib.Graph:
    return await graph_of(await host.ask("GET", path, as_=None, Accept=TTL))


def test_an_event_is_made_answered_moved_and_cancelled_by_its_meaning() -> None:
    async def story(host: Host) -> None:
        kind = "community.lexicon.calendar.event"
        path, record = await made(
            host,
            kind,
            """<> a as:Event ; as:name "Harvest" ; schema:description "Bring gloves" ;
            as:startTime "2026-12-01T10:00:00Z"^^xsd:dateTime ; dct:rights "CC0" .""",
        )
        assert record == {
            "$type": kind,
            "name": "Harvest",
            "description": "Bring gloves",
            "startsAt": "2026-12-01T10:00:00Z",
            "createdAt": NOW,
        }
        event = rdflib.URIRef(host.url(path))
        schema = rdflib.Namespace("https://schema.org/")
        graph = await shown(host, path)
        assert (event, schema.name, rdflib.Literal("Harvest")) in graph
        assert (event, rdflib.DCTERMS.rights, rdflib.Literal("CC0")) in graph
        _, answer = await made(
            host,
            "community.lexicon.calendar.rsvp",
            f"<> a as:TentativeAccept ; as:object <{event}> ;"
            "schema:rsvpResponse schema:RsvpResponseMaybe .",
        )
        assert answer["status"] == "community.lexicon.calendar.rsvp#interested"
        assert answer["subject"]["uri"] == host.alice.at_uri(path)  # type: ignore[arg-type,call-overload,index]
        change = """solid:deletes { <> as:startTime "2026-12-01T10:00:00Z"^^xsd:dateTime } ;
            solid:inserts { <> as:startTime "2026-12-02T10:00:00Z"^^xsd:dateTime ;
            schema:eventStatus schema:EventCancelled }"""
        assert await patched(host, path, change) == 204
        found = host.stored(path)
        assert found is not None
        assert record_of(found)["startsAt"] == "2026-12-02T10:00:00Z"
        assert record_of(found)["status"] == f"{kind}#cancelled"
        before = host.stored(path)
        assert await patched(host, path, 'solid:inserts { <> as:startTime "soon" }') == 422
        assert await patched(host, path, "solid:inserts { <> schema:organizer <a:b> }") == 409
        assert host.stored(path) == before

    told(story)


def test_posts_are_liked_people_followed_and_listed_by_their_meaning() -> None:
    async def story(host: Host) -> None:
        post, _ = await made(host, "app.bsky.feed.post", '<> schema:articleBody "Hi" .')
        like, record = await made(
            host, "app.bsky.feed.like", f"[] a as:Like ; as:object <{host.url(post)}> ."
        )
        found = host.stored(post)
        assert found is not None
        assert record["subject"] == {
            "uri": host.alice.at_uri(post),  # type: ignore[arg-type]
            "cid": cid_text(found.cid),
        }
        itself = f"solid:inserts {{ <> as:object <{host.url(like)}> }}"
        assert await patched(host, like, itself) == 409
        other = "https://bsky.app/profile/did:plc:z72i7hdynmk6r22z27h6tvur"
        follow, record = await made(host, "app.bsky.graph.follow", f"<> as:object <{other}> .")
        assert record["subject"] == "did:plc:z72i7hdynmk6r22z27h6tvur"
        me = rdflib.URIRef(host.alice.webid)
        follows = rdflib.URIRef("http://rdfs.org/sioc/ns#follows")
        assert (me, follows, rdflib.URIRef(other)) in await shown(host, follow)
        names, _ = await made(host, "app.bsky.graph.list", '<> a vcard:Group ; vcard:fn "Town" .')
        item, record = await made(
            host,
            "app.bsky.graph.listitem",
            f"<> as:object <{me}> ; as:target <{host.url(names)}> .",
        )
        assert record["list"] == host.alice.at_uri(names)  # type: ignore[arg-type]
        member = rdflib.URIRef("http://www.w3.org/2006/vcard/ns#hasMember")
        assert (rdflib.URIRef(host.url(names)), member, me) in await shown(host, item)
        keep, record = await made(
            host,
            "community.lexicon.bookmarks.bookmark",
            '<> bookmark:recalls <https://a.example/> ; schema:keywords "sun", "moon" .',
        )
        assert record["subject"] == "https://a.example/"
        assert set(record["tags"]) == {"sun", "moon"}  # type: ignore[arg-type]
        assert (await host.ask("DELETE", keep)).status_code == 205
        path, entry = await made(
            host, "com.whtwnd.blog.entry", '<> dct:title "T" ; schema:articleBody "# B" .'
        )
        summary = 'solid:inserts { <> as:summary "In short" }'
        assert await patched(host, path, summary) == 204
        changed = host.stored(path)
        assert changed is not None
        assert record_of(changed)["subtitle"] == "In short"
        assert entry == {"$type": "com.whtwnd.blog.entry", "title": "T", "content": "# B",
                         "createdAt": NOW}  # fmt: skip

    told(story)


@pytest.mark.parametrize(
    ("collection", "body"),
    [
        ("community.lexicon.calendar.event", '<> schema:description "no name" .'),
        ("community.lexicon.calendar.rsvp", "<> as:object <https://elsewhere.example/x> ."),
        ("app.bsky.feed.like", "<> as:object <https://elsewhere.example/x> ."),
        ("app.bsky.graph.follow", "<> as:object <https://elsewhere.example/me> ."),
        ("app.bsky.graph.listitem", "<> as:object </me> ."),
        ("pub.leaflet.document", '<> dct:title "T" .'),
        ("com.example.thing", '<> dct:title "T" .'),
        ("app.bsky.feed.post", '<> schema:articleBody "x" ; as:attachment </data/none.png> .'),
    ],
)
def test_what_cannot_be_made_says_what_is_missing(collection: str, body: str) -> None:
    async def story(host: Host) -> None:
        head = host.pod.store.head_seq()
        answer = await host.ask("POST", f"/repo/{collection}/", HEAD + body, Content_Type=TTL)
        assert answer.status_code == 422, await answer.get_data()
        assert host.pod.store.head_seq() == head

    told(story)


def test_a_note_is_made_with_a_picture_of_the_storage() -> None:
    async def story(host: Host) -> None:
        kept = await host.ask("PUT", "/data/sun.png", PNG, Content_Type="image/png")
        assert kept.status_code == 201
        body = """<> schema:articleBody "Look" ; as:attachment </data/sun.png> .
            </data/sun.png> as:name "A sunflower" ; as:width 4 ; as:height 3 ."""
        path, record = await made(host, "app.bsky.feed.post", body)
        [image] = record["embed"]["images"]  # type: ignore[call-overload,index,misc]
        assert image["alt"] == "A sunflower"
        assert image["aspectRatio"] == {"width": 4, "height": 3}
        assert image["image"]["mimeType"] == "image/png"
        found = host.stored("/data/sun.png")
        assert found is not None
        assert image["image"]["ref"].cid == found.cid
        attachment = rdflib.URIRef("https://www.w3.org/ns/activitystreams#attachment")
        blob = rdflib.URIRef(host.url(f"/blobs/{cid_text(found.cid)}"))
        assert (rdflib.URIRef(host.url(path)), attachment, blob) in await shown(host, path)

    told(story)


def test_a_new_photo_of_the_profile_is_the_avatar_everywhere() -> None:
    async def story(host: Host) -> None:
        await host.ask("PUT", "/data/me.png", PNG, Content_Type="image/png")
        photo = 'solid:inserts { </me> vcard:hasPhoto </data/me.png> ; foaf:name "Alice" }'
        assert await patched(host, "/me", photo) == 204
        found, profile = host.stored("/data/me.png"), host.pod.read.profile(host.alice.id)
        assert found is not None
        assert profile.avatar is not None
        assert profile.avatar.cid == found.cid
        elsewhere = "solid:inserts { </me> vcard:hasPhoto <https://elsewhere.example/me.png> }"
        assert await patched(host, "/me", elsewhere) == 422

    told(story)
