"""Posts by an everyday app: one write path, so that they are on every network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from server import emoji
from tests.kit.fediverse import EVERYBODY
from tests.kit.neighbour import neighbour
from tests.kit.phone import Phone, phone_of
from tests.kit.whole import AS2, Person, Town
from tests.wire.mastodon.test_people import multipart, png


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    town = Town(tmp_path_factory.mktemp("statuses"))
    yield town
    town.close()


@pytest.fixture(scope="module")
def alice(town: Town) -> Person:
    return town.run(town.whole.join("alice"))


@pytest.fixture(scope="module")
def phone(town: Town, alice: Person) -> Phone:
    return town.run(phone_of(town.whole, alice))


@pytest.fixture(scope="module")
def bob(town: Town) -> Phone:
    async def come() -> Phone:
        return await phone_of(town.whole, await town.whole.join("bob"))

    return town.run(come())


async def say(phone: Phone, text: str, **more: Any) -> Any:
    return await phone.post("/api/v1/statuses", {"status": text, **more})


def test_a_post_is_a_record_that_atproto_shows(town: Town, alice: Person, phone: Phone) -> None:
    async def story() -> None:
        made = await say(phone, "Hello #world\n\nsee https://example.org/x", language="en")
        assert made["visibility"] == "public"
        assert made["language"] == "en"
        assert made["account"]["acct"] == alice.member.acct
        assert [tag["name"] for tag in made["tags"]] == ["world"]
        assert made["content"].startswith("<p>Hello ")
        assert 'href="https://example.org/x"' in made["content"]
        rkey = made["uri"].rpartition("/")[2].partition("~")[0]
        reply = await town.whole.query(
            "com.atproto.repo.getRecord",
            repo=alice.member.did,
            collection="app.bsky.feed.post",
            rkey=rkey,
        )
        assert reply.json["value"]["text"] == "Hello #world\n\nsee https://example.org/x"
        assert reply.json["value"]["langs"] == ["en"]
        home = await phone.get("/api/v1/timelines/home")
        assert home[0]["id"] == made["id"]
        assert (await phone.get(f"/api/v1/statuses/{made['id']}")) == made

    town.run(story())


def test_an_idempotency_key_posts_once(town: Town, phone: Phone) -> None:
    async def story() -> None:
        first, again = [
            await phone.ask("POST", "/api/v1/statuses", {"status": "once"}, idempotency_key="k1")
            for _ in range(2)
        ]
        assert first.json["id"] == again.json["id"]

    town.run(story())


def test_a_post_is_edited_and_deleted(town: Town, phone: Phone) -> None:
    async def story() -> None:
        made = await say(phone, "before", spoiler_text="careful")
        assert made["spoiler_text"] == "careful"
        assert made["sensitive"] is True
        url = f"/api/v1/statuses/{made['id']}"
        edited = await phone.post(url, {"status": "after", "spoiler_text": ""}, "PUT")
        assert edited["id"] == made["id"]
        assert edited["content"] == "<p>after</p>"
        assert edited["spoiler_text"] == ""
        assert edited["edited_at"] is not None
        assert (await phone.get(f"{url}/source"))["text"] == "after"
        await phone.post(url, {"status": "after", "spoiler_text": ""}, "PUT")
        states = await phone.get(f"{url}/history")
        said = [(one["content"], one["spoiler_text"]) for one in states]
        assert said == [("<p>before</p>", "careful"), ("<p>after</p>", "")]
        assert states[0]["created_at"] == made["created_at"]
        assert states[1]["created_at"] >= edited["edited_at"]
        gone = await phone.post(url, method="DELETE")
        assert gone["text"] == "after"
        assert (await phone.ask("GET", url)).status == 404
        assert made["id"] not in [one["id"] for one in await phone.get("/api/v1/timelines/home")]
        kept = town.whole.store.resources(1, "/data/social/past/", after=None, limit=9)
        assert [one for one in kept if one.subject == made["uri"]] == []

    town.run(story())


def test_what_neighbours_wrote_before_is_kept_too(town: Town, phone: Phone) -> None:
    async def story() -> None:
        bob = await neighbour(town.whole, "hal")
        await bob.befriend(phone)
        note = await bob.say(1, "<p>frist</p>")
        changed = {**note, "content": "<p>first</p>", "updated": "2027-01-01T00:00:00Z"}
        await bob.tell("Update", changed)
        home = await phone.get("/api/v1/timelines/home")
        seen = next(one for one in home if one["uri"] == note["id"])
        states = await phone.get(f"/api/v1/statuses/{seen['id']}/history")
        assert [one["content"] for one in states] == ["<p>frist</p>", "<p>first</p>"]
        await bob.tell("Delete", note["id"])
        reply = await phone.ask("GET", f"/api/v1/statuses/{seen['id']}/history")
        assert reply.status == 404

    town.run(story())


def test_what_was_for_some_stays_so_when_an_edit_is_for_all(
    town: Town, phone: Phone, bob: Phone
) -> None:
    async def story() -> None:
        ivy = await neighbour(town.whole, "ivy")
        await ivy.befriend(phone)
        me = await phone.get("/api/v1/accounts/verify_credentials")
        note = await ivy.say(1, "<p>only us</p>", to=[me["uri"]], cc=[])
        changed = {**note, "content": "<p>for all</p>", "to": [EVERYBODY]}
        await ivy.tell("Update", {**changed, "updated": "2027-01-01T00:00:00Z"})
        seen = await phone.get("/api/v2/search", q=note["id"], type="statuses", resolve="true")
        url = f"/api/v1/statuses/{seen['statuses'][0]['id']}/history"
        for reader, words in ((phone, ["only us", "for all"]), (bob, ["for all"])):
            states = [one["content"] for one in await reader.get(url)]
            assert states == [f"<p>{each}</p>" for each in words]

    town.run(story())


def test_others_cannot_change_a_post(town: Town, phone: Phone, bob: Phone) -> None:
    async def story() -> None:
        made = await say(phone, "mine")
        url = f"/api/v1/statuses/{made['id']}"
        assert (await bob.ask("PUT", url, {"status": "his"})).status == 404
        assert (await bob.ask("DELETE", url)).status == 404
        assert (await bob.ask("GET", f"{url}/source")).status == 404
        assert (await phone.get(url))["content"] == "<p>mine</p>"

    town.run(story())


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"status": ""},
        {"status": "x" * 10_001},
        {"status": "x", "visibility": "secret"},
        {"status": "x", "media_ids": ["1"]},
        {"status": "x", "in_reply_to_id": "12"},
        {"status": "x", "visibility": "direct"},
        {"status": "x", "poll": {"options": ["a"], "expires_in": 600}},
        {"status": "x", "poll": {"options": ["a", "b"], "expires_in": 1}},
        {"status": "x", "scheduled_at": "2027-01-01T00:00:00Z"},
    ],
)
def test_a_bad_post_is_refused_and_nothing_is_written(
    town: Town, alice: Person, phone: Phone, body: dict[str, Any]
) -> None:
    before = town.whole.store.count_records(alice.member.id)
    reply = town.run(phone.ask("POST", "/api/v1/statuses", body))
    assert reply.status in (404, 422), reply.body
    assert reply.json["error"]
    assert town.whole.store.count_records(alice.member.id) == before


def test_a_reply_like_and_boost_on_this_pod(town: Town, phone: Phone, bob: Phone) -> None:
    async def story() -> None:
        made = await say(phone, "a question")
        url = f"/api/v1/statuses/{made['id']}"
        answer = await say(bob, "an answer", in_reply_to_id=made["id"])
        assert answer["in_reply_to_id"] == made["id"]
        assert answer["in_reply_to_account_id"] == made["account"]["id"]
        liked = await bob.post(f"{url}/favourite")
        assert liked["favourited"] is True
        assert liked["favourites_count"] == 1
        boosted = await bob.post(f"{url}/reblog")
        assert boosted["reblog"]["id"] == made["id"]
        assert boosted["reblog"]["reblogged"] is True
        context = await phone.get(f"{url}/context")
        assert [one["id"] for one in context["descendants"]] == [answer["id"]]
        context = await phone.get(f"/api/v1/statuses/{answer['id']}/context")
        assert [one["id"] for one in context["ancestors"]] == [made["id"]]
        notices = await phone.get("/api/v1/notifications")
        assert {one["type"] for one in notices} >= {"mention", "favourite", "reblog"}
        assert (await bob.post(f"{url}/unfavourite"))["favourited"] is False
        assert (await bob.post(f"{url}/unreblog"))["reblogged"] is False
        home = await bob.get("/api/v1/timelines/home")
        assert boosted["id"] not in [one["id"] for one in home]

    town.run(story())


def test_likes_and_marks_are_listed_by_their_own_time(town: Town, bob: Phone) -> None:
    async def story() -> None:
        made = [await say(bob, f"like {number}") for number in range(4)]
        order = [made[number]["id"] for number in (2, 0, 3, 1)]
        for act, path in (("favourite", "favourites"), ("bookmark", "bookmarks")):
            for number in reversed(order):
                await bob.post(f"/api/v1/statuses/{number}/{act}")
            first = await bob.ask("GET", f"/api/v1/{path}?limit=3")
            assert [one["id"] for one in first.json] == order[:3]
            older = first.headers["link"].partition("max_id=")[2].partition(">")[0]
            rest = await bob.get(f"/api/v1/{path}", max_id=older)
            assert rest[0]["id"] == order[3]
            for number in order:
                await bob.post(f"/api/v1/statuses/{number}/un{act}")

    town.run(story())


def test_bookmarks_and_pins_are_kept(town: Town, phone: Phone, bob: Phone) -> None:
    async def story() -> None:
        made = await say(phone, "remember me")
        url = f"/api/v1/statuses/{made['id']}"
        assert (await bob.post(f"{url}/bookmark"))["bookmarked"] is True
        assert [one["id"] for one in await bob.get("/api/v1/bookmarks")] == [made["id"]]
        assert await phone.get("/api/v1/bookmarks") == []
        assert (await bob.post(f"{url}/unbookmark"))["bookmarked"] is False
        assert (await phone.post(f"{url}/pin"))["pinned"] is True
        posts = f"/api/v1/accounts/{made['account']['id']}/statuses"
        assert [one["id"] for one in await bob.get(posts, pinned="true")] == [made["id"]]
        assert (await bob.ask("POST", f"{url}/pin")).status == 422
        assert (await phone.post(f"{url}/unpin"))["pinned"] is False

    town.run(story())


def test_a_quote_shows_what_it_quotes(town: Town, phone: Phone, bob: Phone) -> None:
    async def story() -> None:
        made = await say(phone, "quotable")
        quoting = await say(bob, "so true", quoted_status_id=made["id"])
        for reader in (phone, bob, Phone(town.whole)):
            seen = await reader.get(f"/api/v1/statuses/{quoting['id']}")
            assert seen["quote"]["state"] == "accepted"
            assert seen["quote"]["quoted_status"]["id"] == made["id"]
        twice = await say(phone, "thanks", quoted_status_id=quoting["id"])
        inner = twice["quote"]["quoted_status"]["quote"]
        assert inner == {"state": "accepted", "quoted_status_id": made["id"]}
        await phone.post(f"/api/v1/statuses/{made['id']}", method="DELETE")
        seen = await bob.get(f"/api/v1/statuses/{quoting['id']}")
        assert seen["quote"] is None

    town.run(story())


def test_a_direct_message_is_for_whom_it_names(town: Town, phone: Phone, bob: Phone) -> None:
    async def story() -> None:
        acct = (await bob.get("/api/v1/accounts/verify_credentials"))["acct"]
        made = await say(phone, f"@{acct} psst", visibility="direct")
        assert made["visibility"] == "direct"
        assert [one["acct"] for one in made["mentions"]] == [acct]
        url = f"/api/v1/statuses/{made['id']}"
        assert (await bob.get(url))["content"] == made["content"]
        carol = await phone_of(town.whole, await town.whole.join("carol"))
        assert (await carol.ask("GET", url)).status == 404
        assert (await Phone(town.whole).ask("GET", url)).status == 404
        public = await carol.get("/api/v1/timelines/public", local="true")
        assert made["id"] not in [one["id"] for one in public]

    town.run(story())


def test_a_private_post_has_pictures_and_a_poll(town: Town, phone: Phone, bob: Phone) -> None:
    async def upload(description: str) -> Any:
        body, kind = multipart({"file": png(), "description": description.encode()})
        reply = await phone.ask("POST", "/api/v2/media", body, content_type=kind)
        assert reply.status == 200, reply.body
        return reply.json["id"]

    async def story() -> None:
        me = (await phone.get("/api/v1/accounts/verify_credentials"))["id"]
        await bob.post(f"/api/v1/accounts/{me}/follow")
        made = await say(
            phone,
            "for friends",
            visibility="private",
            media_ids=[await upload("one"), await upload("two")],
            poll={"options": ["a", "b"], "expires_in": 600},
        )
        url = f"/api/v1/statuses/{made['id']}"
        assert made["visibility"] == "private"
        seen = await bob.get(url)
        assert [one["description"] for one in seen["media_attachments"]] == ["one", "two"]
        assert (await Phone(town.whole).ask("GET", url)).status == 404
        picture = seen["media_attachments"][0]
        assert picture["blurhash"]
        reply = await town.whole.ask("GET", picture["url"])
        assert (reply.status, reply.body) == (200, png())
        voted = await bob.post(f"/api/v1/polls/{seen['poll']['id']}/votes", {"choices": [1]})
        assert voted["own_votes"] == [1]
        second = made["media_attachments"][1]
        edit = {"status": "changed", "media_ids": [second["id"]]}
        edited = await phone.post(url, edit, "PUT")
        assert [one["url"] for one in edited["media_attachments"]] == [second["url"]]
        assert (await town.whole.ask("GET", picture["url"])).status == 404
        assert edited["poll"]["options"][0]["title"] == "a"
        await phone.post(url, method="DELETE")
        assert (await town.whole.ask("GET", second["url"])).status == 404

    town.run(story())


def test_who_is_locked_decides_who_reads_what_is_for_followers(town: Town, bob: Phone) -> None:
    async def story() -> None:
        carla = await phone_of(town.whole, await town.whole.join("carla"))
        mine = await carla.get("/api/v1/accounts/verify_credentials")
        await bob.post(f"/api/v1/accounts/{mine['id']}/follow")
        made = await say(carla, "for friends", visibility="private")
        url = f"/api/v1/statuses/{made['id']}"
        assert (await bob.ask("GET", url)).status == 200
        change = "/api/v1/accounts/update_credentials"
        await town.whole.rows()  # the follow is known by now
        await carla.post(change, {"locked": True}, "PATCH")
        assert (await bob.ask("GET", url)).status == 200
        dan = await phone_of(town.whole, await town.whole.join("dan"))
        await dan.post(f"/api/v1/accounts/{mine['id']}/follow")
        assert (await dan.ask("GET", url)).status == 404
        him = (await bob.get("/api/v1/accounts/verify_credentials"))["id"]
        await carla.post(f"/api/v1/accounts/{him}/block")
        assert (await bob.ask("GET", url)).status == 404

    town.run(story())


def test_a_direct_thread_is_whole_for_those_in_it(town: Town, phone: Phone, bob: Phone) -> None:
    async def story() -> None:
        names = [(await each.get("/api/v1/accounts/verify_credentials"))["acct"]
                 for each in (phone, bob)]  # fmt: skip
        first = await say(phone, f"@{names[1]} secret?", visibility="direct")
        url = f"/api/v1/statuses/{first['id']}"
        answer = await say(bob, f"@{names[0]} yes", visibility="direct", in_reply_to_id=first["id"])
        for each in (phone, bob):
            context = await each.get(f"{url}/context")
            assert [one["id"] for one in context["descendants"]] == [answer["id"]]
            above = await each.get(f"/api/v1/statuses/{answer['id']}/context")
            assert [one["id"] for one in above["ancestors"]] == [first["id"]]
        dora = await phone_of(town.whole, await town.whole.join("dora"))
        assert (await dora.ask("GET", f"{url}/context")).status == 404
        assert (await dora.ask("POST", f"{url}/favourite")).status == 404
        liked = await bob.post(f"{url}/favourite")
        assert (liked["favourited"], liked["favourites_count"]) == (True, 1)
        shown = await town.whole.ask(
            "GET", f"http://{names[1].partition('@')[2]}/liked", accept=AS2
        )
        assert shown.status == 200
        assert first["uri"] not in shown.body.decode()
        assert (await phone.get(url))["favourites_count"] == 1
        assert len(await phone.get(f"{url}/favourited_by")) == 1
        assert (await bob.post(f"{url}/unfavourite"))["favourites_count"] == 0
        assert (await bob.ask("POST", f"{url}/reblog")).status == 404

    town.run(story())


def test_timelines_are_read_page_by_page(town: Town, phone: Phone) -> None:
    async def story() -> None:
        made = [(await say(phone, f"number {n}"))["id"] for n in range(5)][::-1]
        assert made == sorted(made, key=int, reverse=True)
        first = await phone.ask("GET", "/api/v1/timelines/home?limit=2")
        assert [one["id"] for one in first.json] == made[:2]
        assert f"max_id={made[1]}" in first.headers["link"]
        assert f"min_id={made[0]}" in first.headers["link"]
        get = phone.get
        home = "/api/v1/timelines/home"
        assert [o["id"] for o in await get(home, limit=2, max_id=made[1])] == made[2:4]
        assert [o["id"] for o in await get(home, limit=2, min_id=made[4])] == made[2:4]
        assert [o["id"] for o in await get(home, limit=2, since_id=made[4])] == made[:2]
        account = (await get("/api/v1/accounts/verify_credentials"))["id"]
        posts = f"/api/v1/accounts/{account}/statuses"
        assert [o["id"] for o in await get(posts, limit=2, max_id=made[1])] == made[2:4]
        public = await get("/api/v1/timelines/public", limit=2, max_id=made[1])
        assert [o["id"] for o in public] == made[2:4]

    town.run(story())


def test_an_unlisted_post_is_in_no_public_timeline(
    town: Town, alice: Person, phone: Phone, bob: Phone
) -> None:
    async def story() -> None:
        made = await say(phone, "between us #quiet", visibility="unlisted")
        listed = await say(phone, "for all #quiet")
        assert (made["visibility"], listed["visibility"]) == ("unlisted", "public")
        for path in ("/api/v1/timelines/public", "/api/v1/timelines/tag/quiet"):
            shown = [one["id"] for one in await bob.get(path)]
            assert listed["id"] in shown
            assert made["id"] not in shown
        assert (await Phone(town.whole).get(f"/api/v1/statuses/{made['id']}"))["content"]
        posts = f"/api/v1/accounts/{made['account']['id']}/statuses"
        assert made["id"] in [one["id"] for one in await bob.get(posts)]
        url = f"/api/v1/statuses/{made['id']}"
        assert (await phone.post(url, {"status": "and still"}, "PUT"))["visibility"] == "unlisted"
        rkey = made["uri"].rpartition("/")[2]
        reply = await town.whole.query(
            "com.atproto.repo.getRecord",
            repo=alice.member.did,
            collection="app.bsky.feed.post",
            rkey=rkey,
        )
        assert reply.json["value"]["text"] == "and still"

    town.run(story())


def test_custom_emoji_are_listed_and_come_with_posts(town: Town, phone: Phone) -> None:
    async def story() -> None:
        folder = emoji.folder(town.whole.house.settings)
        folder.add("party", png())
        (listed,) = await Phone(town.whole).get("/api/v1/custom_emojis")
        assert (listed["shortcode"], listed["visible_in_picker"]) == ("party", True)
        reply = await town.whole.ask("GET", listed["url"])
        assert (reply.status, reply.body) == (200, png())
        made = await say(phone, "a :party: for friends", visibility="private")
        open_ = await say(phone, "a :party: for all")
        for post in (made, open_):
            assert [one["url"] for one in post["emojis"]] == [listed["url"]]
            assert ":party:" in post["content"]
        folder.remove("party")
        assert await phone.get("/api/v1/custom_emojis") == []

    town.run(story())


def test_sound_beside_a_picture_is_told_to_the_fediverse(
    town: Town, alice: Person, phone: Phone
) -> None:
    async def story() -> None:
        numbers = []
        for name, file in (("song", b"OggS" + bytes(60)), ("field", png())):
            body, kind = multipart({"file": file, "description": name.encode()})
            reply = await phone.ask("POST", "/api/v2/media", body, content_type=kind)
            assert reply.status == 200, reply.body
            numbers.append(reply.json["id"])
        made = await say(phone, "listen", media_ids=numbers)
        assert [one["type"] for one in made["media_attachments"]] == ["audio", "image"]
        song = await town.whole.ask("GET", made["media_attachments"][0]["url"])
        assert (song.status, song.body[:4]) == (200, b"OggS")
        reply = await town.whole.query(
            "com.atproto.repo.getRecord",
            repo=alice.member.did,
            collection="app.bsky.feed.post",
            rkey=made["uri"].rpartition("/")[2],
        )
        record = reply.json["value"]
        assert record["text"] == "listen\n\n📎 song"
        assert [one["alt"] for one in record["embed"]["images"]] == ["field"]
        number = made["media_attachments"][0]["id"]
        told = [{"id": number, "description": "a long song"}]
        keep = {"status": "listen well", "media_ids": [number], "media_attributes": told}
        edited = await phone.post(f"/api/v1/statuses/{made['id']}", keep, "PUT")
        assert [one["type"] for one in edited["media_attachments"]] == ["audio"]
        assert edited["media_attachments"][0]["description"] == "a long song"
        assert edited["content"] == "<p>listen well</p>"
        far = {"media_ids": [number], "media_attributes": [{"id": number, "focus": "9,9"}]}
        reply = await phone.ask("PUT", f"/api/v1/statuses/{made['id']}", far)
        assert reply.status == 422

    town.run(story())
