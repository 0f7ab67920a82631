"""Leaflet's blocks: what its apps write, read in the fediverse as it was meant."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.activitypub.lens import article, html
from adapters.activitypub.lens.published import Published
from pod.model.article import Article
from pod.model.blob import BlobRef
from pod.model.ids import Nsid, Tid
from pod.model.member import Member
from pod.model.resource import RECORD_TYPE, Resource, ResourcePath
from pod.records.cbor import encode
from pod.records.cid import cid_text, record_cid
from pod.records.lens import index as records
from pod.records.lens.shape import blob_data
from tests.kit.fediverse import FediPod, Peer
from tests.kit.members import START
from tests.property.lens.test_as2_laws import ALICE, NAMES, NOW
from tests.wire.activitypub.conftest import Tell
from tests.wire.activitypub.test_circle_files import png

LEAFLET = "pub.leaflet.document"
BLOCKS = "pub.leaflet.blocks."
FACET = "pub.leaflet.richtext.facet"


def block(kind: str, words: str | None = None, *facets: Any, **more: Any) -> dict[str, Any]:
    said = {"plaintext": words, "facets": list(facets)} if words is not None else {}
    return {"$type": BLOCKS + kind, **said, **more}


def facet(start: int, end: int, mark: str, **more: Any) -> dict[str, Any]:
    features = [{"$type": f"{FACET}#{mark}", **more}]
    return {"index": {"byteStart": start, "byteEnd": end}, "features": features}


def item(words: str, *children: Any, **more: Any) -> dict[str, Any]:
    nested = {"children": list(children)} if children else {}
    return {"content": block("text", words), **nested, **more}


def pages(*blocks: Any) -> list[dict[str, Any]]:
    page = "pub.leaflet.pages.linearDocument"
    return [{"$type": page, "blocks": [{"$type": f"{page}#block", "block": b} for b in blocks]}]


def document(*blocks: Any) -> dict[str, Any]:
    return {
        "$type": LEAFLET, "title": "Soil", "author": ALICE.did, "publishedAt": NOW,
        "pages": pages(*blocks),
    }  # fmt: skip


def test_every_kind_of_block_is_read(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        row = await pod.media.keep(alice.id, png(), None)
        held = BlobRef(row.cid, row.media_type, row.size)
        picture = {"image": blob_data(held), "aspectRatio": {"width": 8, "height": 4}}
        note = {"footnoteId": "1", "contentPlaintext": "why"}
        bob_at = "at://did:plc:bobbobbobbobbobbobbobbob/app.bsky.feed.post/3mtcccccccc2c"
        record = document(
            block("header", "One <b>", level=2),
            block("text", "Grüße an alle", facet(0, 7, "bold"), facet(8, 10, "link", uri="https://a.example/?a=1&b=2")),
            block("text", "not web, two\nlines", facet(0, 7, "link", uri="javascript:alert(1)")),
            block("blockquote", "so", facet(0, 2, "italic")),
            block("code", "a < b\n  c", language="py"),
            block("unorderedList", children=[item("x", item("y"), checked=True), item("z")]),
            block("orderedList", children=[item("p")], startIndex=3),
            block("horizontalRule"),
            block("website", src="https://a.example/", title="A", description="B"),
            block("bskyPost", postRef={"uri": bob_at, "cid": cid_text(row.cid)}),
            block("math", tex="x^2"),
            block("text", "claim*", facet(5, 6, "footnote", **note)),
            block("image", **picture, alt="a field"),
            block("poll", pollRef={}),
            block("invented", "still words"),
        )  # fmt: skip
        url = alice.url((pod.at(alice, await pod.record(alice, LEAFLET, record))).path)
        shown = (await pod.get(url))[1]
        assert shown["content"] == (
            "<p><strong>One &lt;b&gt;</strong></p>"
            '<p><strong>Grüße</strong> <a href="https://a.example/?a=1&amp;b=2">an</a> alle</p>'
            "<p>not web, two<br>lines</p>"
            "<blockquote><p><em>so</em></p></blockquote>"
            "<pre><code>a &lt; b\n  c</code></pre>"
            "<ul><li>☑ x<ul><li>y</li></ul></li><li>z</li></ul>"
            '<ol start="3"><li>p</li></ol>'
            "<p>* * *</p>"
            '<p><a href="https://a.example/">A</a></p><p>B</p>'
            '<p><a href="https://bsky.app/profile/did:plc:bobbobbobbobbobbobbobbob/post/'
            '3mtcccccccc2c">https://bsky.app/profile/did:plc:bobbobbobbobbobbobbobbob/post/'
            "3mtcccccccc2c</a></p>"
            "<pre><code>x^2</code></pre>"
            "<p>claim[1]</p>"
            f'<p><a href="{alice.origin}/blobs/{cid_text(row.cid)}">a field</a></p>'
            "<p>still words</p><ol><li>why</li></ol>"
        )
        await pod.wing.flush()
        assert bob.activities[-1]["object"]["content"] == shown["content"]
        head = pod.store.head_seq()
        assert (await pod.say(alice, {"type": "Update", "object": shown}))[0] == 201
        assert pod.store.head_seq() == head
        words = {"id": url, "type": "Article", "content": "<p>mine</p>"}
        assert (await pod.say(alice, {"type": "Update", "object": words}))[0] == 409
        named = {"id": url, "type": "Article", "name": "Earth"}
        assert (await pod.say(alice, {"type": "Update", "object": named}))[0] == 201
        again = (await pod.get(url))[1]
        assert (again["name"], again["content"]) == ("Earth", shown["content"])

    tell(story)


def test_blocks_within_a_standard_document_are_read_too(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        record = {
            "$type": "site.standard.document", "title": "Soil", "site": "https://a.example",
            "publishedAt": NOW, "textContent": "Turn it",
            "content": {
                "$type": "pub.leaflet.content",
                "pages": pages(block("text", "Turn it", facet(5, 7, "bold"))),
            },
        }  # fmt: skip
        made = await pod.record(alice, "site.standard.document", record, validate=False)
        shown = (await pod.get(alice.url(pod.at(alice, made).path)))[1]
        assert shown["content"] == "<p>Turn <strong>it</strong></p>"

    tell(story)


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["$type", "plaintext", "facets", "children", "content", "image", "index", "byteStart",
             "byteEnd", "features", "uri", "src", "checked", "startIndex", "contentPlaintext"]
        ),
        inner | st.sampled_from([BLOCKS + k for k in ("unorderedList", "image", "text", "code")]),
        max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(anything, max_size=4))
def test_whatever_stands_in_blocks_is_clean_html_and_written_back_it_changes_nothing(
    blocks: list[Any],
) -> None:
    record = document(*blocks)
    body = encode(record)
    path = ResourcePath(f"/repo/{LEAFLET}/3mtcccccccc2c")
    resource = Resource(
        ALICE.id, path, RECORD_TYPE, record_cid(body), len(body), body, Tid("3mtcccccccc2c"),
        START, START,
    )  # fmt: skip
    place = Published(ALICE, resource, NAMES)
    noun = records.get(Nsid(LEAFLET), record)
    assert isinstance(noun, Article)
    shown = article.get(noun, place)
    assert html.clean(shown["content"]) == shown["content"]
    put = article.put(shown, noun, place, NOW)
    assert (put.noun, put.annotation, put.override) == (noun, {}, {})
