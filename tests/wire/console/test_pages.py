"""The pages a person sees: what is written there, and that it is only what was written."""

from __future__ import annotations

import pytest

from pod.model.ids import Iri, Nsid
from pod.model.peer import Edge
from pod.model.presence import Presence
from pod.model.resource import ResourcePath
from pod.records.cid import cid_text
from pod.records.data import Data
from pod.write import PutRecord
from tests.kit.hall import Author, author, blob_data
from tests.kit.house import owner
from tests.kit.pages import Page
from tests.kit.visitor import BROWSER, HOST, ORIGIN, Visitor, play


def facet(text: str, words: str, feature: dict[str, Data]) -> dict[str, Data]:
    start = text.encode().index(words.encode())
    return {
        "index": {"byteStart": start, "byteEnd": start + len(words.encode())},
        "features": [feature],
    }


async def image(alice: Author, alt: str) -> dict[str, Data]:
    blob = await alice.blob(b"\x89PNG\r\n\x1a\n" + alt.encode(), "image/png")
    return {
        "image": blob_data(blob),
        "alt": alt,
        "aspectRatio": {"width": 1200, "height": 800},
    }


def test_a_post_page_shows_text_links_tags_language_and_image_with_its_alt() -> None:
    async def scene(alice: Author, visitor: Visitor) -> None:
        text = "Grüße from https://maps.example <b> #maps"
        path = await alice.post(
            text,
            langs=["de"],
            facets=[
                facet(
                    text,
                    "https://maps.example",
                    {"$type": "app.bsky.richtext.facet#link", "uri": "https://maps.example"},
                ),
                facet(text, "#maps", {"$type": "app.bsky.richtext.facet#tag", "tag": "maps"}),
            ],
            embed={
                "$type": "app.bsky.embed.images",
                "images": [await image(alice, 'A "quoted" alt <text>')],
            },
        )
        page = await visitor.page(path)
        (content,) = page.of_class("e-content")
        assert content.text.strip() == text
        assert content.attributes["lang"] == "de"
        assert page.all("a", href="https://maps.example", rel="nofollow noopener")
        assert page.all("a", rel="tag", href=f"{ORIGIN}/?tag=maps")
        (photo,) = page.all("img", **{"class": "u-photo"})
        assert photo.attributes["alt"] == 'A "quoted" alt <text>'
        assert (photo.attributes["width"], photo.attributes["height"]) == ("1200", "800")
        shown = await visitor.get(photo.attributes["src"].removeprefix(ORIGIN))
        assert (await shown.get_data()).endswith(b"<text>")

    play(scene)


def test_a_post_page_tells_crawlers_and_peers_what_it_is() -> None:
    async def scene(alice: Author, visitor: Visitor) -> None:
        path = await alice.post(
            "A walk",
            embed={"$type": "app.bsky.embed.images", "images": [await image(alice, "Trees")]},
        )
        page = await visitor.page(path)
        url = ORIGIN + path
        assert page.meta("og:url") == [url]
        assert page.meta("og:type") == ["article"]
        assert page.meta("og:description") == ["A walk"]
        assert page.meta("og:image:alt") == ["Trees"]
        assert page.meta("og:image")[0].startswith(f"{ORIGIN}/blobs/")
        assert page.meta("twitter:card") == ["summary_large_image"]
        assert page.meta("fediverse:creator") == [f"@alice@{HOST}"]
        (published,) = page.meta("article:published_time")
        assert published == page.all("time")[0].attributes["datetime"]
        forms = {link.attributes.get("type") for link in page.all("link", href=url)}
        assert {"application/activity+json", "text/turtle", "application/ld+json"} <= forms
        assert page.all("link", rel="alternate", href=alice.member.at_uri(path))
        assert page.all("link", rel="canonical", href=url)

    play(scene)


def test_the_profile_is_a_card_with_picture_words_and_claims() -> None:
    async def scene(alice: Author, visitor: Visitor) -> None:
        avatar = await alice.blob(b"\xff\xd8\xffavatar", "image/jpeg")
        await alice.write(
            "app.bsky.actor.profile",
            {
                "displayName": "Alice <Martin>",
                "description": "Reads.\nSee https://garden.example/notes.",
                "website": "https://garden.example",
                "avatar": blob_data(avatar),
            },
            "self",
        )
        page = await visitor.page("/")
        assert [name.text for name in page.all("h1")] == ["Alice <Martin>"]
        assert page.all("a", href="https://garden.example/notes")
        mine = {
            link.attributes["href"]
            for link in page.all("a")
            if "me" in link.attributes.get("rel", "").split()
        }
        assert mine == {
            f"{ORIGIN}/me",
            "https://garden.example",
            f"at://{alice.member.did}",
        }
        (face,) = page.all("img", alt="Alice <Martin>")
        assert face.attributes["src"] == f"{ORIGIN}/blobs/{cid_text(avatar.cid)}"
        assert page.meta("og:type") == ["profile"]

    play(scene)


def test_fields_of_a_profile_lead_to_pages_of_the_same_person() -> None:
    async def scene(alice: Author, visitor: Visitor) -> None:
        fields = (("Elsewhere", "https://social.example/@alice"), ("Mood", "<b>javascript:</b>"))
        visitor.presence = Presence(fields=fields, moved_to=Iri("https://new.example/me"))
        page = await visitor.page("/")
        mine = {
            link.attributes["href"]
            for link in [*page.all("a"), *page.all("link")]
            if "me" in link.attributes.get("rel", "").split()
        }
        assert mine == {
            f"{ORIGIN}/",
            f"{ORIGIN}/me",
            "https://social.example/@alice",
            "https://new.example/me",
            f"at://{alice.member.did}",
        }
        assert [row.text for row in page.all("dt")] == ["Handle", "Elsewhere", "Mood", "DID"]
        assert "<b>javascript:</b>" in [row.text for row in page.all("dd")]
        assert page.meta("robots") == []
        visitor.presence = Presence(is_indexable=False)
        assert (await visitor.page("/")).meta("robots") == ["noindex, noarchive"]

    play(scene)


def test_home_and_me_are_the_same_page() -> None:
    async def scene(alice: Author, visitor: Visitor) -> None:
        await alice.post("hello")
        home, me = [await (await visitor.get(path)).get_data() for path in ("/", "/me")]
        assert home == me

    play(scene)


def test_pages_lead_from_the_newest_to_the_oldest_post_without_gaps() -> None:
    async def scene(alice: Author, visitor: Visitor) -> None:
        for number in range(45):
            await alice.post(f"number {number}")
        seen: list[str] = []
        here: str | None = "/"
        while here is not None:
            page = await visitor.page(here)
            seen += [content.text.strip() for content in page.of_class("e-content")]
            onward = page.all("a", rel="next")
            here = onward[0].attributes["href"] if onward else None
        assert seen == [f"number {number}" for number in reversed(range(45))]

    play(scene)


def test_a_pinned_post_comes_first_and_once() -> None:
    async def scene(alice: Author, visitor: Visitor) -> None:
        old = await alice.post("old but dear")
        await alice.post("new")
        found = alice.pod.store.resource(alice.member.id, old)
        assert found is not None
        pin: dict[str, Data] = {"uri": alice.member.at_uri(old), "cid": cid_text(found.cid)}
        await alice.write("app.bsky.actor.profile", {"pinnedPost": pin}, "self")
        page = await visitor.page("/")
        texts = [content.text.strip() for content in page.of_class("e-content")]
        assert texts == ["old but dear", "new"]

    play(scene)


def test_the_tag_page_shows_only_posts_with_the_tag() -> None:
    async def scene(alice: Author, visitor: Visitor) -> None:
        await alice.post("about beans", tags=["Garden"])
        await alice.post("about maps")
        page = await visitor.page("/?tag=garden")
        assert [content.text.strip() for content in page.of_class("e-content")] == ["about beans"]

    play(scene)


def test_an_answer_shows_what_it_answers_where_that_lives_here() -> None:
    async def scene(alice: Author, visitor: Visitor) -> None:
        bob = await author(alice.pod, "bob")
        asked = await bob.post("Which map?")
        found = alice.pod.store.resource(bob.member.id, asked)
        assert found is not None
        ref: dict[str, Data] = {"uri": bob.member.at_uri(asked), "cid": cid_text(found.cid)}
        path = await alice.post(
            "This one.",
            reply={"root": ref, "parent": ref},
            embed={"$type": "app.bsky.embed.record", "record": ref},
        )
        page = await visitor.page(path)
        (context,) = page.of_class("u-in-reply-to")
        assert context.attributes["href"] == bob.member.url(asked)
        assert "Which map?" in context.text
        (quote,) = page.all("blockquote")
        assert "Which map?" in quote.text
        await bob.delete(asked)
        later = await visitor.page(path)
        assert "Which map?" not in later.html

    play(scene)


def test_what_the_fediverse_did_is_told_under_the_post() -> None:
    async def scene(alice: Author, visitor: Visitor) -> None:
        path = await alice.post("hello")
        assert not (await visitor.page(path)).of_class("reactions")
        for kind, object_id in (
            ("like", ""),
            ("reply", "https://peer.example/notes/1"),
            ("reply", "javascript:alert(1)"),
        ):
            actor = Iri("https://peer.example/u/bob")
            visitor.edges.edges.append(
                Edge(path, kind, actor, object_id, actor, True, alice.pod.clock.now())
            )
        page = await visitor.page(path)
        (reactions,) = page.of_class("reactions")
        assert "1 like, 0 boosts, 1 answer" in reactions.text
        assert page.all("a", href="https://peer.example/notes/1")
        assert "javascript:" not in page.html

    play(scene)


def test_a_reborn_post_names_its_new_object_id_to_peers() -> None:
    async def scene(alice: Author, visitor: Visitor) -> None:
        path = await alice.post("first", "3kaaaaaaaaa22")
        await alice.delete(path)
        await alice.post("second", "3kaaaaaaaaa22")
        page = await visitor.page(path)
        (link,) = page.all("link", type="application/activity+json")
        assert link.attributes["href"] == f"{ORIGIN}{path};g2"

    play(scene)


def test_sensitive_pictures_are_folded_away_and_not_in_previews() -> None:
    async def scene(alice: Author, visitor: Visitor) -> None:
        path = await alice.post(
            "careful",
            labels={
                "$type": "com.atproto.label.defs#selfLabels",
                "values": [{"val": "graphic-media"}],
            },
            embed={"$type": "app.bsky.embed.images", "images": [await image(alice, "blood")]},
        )
        page = await visitor.page(path)
        (fold,) = page.all("details")
        assert "open" not in fold.attributes
        assert page.meta("og:image") == []

    play(scene)


@pytest.mark.parametrize(
    "uri", ["javascript:alert(1)", "data:text/html,x", "https://", "http://[bad/"]
)
def test_links_that_are_no_web_addresses_are_only_words(uri: str) -> None:
    async def scene(alice: Author, visitor: Visitor) -> None:
        feature: dict[str, Data] = {"$type": "app.bsky.richtext.facet#link", "uri": uri}
        record: dict[str, Data] = {
            "text": "click",
            "createdAt": "2026-01-01T00:00:00Z",
            "facets": [{"index": {"byteStart": 0, "byteEnd": 5}, "features": [feature]}],
            "embed": {
                "$type": "app.bsky.embed.external",
                "external": {"uri": uri, "title": "t", "description": ""},
            },
        }
        await alice.write("app.bsky.actor.profile", {"displayName": "A"}, "self")
        path = await _unchecked(alice, record)
        page = await visitor.page(path)
        targets = {link.attributes.get("href", "") for link in page.all("a")}
        assert uri not in targets

    play(scene)


async def _unchecked(alice: Author, record: dict[str, Data]) -> ResourcePath:
    """Write a post that its lexicon would refuse, as other servers may hand over in an import."""
    put = PutRecord(
        Nsid("app.bsky.feed.post"),
        None,
        {"$type": "app.bsky.feed.post", **record},
        validate=False,
    )
    receipt = await alice.pod.write.apply(owner(alice.member), alice.member.id, [put])
    return receipt.results[0].path


def test_who_asks_not_to_be_found_is_kept_out_of_search_engines() -> None:
    async def scene(alice: Author, visitor: Visitor) -> None:
        path = await alice.post("hello")
        for where in ("/", path):
            assert (await visitor.page(where)).meta("robots") == []
        labels: dict[str, Data] = {
            "$type": "com.atproto.label.defs#selfLabels",
            "values": [{"val": "!no-unauthenticated"}],
        }
        await alice.write("app.bsky.actor.profile", {"labels": labels}, "self")
        for where in ("/", path):
            assert (await visitor.page(where)).meta("robots") == ["noindex, noarchive"]

    play(scene)


def test_an_unknown_record_is_a_readable_page() -> None:
    async def scene(alice: Author, visitor: Visitor) -> None:
        path = await alice.write(
            "com.example.plant",
            {"name": "<script>", "height": {"cm": 180}, "dry": False, "raw": b"\x01", "no": None},
        )
        page = await visitor.page(path)
        (title,) = page.all("h1")
        assert title.text == "com.example.plant"
        keys = [key.text for key in page.all("dt")]
        assert {"name", "height", "cm", "dry", "raw"} <= set(keys)
        assert "180" in page.html
        assert not page.all("link", type="application/activity+json")
        assert not page.all("script")

    play(scene)


def test_an_article_is_a_page_whose_markdown_cannot_carry_markup() -> None:
    async def scene(alice: Author, visitor: Visitor) -> None:
        content = (
            "# Beans\n\n*First* <script>x</script> [bad](javascript:x) ![i](https://x.example/i)"
        )
        path = await alice.write("com.whtwnd.blog.entry", {"title": "A year", "content": content})
        page = await visitor.page(path)
        assert [title.text for title in page.all("h1")] == ["A year"]
        assert [title.text for title in page.all("h2")] == ["Beans"]
        assert page.all("em")
        assert not page.all("script")
        assert not page.all("img")
        assert "javascript:" not in {a.attributes.get("href", "")[:11] for a in page.all("a")}

    play(scene)


def test_a_deleted_post_is_410_and_says_so() -> None:
    async def scene(alice: Author, visitor: Visitor) -> None:
        path = await alice.post("soon gone")
        await alice.delete(path)
        response = await visitor.get(path, Accept=BROWSER)
        html = await response.get_data(as_text=True)
        assert response.status_code == 410
        assert "deleted" in html
        assert "soon gone" not in html
        assert "soon gone" not in (await visitor.page("/")).html

    play(scene)


def test_no_page_needs_scripts_or_anything_from_elsewhere() -> None:
    async def scene(alice: Author, visitor: Visitor) -> None:
        path = await alice.post("hello")
        for where in ("/", path):
            response = await visitor.get(where, Accept=BROWSER)
            policy = response.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'")
            assert "script-src" not in policy
            assert "unsafe" not in policy
            page = Page(await response.get_data(as_text=True))
            loaded = [
                element.attributes.get("src") or element.attributes.get("href", "")
                for element in page.elements
                if element.tag in ("img", "video", "script", "iframe")
                or element.attributes.get("rel") in ("stylesheet", "icon")
            ]
            assert all(url.startswith(("/", ORIGIN)) for url in loaded)
            assert not page.all("script")
            assert not [e for e in page.elements if "style" in e.attributes]

    play(scene)


def test_pages_have_a_language_one_main_one_heading_and_text_for_every_image() -> None:
    async def scene(alice: Author, visitor: Visitor) -> None:
        path = await alice.post(
            "x", embed={"$type": "app.bsky.embed.images", "images": [await image(alice, "A")]}
        )
        other = await alice.write("com.example.plant", {"name": "bean"})
        for where in ("/", path, other):
            page = await visitor.page(where)
            assert page.all("html", lang="en")
            assert len(page.all("main")) == 1
            assert len(page.all("h1")) == 1
            assert all("alt" in picture.attributes for picture in page.all("img"))
            assert page.all("a", **{"class": "skip"})

    play(scene)


def test_the_front_door_tells_how_to_sign_in_and_who_lives_here() -> None:
    async def scene(alice: Author, _: Visitor) -> None:
        server = Visitor(alice.pod, "localhost:2583")
        page = await server.page("/")
        assert "http://localhost:2583" in page.html
        assert page.all("a", href=f"{ORIGIN}/")

    play(scene)


def test_nobody_lives_at_an_unknown_address() -> None:
    async def scene(alice: Author, _: Visitor) -> None:
        stranger = Visitor(alice.pod, "mallory.localhost:2583")
        for path in ("/", "/me", "/feed.atom"):
            assert (await stranger.get(path)).status_code == 404

    play(scene)
