"""Feeds: the member's own posts, well formed in all three formats, and cheap to poll."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import orjson

from pod.records.cid import cid_text
from pod.records.data import Data
from tests.kit.hall import Author, author
from tests.kit.visitor import ORIGIN, Visitor, play

ATOM = "{http://www.w3.org/2005/Atom}"


def test_the_feeds_hold_the_posts_and_not_the_answers_to_others() -> None:
    async def scene(alice: Author, visitor: Visitor) -> None:
        bob = await author(alice.pod, "bob")
        asked = await bob.post("Which map?")
        found = alice.pod.store.resource(bob.member.id, asked)
        assert found is not None
        ref: dict[str, Data] = {"uri": bob.member.at_uri(asked), "cid": cid_text(found.cid)}
        await alice.post("answer", reply={"root": ref, "parent": ref})
        path = await alice.post("A & B <c> \u0007")
        url = ORIGIN + path
        atom = ET.fromstring(await (await visitor.get("/feed.atom")).get_data())
        assert [e.findtext(f"{ATOM}id") for e in atom.findall(f"{ATOM}entry")] == [url]
        assert "&amp; B &lt;c&gt;" in (atom.findtext(f"{ATOM}entry/{ATOM}content") or "")
        rss = ET.fromstring(await (await visitor.get("/feed.rss")).get_data())
        assert [item.findtext("guid") for item in rss.findall("channel/item")] == [url]
        feed = orjson.loads(await (await visitor.get("/feed.json")).get_data())
        assert [item["id"] for item in feed["items"]] == [url]

    play(scene)


def test_an_unchanged_feed_or_page_is_304() -> None:
    async def scene(alice: Author, visitor: Visitor) -> None:
        path = await alice.post("hello")
        for where in ("/", path, "/feed.atom", "/feed.rss", "/feed.json", "/assets/style.css"):
            first = await visitor.get(where)
            again = await visitor.get(where, If_None_Match=first.headers["ETag"])
            assert (again.status_code, await again.get_data()) == (304, b"")
        before = (await visitor.get("/feed.atom")).headers["ETag"]
        await alice.post("more")
        assert (await visitor.get("/feed.atom", If_None_Match=before)).status_code == 200

    play(scene)
