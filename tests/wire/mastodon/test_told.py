"""Notifications: of whom to be told, of ends of polls, of edits; one by one and in groups."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.kit.neighbour import neighbour
from tests.kit.phone import Phone, phone_of
from tests.kit.whole import Town

NOTICES = "/api/v1/notifications"


async def until(found: Callable[[], Awaitable[Any]]) -> Any:
    for _ in range(400):
        if value := await found():
            return value
        await asyncio.sleep(0.05)
    raise AssertionError("it never came")


async def mine(phone: Phone) -> Any:
    return await phone.get("/api/v1/accounts/verify_credentials")


async def told(phone: Phone, kind: str) -> list[Any]:
    notices: list[Any] = await phone.get(NOTICES, **{"types[]": kind})
    return notices


async def say(phone: Phone, text: str, **more: Any) -> Any:
    return await phone.post("/api/v1/statuses", {"status": text, **more})


def test_who_asked_is_told_of_posts_and_of_no_answers(pod: Town, ann: Phone, ben: Phone) -> None:
    async def story() -> None:
        me = await mine(ann)
        at = f"/api/v1/accounts/{me['id']}"
        assert (await ben.post(f"{at}/follow"))["notifying"] is False
        await say(ann, "unheard")
        between = await ben.post(f"{at}/follow", {"notify": True})
        assert between["notifying"] is True
        made = await say(ann, "heard")
        other = await say(ben, "a post")
        await say(ann, "an answer", in_reply_to_id=other["id"])
        mine_too = await say(ann, "more of it", in_reply_to_id=made["id"])
        found = await told(ben, "status")
        assert [one["status"]["id"] for one in found] == [mine_too["id"], made["id"]]
        assert found[0]["account"]["id"] == me["id"]
        await ben.post(f"{at}/follow", {"notify": False})
        await say(ann, "unheard again")
        assert len(await told(ben, "status")) == 2
        assert (await ben.post(f"{at}/unfollow"))["notifying"] is False

    pod.run(story())


def test_a_neighbours_posts_are_told_and_boosts_can_be_hidden(pod: Town, ann: Phone) -> None:
    async def story() -> None:
        bob, eve = await neighbour(pod.whole), await neighbour(pod.whole, "eve")
        account = await bob.befriend(ann, notify=True, reblogs=False, languages=["en"])
        note = await bob.say(1, "<p>News</p>", contentMap={"en": "<p>News</p>"})
        await bob.say(2, "<p>Neues</p>", contentMap={"de": "<p>Neues</p>"})
        found = await until(lambda: told(ann, "status"))
        assert [one["status"]["uri"] for one in found] == [note["id"]]
        home = await ann.get("/api/v1/timelines/home")
        assert [one["uri"] for one in home if one["account"]["id"] == account["id"]] == [note["id"]]
        await eve.befriend(ann)
        theirs = await eve.say(1, "<p>Eve</p>")
        await bob.tell("Announce", theirs["id"], to=["as:Public"])
        await eve.tell("Announce", note["id"], to=["as:Public"])

        async def boosted() -> list[Any]:
            home = await ann.get("/api/v1/timelines/home")
            return [one for one in home if one["reblog"]]

        assert [one["account"]["username"] for one in await until(boosted)] == ["eve"]
        at = f"/api/v1/accounts/{account['id']}"
        between = (await ann.get("/api/v1/accounts/relationships", id=account["id"]))[0]
        assert (between["showing_reblogs"], between["languages"]) == (False, ["en"])
        await ann.post(f"{at}/unfollow")

    pod.run(story())


async def ask_out(pod: Town, phone: Phone, seconds: float) -> Any:
    """A poll that ends soon, which no app can ask for: by the member's own outbox."""
    me = await mine(phone)
    end = datetime.now(UTC) + timedelta(seconds=seconds)
    question = {
        "type": "Question",
        "content": "<p>Which?</p>",
        "oneOf": [{"type": "Note", "name": name} for name in ("tea", "coffee")],
        "endTime": end.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "to": ["https://www.w3.org/ns/activitystreams#Public"],
    }
    name = me["username"]
    session = await pod.whole.call(
        "com.atproto.server.createSession",
        {"identifier": f"{name}.test", "password": "correct horse"},
    )
    reply = await pod.whole.send(
        "POST",
        "/outbox",
        json.dumps(question),
        host=me["uri"].split("/")[2],
        token=session.json["accessJwt"],
        headers={"content-type": "application/activity+json"},
    )
    assert reply.status == 201, reply.body
    return (await phone.get("/api/v2/search", q=reply.headers["location"]))["statuses"][0]


def test_the_end_of_a_poll_is_told_once_to_who_asked_and_who_voted(
    pod: Town, ann: Phone, ben: Phone
) -> None:
    async def story() -> None:
        made = await ask_out(pod, ann, 3)
        at = f"/api/v1/polls/{made['poll']['id']}"
        await ben.post(f"{at}/votes", {"choices": ["1"]})
        assert await told(ann, "poll") == await told(ben, "poll") == []
        for phone in (ann, ben):
            found = await until(lambda phone=phone: told(phone, "poll"))
            assert [one["status"]["id"] for one in found] == [made["id"]]
            assert found[0]["account"]["id"] == made["account"]["id"]
            assert found[0]["status"]["poll"]["expired"] is True
        await asyncio.sleep(5.5)  # one more turn of the worker
        assert len(await told(ann, "poll")) == len(await told(ben, "poll")) == 1

    pod.run(story())


def test_who_boosted_a_post_is_told_of_its_last_edit(pod: Town, ann: Phone, ben: Phone) -> None:
    async def story() -> None:
        made = await say(ann, "frist")
        url = f"/api/v1/statuses/{made['id']}"
        await ben.post(f"{url}/reblog")
        assert await told(ben, "update") == []
        for text in ("first", "First"):
            await ann.post(url, {"status": text}, "PUT")
            found = await told(ben, "update")
            assert [one["status"]["content"] for one in found] == [f"<p>{text}</p>"]
        assert await told(ann, "update") == []

    pod.run(story())


def test_likes_of_the_same_post_are_one_group(pod: Town, ann: Phone, ben: Phone) -> None:
    async def story() -> None:
        carol = await phone_of(pod.whole, await pod.whole.join("carol"))
        await ann.post(f"{NOTICES}/clear")
        made, other = await say(ann, "popular"), await say(ann, "less so")
        for phone in (ben, carol):
            await phone.post(f"/api/v1/statuses/{made['id']}/favourite")
        await ben.post(f"/api/v1/statuses/{other['id']}/favourite")
        await say(carol, "a word", in_reply_to_id=made["id"])
        at = "/api/v2/notifications"
        found = await ann.get(at)
        kinds = [(one["type"], one["notifications_count"]) for one in found["notification_groups"]]
        assert kinds == [("mention", 1), ("favourite", 1), ("favourite", 2)]
        group = found["notification_groups"][2]
        assert group["status_id"] == made["id"]
        names = {one["id"]: one["username"] for one in found["accounts"]}
        assert [names[one] for one in group["sample_account_ids"]] == ["carol", "ben"]
        assert {one["id"] for one in found["statuses"]} >= {made["id"], other["id"]}
        assert (await ann.get(f"{at}/unread_count"))["count"] == 3
        assert (await ann.get(f"{NOTICES}/unread_count"))["count"] == 4
        key = group["group_key"]
        one = (await ann.get(f"{at}/{key}"))["notification_groups"]
        assert [each["notifications_count"] for each in one] == [2]
        people = await ann.get(f"{at}/{key}/accounts")
        assert [each["username"] for each in people] == ["carol", "ben"]
        page = await ann.get(at, limit=1)
        older = await ann.get(at, max_id=page["notification_groups"][0]["page_min_id"])
        assert [each["type"] for each in older["notification_groups"]] == ["favourite"] * 2
        alone = await ann.get(at, **{"grouped_types[]": "follow"})
        assert [each["notifications_count"] for each in alone["notification_groups"]] == [1] * 4
        await ann.post(f"{at}/{key}/dismiss")
        assert (await ann.ask("GET", f"{at}/{key}")).status == 404
        assert len(await ann.get(NOTICES)) == 2

    pod.run(story())


def test_a_conversation_that_is_muted_tells_nothing_more(pod: Town, ann: Phone, ben: Phone) -> None:
    async def story() -> None:
        made = await say(ann, "the beginning")
        answer = await say(ben, "an answer", in_reply_to_id=made["id"])
        await ann.post(f"{NOTICES}/clear")
        assert (await ann.post(f"/api/v1/statuses/{answer['id']}/mute"))["muted"] is True
        assert (await ann.get(f"/api/v1/statuses/{made['id']}"))["muted"] is True
        await say(ben, "another", in_reply_to_id=answer["id"])
        await ben.post(f"/api/v1/statuses/{made['id']}/favourite")
        assert await ann.get(NOTICES) == []
        assert (await ann.post(f"/api/v1/statuses/{made['id']}/unmute"))["muted"] is False
        await ben.post(f"/api/v1/statuses/{made['id']}/reblog")
        assert [one["type"] for one in await ann.get(NOTICES)] == ["reblog"]

    pod.run(story())


def test_a_mute_with_an_end_is_over_then(pod: Town, ann: Phone, ben: Phone) -> None:
    async def story() -> None:
        other = await mine(ben)
        at = f"/api/v1/accounts/{other['id']}"
        assert (await ann.post(f"{at}/mute", {"duration": 600}))["muting"] is True
        muted = (await ann.get("/api/v1/mutes"))[0]
        assert (muted["id"], muted["mute_expires_at"] is not None) == (other["id"], True)
        await ann.post(f"{at}/mute", {"duration": 1})

        async def is_over() -> bool:
            between = (await ann.get("/api/v1/accounts/relationships", id=other["id"]))[0]
            return between["muting"] is False

        await until(is_over)
        assert await ann.get("/api/v1/mutes") == []
        await ann.post(f"{at}/mute", {"notifications": False})
        assert (await ann.get("/api/v1/mutes"))[0]["mute_expires_at"] is None
        made = await say(ann, "tell me all the same")
        await ben.post(f"/api/v1/statuses/{made['id']}/favourite")
        assert (await ann.get(NOTICES))[0]["status"]["id"] == made["id"]
        await ann.post(f"{at}/unmute")

    pod.run(story())


def test_nobody_is_kept_from_telling(pod: Town, ann: Phone) -> None:
    async def story() -> None:
        policy = await ann.get("/api/v2/notifications/policy")
        assert policy["for_not_following"] == policy["for_limited_accounts"] == "accept"
        assert policy["summary"]["pending_requests_count"] == 0
        reply = await ann.ask(
            "PATCH", "/api/v2/notifications/policy", {"for_not_following": "filter"}
        )
        assert reply.status == 422
        assert await ann.get(f"{NOTICES}/requests") == []

    pod.run(story())
