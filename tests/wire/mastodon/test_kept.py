"""What a member keeps for themselves: lists, filters, followed hashtags, notes, conversations."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.neighbour import neighbour
from tests.kit.phone import Phone, phone_of
from tests.kit.whole import Town


async def mine(phone: Phone) -> Any:
    return await phone.get("/api/v1/accounts/verify_credentials")


async def say(phone: Phone, text: str, **more: Any) -> Any:
    return await phone.post("/api/v1/statuses", {"status": text, **more})


async def ids(phone: Phone, path: str, **params: Any) -> list[str]:
    return [one["id"] for one in await phone.get(path, **params)]


def test_a_list_shows_what_its_people_post(pod: Town, ann: Phone, ben: Phone) -> None:
    async def story() -> None:
        me = await mine(ben)
        at = "/api/v1/lists"
        assert (await ann.ask("POST", at, {"title": " "})).status == 422
        made = await ann.post(at, {"title": "Friends", "replies_policy": "followed"})
        assert made == {
            "id": made["id"],
            "title": "Friends",
            "replies_policy": "followed",
            "exclusive": False,
        }
        url = f"{at}/{made['id']}"
        people = {"account_ids": [me["id"]]}
        assert (await ann.ask("POST", f"{url}/accounts", people)).status == 404
        await ann.post(f"/api/v1/accounts/{me['id']}/follow")
        await ann.post(f"{url}/accounts", people)
        assert await ids(ann, f"{url}/accounts", limit=0) == [me["id"]]
        assert await ids(ann, f"/api/v1/accounts/{me['id']}/lists") == [made["id"]]
        theirs, own = await say(ben, "from a friend"), await say(ann, "from me")
        line = f"/api/v1/timelines/list/{made['id']}"
        assert await ids(ann, line) == [theirs["id"]]
        assert theirs["id"] in await ids(ann, "/api/v1/timelines/home")
        assert (await ann.post(url, {"exclusive": True}, "PUT"))["title"] == "Friends"
        home = await ids(ann, "/api/v1/timelines/home")
        assert own["id"] in home
        assert theirs["id"] not in home
        for path in (url, line, f"{url}/accounts"):
            assert (await ben.ask("GET", path)).status == 404
        await ann.post(f"{url}/accounts", people, "DELETE")
        assert await ids(ann, line) == []
        await ann.post(url, method="DELETE")
        assert await ann.get(at) == []
        await ann.post(f"/api/v1/accounts/{me['id']}/unfollow")

    pod.run(story())


def test_a_filter_says_what_it_matches_to_its_owner_alone(
    pod: Town, ann: Phone, ben: Phone
) -> None:
    async def story() -> None:
        at = "/api/v2/filters"
        made = await ann.post(
            at,
            {
                "title": "Birds",
                "context": ["home", "public"],
                "filter_action": "hide",
                "keywords_attributes": [
                    {"keyword": "owl", "whole_word": True},
                    {"keyword": "heron"},
                ],
            },
        )
        assert (made["filter_action"], made["expires_at"], made["statuses"]) == ("hide", None, [])
        words = [(one["keyword"], one["whole_word"]) for one in made["keywords"]]
        assert words == [("owl", True), ("heron", False)]
        url = f"{at}/{made['id']}"
        for text, matched in (
            ("An OWL and herons", ["owl", "heron"]),
            ("a howl", None),
            ("nothing", None),
        ):
            post = await say(ben, text)
            seen = (await ann.get(f"/api/v1/statuses/{post['id']}"))["filtered"]
            if matched is None:
                assert seen == []
            else:
                assert [one["keyword_matches"] for one in seen] == [matched]
                assert seen[0]["filter"] == made
            assert (await ben.get(f"/api/v1/statuses/{post['id']}"))["filtered"] == []
        named = await ann.post(f"{url}/statuses", {"status_id": post["id"]})
        assert named["status_id"] == post["id"]
        seen = (await ann.get(f"/api/v1/statuses/{post['id']}"))["filtered"]
        assert seen[0]["status_matches"] == [post["id"]]
        await ann.post(f"{at}/statuses/{named['id']}", method="DELETE")
        owl = made["keywords"][0]["id"]
        changed = await ann.post(f"{at}/keywords/{owl}", {"keyword": "eagle"}, "PUT")
        assert changed == {"id": owl, "keyword": "eagle", "whole_word": True}
        told = await ann.post(
            url,
            {
                "title": "Animals",
                "expires_in": 600,
                "keywords_attributes": [{"id": owl, "_destroy": True}, {"keyword": "cat"}],
            },
            "PUT",
        )
        assert [one["keyword"] for one in told["keywords"]] == ["heron", "cat"]
        assert told["expires_at"] is not None
        assert await ann.get(f"{url}/keywords") == told["keywords"]
        assert (await ben.ask("GET", url)).status == 404
        assert (await ben.ask("DELETE", f"{at}/keywords/{told['keywords'][0]['id']}")).status == 404
        await ann.post(url, method="DELETE")
        assert await ann.get(at) == []

    pod.run(story())


def test_older_apps_have_a_filter_for_each_word(pod: Town, ann: Phone) -> None:
    async def story() -> None:
        at = "/api/v1/filters"
        made = await ann.post(at, {"phrase": "spoiler", "context": ["home"], "irreversible": True})
        assert (made["phrase"], made["irreversible"], made["whole_word"]) == (
            "spoiler",
            True,
            False,
        )
        assert await ann.get(at) == [made]
        assert [one["title"] for one in await ann.get("/api/v2/filters")] == ["spoiler"]
        told = await ann.post(
            f"{at}/{made['id']}", {"phrase": "ending", "context": ["home", "thread"]}, "PUT"
        )
        assert (told["phrase"], told["context"]) == ("ending", ["home", "thread"])
        await ann.post(f"{at}/{made['id']}", method="DELETE")
        assert await ann.get(at) == await ann.get("/api/v2/filters") == []

    pod.run(story())


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": "x"},
        {"title": "x", "context": ["kitchen"]},
        {"title": "x", "context": ["home"], "filter_action": "burn"},
        {"title": "x", "context": ["home"], "expires_in": "soon"},
        {"title": "x", "context": ["home"], "keywords_attributes": [{"keyword": ""}]},
    ],
)
def test_a_bad_filter_is_refused(pod: Town, ann: Phone, body: dict[str, Any]) -> None:
    assert pod.run(ann.ask("POST", "/api/v2/filters", body)).status == 422
    assert pod.run(ann.get("/api/v2/filters")) == []


def test_a_form_may_list_the_words_of_a_filter(pod: Town, ann: Phone) -> None:
    async def story() -> None:
        form = (
            "title=x&context[]=home&keywords_attributes[][keyword]=one"
            "&keywords_attributes[][whole_word]=true&keywords_attributes[][keyword]=two"
        )
        reply = await ann.ask(
            "POST",
            "/api/v2/filters",
            form.encode(),
            content_type="application/x-www-form-urlencoded",
        )
        words = [(one["keyword"], one["whole_word"]) for one in reply.json["keywords"]]
        assert words == [("one", True), ("two", False)]
        await ann.post(f"/api/v2/filters/{reply.json['id']}", method="DELETE")

    pod.run(story())


def test_posts_with_a_followed_hashtag_come_home(pod: Town, ann: Phone, ben: Phone) -> None:
    async def story() -> None:
        told = await ann.post("/api/v1/tags/Gardens/follow")
        assert (told["name"], told["following"]) == ("gardens", True)
        assert [one["name"] for one in await ann.get("/api/v1/followed_tags")] == ["gardens"]
        made, other = await say(ben, "my #gardens"), await say(ben, "my #kitchen")
        quiet = await say(ben, "not for #gardens", visibility="unlisted")
        home = await ids(ann, "/api/v1/timelines/home")
        assert made["id"] in home
        assert not {other["id"], quiet["id"]} & set(home)
        history = (await ann.get("/api/v1/tags/gardens"))["history"]
        assert (len(history), history[0]["uses"], history[0]["accounts"]) == (7, "1", "1")
        assert (await ann.post("/api/v1/tags/gardens/unfollow"))["following"] is False
        assert await ann.get("/api/v1/followed_tags") == []
        more = await say(ben, "more #gardens")
        assert more["id"] not in await ids(ann, "/api/v1/timelines/home")
        assert await ids(ann, "/api/v1/timelines/tag/gardens") == [more["id"], made["id"]]
        found = await ids(ann, "/api/v1/timelines/tag/gardens", **{"any[]": "kitchen"})
        assert found == [more["id"], other["id"], made["id"]]
        found = await ids(ann, "/api/v1/timelines/tag/gardens", **{"all[]": "kitchen"})
        assert found == []
        names = await ann.get("/api/v2/search", q="#gard", type="hashtags")
        assert [one["name"] for one in names["hashtags"]] == ["gard", "gardens"]

    pod.run(story())


def test_hashtags_on_a_profile_are_put_there_and_taken_off(
    pod: Town, ann: Phone, ben: Phone
) -> None:
    async def story() -> None:
        at, me = "/api/v1/featured_tags", await mine(ann)
        await say(ann, "#trees and leaves")
        made = await ann.post(at, {"name": "Trees"})
        assert (made["name"], made["statuses_count"]) == ("Trees", "1")
        assert (await ann.ask("POST", at, {"name": "trees"})).status == 422
        assert await ben.get(f"/api/v1/accounts/{me['id']}/featured_tags") == [made]
        assert (await ann.get("/api/v1/tags/trees"))["featuring"] is True
        await ann.post(f"{at}/{made['id']}", method="DELETE")
        assert await ann.get(at) == []
        assert (await ann.ask("DELETE", f"{at}/{made['id']}")).status == 404

    pod.run(story())


def test_a_note_on_somebody_is_the_writers_alone(pod: Town, ann: Phone, ben: Phone) -> None:
    async def story() -> None:
        me, other = await mine(ann), await mine(ben)
        at = f"/api/v1/accounts/{other['id']}/note"
        assert (await ann.post(at, {"comment": "met in Rome"}))["note"] == "met in Rome"
        rel = "/api/v1/accounts/relationships"
        assert (await ann.get(rel, id=other["id"]))[0]["note"] == "met in Rome"
        assert (await ben.get(rel, id=me["id"]))[0]["note"] == ""
        public = await pod.whole.send("GET", "/data/social/about/", host=me["uri"].split("/")[2])
        assert public.status in (401, 403, 404)
        assert (await ann.post(at, {}))["note"] == ""

    pod.run(story())


def test_direct_messages_are_conversations_until_they_are_put_away(
    pod: Town, ann: Phone, ben: Phone
) -> None:
    async def story() -> None:
        at, other = "/api/v1/conversations", await mine(ben)
        me = await mine(ann)
        first = await say(ann, f"@{other['acct']} psst", visibility="direct")
        await say(ann, f"@{other['acct']} for all", visibility="public")
        mine_ = await ann.get(at)
        assert [one["last_status"]["id"] for one in mine_] == [first["id"]]
        assert (mine_[0]["unread"], [one["id"] for one in mine_[0]["accounts"]]) == (
            False,
            [other["id"]],
        )
        theirs = (await ben.get(at))[0]
        assert theirs["unread"] is True
        assert [one["id"] for one in theirs["accounts"]] == [me["id"]]
        assert (await ben.post(f"{at}/{theirs['id']}/read"))["unread"] is False
        answer = await say(
            ben, f"@{me['acct']} yes?", visibility="direct", in_reply_to_id=first["id"]
        )
        found = await ann.get(at)
        assert [(one["id"], one["unread"]) for one in found] == [(mine_[0]["id"], True)]
        assert found[0]["last_status"]["id"] == answer["id"]
        await ann.post(f"{at}/{found[0]['id']}", method="DELETE")
        assert await ann.get(at) == []
        await say(ben, f"@{me['acct']} hello?", visibility="direct", in_reply_to_id=answer["id"])
        assert len(await ann.get(at)) == 1
        carol = await phone_of(pod.whole, await pod.whole.join("carol"))
        assert await carol.get(at) == []
        bob = await neighbour(pod.whole)
        note = bob.peer.note(9, "<p>from afar</p>", to=[me["uri"]], cc=[])
        note["tag"] = [{"type": "Mention", "href": me["uri"], "name": "@ann"}]
        await bob.tell("Create", note, to=[me["uri"]])
        shown = (await ann.get(at))[0]
        assert (shown["last_status"]["uri"], shown["unread"]) == (note["id"], True)

    pod.run(story())
