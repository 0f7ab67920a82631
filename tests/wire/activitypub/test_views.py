"""What peers read: the actor, objects, collections, and what is left of deleted things."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from pod.model.member import Member
from pod.records.cid import cid_text
from pod.records.data import Link
from pod.write import Delete, PutRecord
from tests.kit.fediverse import EVERYBODY, FediPod, Peer, fedi_pod
from tests.kit.house import owner

Story = Callable[[FediPod, Member], Awaitable[None]]
NOW = "2026-11-24T12:00:00.000Z"


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[Story], None]:
    """Run a story with a pod and its member alice."""

    def run(story: Story) -> None:
        async def whole() -> None:
            async with fedi_pod(tmp_path) as pod:
                await story(pod, await pod.member())

        asyncio.run(whole())

    return run


def test_links_and_hashtags_of_a_description_can_be_followed(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member) -> None:
        words = "See https://a.example/x. Or #bread; not a#b, http://, &#38;"
        await pod.record(alice, "app.bsky.actor.profile", {"description": words}, rkey="self")
        _, actor = await pod.get(alice.webid)
        assert actor["summary"] == (
            '<p>See <a href="https://a.example/x" rel="nofollow noopener">https://a.example/x</a>. '
            f'Or <a href="{alice.origin}/?tag=bread" class="mention hashtag" rel="tag">#bread</a>; '
            "not a#b, http://, &amp;#38;</p>"
        )

    tell(story)


def test_the_actor_says_all_that_peers_ask_for(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member) -> None:
        profile = {
            "displayName": "Alice",
            "description": "Gardener\n\n& <cook>",
            "website": "https://alice.garden/",
            "pronouns": "she/her",
        }
        await pod.record(alice, "app.bsky.actor.profile", profile, rkey="self")
        status, actor = await pod.get(alice.webid)
        assert status == 200
        assert actor["id"] == alice.webid
        assert actor["type"] == "Person"
        assert actor["name"] == "Alice"
        assert actor["summary"] == "<p>Gardener</p><p>&amp; &lt;cook&gt;</p>"
        assert actor["preferredUsername"] == "alice"
        assert actor["webfinger"] == alice.acct
        assert actor["inbox"] == f"{alice.origin}/inbox/"
        assert actor["endpoints"]["sharedInbox"] == f"{pod.settings.origin}/inbox"
        assert alice.did in actor["alsoKnownAs"]
        assert actor["publicKey"]["id"] == f"{alice.webid}#main-key"
        assert "BEGIN PUBLIC KEY" in actor["publicKey"]["publicKeyPem"]
        assert actor["assertionMethod"][0]["publicKeyMultibase"].startswith("z6Mk")
        assert (actor["manuallyApprovesFollowers"], actor["discoverable"]) == (False, True)
        fields = {field["name"]: field["value"] for field in actor["attachment"]}
        assert 'href="https://alice.garden/" rel="me' in fields["Website"]
        _, server = await pod.get(f"{pod.settings.origin}/actor")
        assert actor["generator"]["id"] == server["id"]
        for told in (actor["generator"], server):
            assert "rfc9421" in told["implements"][0]["href"]
        assert actor["@context"][0] == "https://www.w3.org/ns/activitystreams"

    tell(story)


@pytest.mark.parametrize(
    "accept",
    ["application/activity+json", "application/activity+json, application/ld+json",
     'application/ld+json; profile="https://www.w3.org/ns/activitystreams"',
     'application/ld+json;profile="https://www.w3.org/ns/activitystreams",text/html;q=0.1'],
)  # fmt: skip
def test_every_peers_accept_header_is_answered_with_as2(
    tell: Callable[[Story], None], accept: str
) -> None:
    async def story(pod: FediPod, alice: Member) -> None:
        post = await pod.note(alice)
        for url in (alice.webid, alice.url(post.path)):
            status, document = await pod.get(url, accept)
            assert (status, document["id"]) == (200, url)

    tell(story)


def test_a_note_shows_its_words_pictures_language_and_warning(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member) -> None:
        blob = await pod.media.keep(alice.id, b"\x89PNG\r\n\x1a\n", "image/png")
        image = {
            "$type": "blob", "ref": Link(blob.cid), "mimeType": "image/png", "size": blob.size,
        }  # fmt: skip
        post = await pod.note(
            alice,
            "Sun & rain",
            langs=["en"],
            embed={
                "$type": "app.bsky.embed.images",
                "images": [
                    {"alt": "A field", "image": image, "aspectRatio": {"width": 4, "height": 3}}
                ],
            },
            labels={
                "$type": "com.atproto.label.defs#selfLabels",
                "values": [{"val": "graphic-media"}],
            },
        )
        _, note = await pod.get(alice.url(post.path))
        assert note["type"] == "Note"
        assert note["content"] == "<p>Sun &amp; rain</p>"
        assert note["contentMap"] == {"en": note["content"]}
        assert note["sensitive"] is True
        assert note["to"] == [EVERYBODY]
        assert note["cc"] == [f"{alice.origin}/followers"]
        assert note["attachment"] == [
            {
                "type": "Image",
                "mediaType": "image/png",
                "url": f"{alice.origin}/blobs/{cid_text(blob.cid)}",
                "name": "A field",
                "width": 4,
                "height": 3,
            }
        ]

    tell(story)


def test_what_the_author_adds_is_among_the_replies(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member) -> None:
        post = await pod.note(alice)
        ref = {"uri": alice.at_uri(post.path), "cid": cid_text(post.cid)}
        more = [
            await pod.note(alice, text, reply={"root": ref, "parent": ref})
            for text in ("And", "another thing")
        ]
        url = f"{alice.url(post.path)}?c=replies"
        _, replies = await pod.get(url)
        assert replies["totalItems"] == 2
        assert replies["first"]["items"] == [alice.url(reply.path) for reply in more]
        await pod.write.apply(owner(alice), alice.id, [Delete(more[0].path)])
        assert (await pod.get(url))[1]["first"]["items"] == [alice.url(more[1].path)]

    tell(story)


def test_a_quote_is_told_in_every_dialect(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member) -> None:
        first = await pod.note(alice, "first")
        uri = {"uri": alice.at_uri(first.path), "cid": cid_text(first.cid)}
        embed = {"$type": "app.bsky.embed.record", "record": uri}
        second = await pod.note(alice, "second", embed=embed)
        _, note = await pod.get(alice.url(second.path))
        url = alice.url(first.path)
        keys = ("quote", "quoteUrl", "quoteUri", "_misskey_quote")
        assert [note[key] for key in keys] == [url] * 4
        assert note["tag"][0]["href"] == url

    tell(story)


def test_a_link_card_and_a_quote_stand_after_the_words(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member) -> None:
        card = {"uri": "https://news.example/?a=1&b", "title": "News <1>", "description": ""}
        embed = {"$type": "app.bsky.embed.external", "external": card}
        post = await pod.note(alice, "Read this", embed=embed)
        _, note = await pod.get(alice.url(post.path))
        assert note["content"] == (
            '<p>Read this</p><p><a href="https://news.example/?a=1&amp;b" '
            'rel="nofollow noopener">News &lt;1&gt;</a></p>'
        )
        elsewhere = {"uri": "at://did:plc:x/app.bsky.feed.post/3k", "cid": cid_text(post.cid)}
        embed = {"$type": "app.bsky.embed.record", "record": elsewhere}
        post = await pod.note(alice, "So true", embed=embed)
        _, note = await pod.get(alice.url(post.path))
        assert note["content"].startswith('<p>So true</p><p class="quote-inline">RE: <a href=')
        assert "quoteUrl" not in note

    tell(story)


def test_an_article_is_shown_with_its_markdown_as_html(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member) -> None:
        entry = {
            "title": "Harvest",
            "content": "# Hi\n\n*yes* <script>x</script>",
            "createdAt": NOW,
            "visibility": "public",
        }
        receipt = await pod.record(alice, "com.whtwnd.blog.entry", entry)
        _, article = await pod.get(alice.url(receipt.results[0].path))
        assert (article["type"], article["name"]) == ("Article", "Harvest")
        assert "<em>yes</em>" in article["content"]
        assert "<script" not in article["content"]

    tell(story)


def test_a_deleted_post_is_gone_with_a_tombstone(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member) -> None:
        post = await pod.note(alice)
        await pod.write.apply(owner(alice), alice.id, [Delete(post.path)])
        status, tombstone = await pod.get(alice.url(post.path))
        assert status == 410
        assert (tombstone["type"], tombstone["formerType"]) == ("Tombstone", "Note")
        assert tombstone["id"] == alice.url(post.path)

    tell(story)


def test_what_is_not_federated_has_no_as2(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member) -> None:
        receipt = await pod.record(alice, "com.example.unknown", {"text": "x"}, rkey="x")
        assert (await pod.get(alice.url(receipt.results[0].path)))[0] == 404
        assert (await pod.get(f"{alice.origin}/repo/app.bsky.feed.post/3mtcccccccc2c"))[0] == 404

    tell(story)


def test_the_outbox_pages_through_what_still_stands_newest_first(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member) -> None:
        posts = [await pod.note(alice, f"post {number}") for number in range(45)]
        await pod.write.apply(owner(alice), alice.id, [Delete(posts[40].path)])
        _, outbox = await pod.get(f"{alice.origin}/outbox")
        assert (outbox["type"], outbox["totalItems"]) == ("OrderedCollection", 44)
        found: list[str] = []
        url: str | None = outbox["first"]
        pages = 0
        while url is not None and pages < 9:
            _, shown = await pod.get(url)
            assert shown["partOf"] == outbox["id"]
            found += [item["object"]["content"] for item in shown["orderedItems"]]
            url, pages = shown.get("next"), pages + 1
        expected = [f"<p>post {n}</p>" for n in range(44, -1, -1) if n != 40]
        assert found == expected

    tell(story)


def test_a_page_of_the_outbox_ends_within_a_batch(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member) -> None:
        batch = [
            PutRecord("app.bsky.feed.post", None, {"text": f"{number}", "createdAt": NOW})
            for number in range(50)
        ]
        await pod.write.apply(owner(alice), alice.id, batch)
        found: list[str] = []
        url: str | None = f"{alice.origin}/outbox?page="
        while url is not None:
            _, shown = await pod.get(url)
            assert len(shown["orderedItems"]) <= 20
            found += [item["object"]["content"] for item in shown["orderedItems"]]
            url = shown.get("next")
        assert found == [f"<p>{number}</p>" for number in range(49, -1, -1)]

    tell(story)


def test_an_activity_of_the_outbox_can_be_read_by_its_id(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member) -> None:
        post = await pod.note(alice)
        _, page = await pod.get(f"{alice.origin}/outbox?page=")
        (create,) = page["orderedItems"]
        status, same = await pod.get(create["id"])
        assert (status, same["id"], same["type"]) == (200, create["id"], "Create")
        await pod.write.apply(owner(alice), alice.id, [Delete(post.path)])
        assert (await pod.get(create["id"]))[0] == 410
        for wrong in ("nonsense", "3mtcccccccc2c-0", create["id"].rpartition("/")[2][:-1] + "7"):
            assert (await pod.get(f"{alice.origin}/outbox/{wrong}"))[0] == 404

    tell(story)


def test_followers_are_paged(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member) -> None:
        bob = pod.network.add(Peer())
        await pod.post(bob, bob.activity("Follow", alice.webid))
        _, followers = await pod.get(f"{alice.origin}/followers")
        assert followers["totalItems"] == 1
        _, page = await pod.get(followers["first"])
        assert page["orderedItems"] == [bob.id]
        assert "next" not in page

    tell(story)


def test_the_pinned_post_is_featured(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member) -> None:
        post = await pod.note(alice)
        pinned = {"uri": alice.at_uri(post.path), "cid": cid_text(post.cid)}
        assert (await pod.get(f"{alice.origin}/featured"))[1]["totalItems"] == 0
        await pod.record(alice, "app.bsky.actor.profile", {"pinnedPost": pinned}, rkey="self")
        _, featured = await pod.get(f"{alice.origin}/featured")
        assert [item["id"] for item in featured["orderedItems"]] == [alice.url(post.path)]

    tell(story)


def test_the_servers_own_actor_lists_the_key_that_signs_fetches(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member) -> None:
        status, actor = await pod.get(f"{pod.settings.origin}/actor")
        assert (status, actor["type"]) == (200, "Application")
        assert actor["publicKey"]["id"] == f"{pod.settings.origin}/actor#main-key"
        assert (await pod.get(f"{alice.origin}/actor"))[0] == 404

    tell(story)


@pytest.mark.parametrize("page", ["x", "-1", "1" * 40, "%00", "1.x", "7"])
def test_a_page_that_was_never_given_out_is_refused(
    tell: Callable[[Story], None], page: str
) -> None:
    async def story(pod: FediPod, alice: Member) -> None:
        assert (await pod.get(f"{alice.origin}/outbox?page={page}"))[0] == 400

    tell(story)
