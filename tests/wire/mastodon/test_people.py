"""Accounts, what is between them, notifications, media, search and streams."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from tests.kit.phone import Phone, phone_of
from tests.kit.whole import Person, Town


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    town = Town(tmp_path_factory.mktemp("people"))
    yield town
    town.close()


@pytest.fixture(scope="module")
def alice(town: Town, people: tuple[Person, Person]) -> Phone:
    return town.run(phone_of(town.whole, people[0]))


@pytest.fixture(scope="module")
def bob(town: Town, people: tuple[Person, Person]) -> Phone:
    return town.run(phone_of(town.whole, people[1]))


async def mine(phone: Phone) -> Any:
    return await phone.get("/api/v1/accounts/verify_credentials")


def multipart(fields: dict[str, bytes]) -> tuple[bytes, str]:
    parts = []
    for name, value in fields.items():
        is_file = name in ("file", "avatar")
        more = '; filename="a.png"\r\nContent-Type: image/png' if is_file else ""
        head = f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
        parts.append(head.encode() + value + b"\r\n")
    return b"".join(parts) + b"--x--\r\n", "multipart/form-data; boundary=x"


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 4), (1, 2, 3)).save(out, "PNG")
    return out.getvalue()


def test_a_follow_on_this_pod_brings_posts_home_and_ends(
    town: Town, alice: Phone, bob: Phone, people: tuple[Person, Person]
) -> None:
    async def story() -> None:
        me, other = await mine(alice), await mine(bob)
        at = f"/api/v1/accounts/{me['id']}"
        told = await bob.post(f"{at}/follow")
        assert (told["following"], told["requested"]) == (True, False)
        told = (await alice.get("/api/v1/accounts/relationships", **{"id[]": other["id"]}))[0]
        assert told["followed_by"] is True
        assert [one["id"] for one in await alice.get(f"{at}/followers")] == [other["id"]]
        following = await alice.get(f"/api/v1/accounts/{other['id']}/following")
        assert [one["id"] for one in following] == [me["id"]]
        notices = await alice.get("/api/v1/notifications", **{"types[]": "follow"})
        assert [(one["type"], one["account"]["id"]) for one in notices] == [("follow", other["id"])]
        made = await alice.post("/api/v1/statuses", {"status": "for my followers"})
        home = await bob.get("/api/v1/timelines/home")
        assert made["id"] in [one["id"] for one in home]
        assert (await bob.post(f"{at}/unfollow"))["following"] is False
        home = await bob.get("/api/v1/timelines/home")
        assert made["id"] not in [one["id"] for one in home]

    town.run(story())


def test_who_is_blocked_or_muted_is_listed_and_not_heard(
    town: Town, alice: Phone, bob: Phone
) -> None:
    async def story() -> None:
        other = await mine(bob)
        at = f"/api/v1/accounts/{other['id']}"
        for act, state, path in (
            ("block", "blocking", "/api/v1/blocks"),
            ("mute", "muting", "/api/v1/mutes"),
        ):
            assert (await alice.post(f"{at}/{act}"))[state] is True
            assert [one["id"] for one in await alice.get(path)] == [other["id"]]
            made = await alice.post("/api/v1/statuses", {"status": "x"})
            await bob.post(f"/api/v1/statuses/{made['id']}/favourite")
            about = [
                one.get("status", {}).get("id") for one in await alice.get("/api/v1/notifications")
            ]
            assert made["id"] not in about
            assert (await alice.post(f"{at}/un{act}"))[state] is False
            assert await alice.get(path) == []

    town.run(story())


def test_domains_are_blocked_by_name(town: Town, alice: Phone) -> None:
    async def story() -> None:
        await alice.post("/api/v1/domain_blocks", {"domain": "bad.example"})
        assert await alice.get("/api/v1/domain_blocks") == ["bad.example"]
        await alice.post("/api/v1/domain_blocks", {"domain": "bad.example"}, "DELETE")
        assert await alice.get("/api/v1/domain_blocks") == []

    town.run(story())


def test_a_profile_is_changed_for_every_network(
    town: Town, alice: Phone, people: tuple[Person, Person]
) -> None:
    async def story() -> None:
        body, kind = multipart(
            {
                "display_name": b"Alice A.",
                "note": b"I am here",
                "locked": b"true",
                "fields_attributes[0][name]": b"Web",
                "fields_attributes[0][value]": b"here",
                "avatar": png(),
            }
        )
        reply = await alice.ask(
            "PATCH", "/api/v1/accounts/update_credentials", body, content_type=kind
        )
        assert reply.status == 200, reply.body
        told = reply.json
        assert told["display_name"] == "Alice A."
        assert told["note"] == "<p>I am here</p>"
        assert told["locked"] is True
        assert ("Web", "here") in [(one["name"], one["value"]) for one in told["fields"]]
        assert "/blobs/" in told["avatar"]
        record = await town.whole.query(
            "com.atproto.repo.getRecord",
            repo=people[0].member.did,
            collection="app.bsky.actor.profile",
            rkey="self",
        )
        assert record.json["value"]["displayName"] == "Alice A."
        assert record.json["value"]["avatar"]["mimeType"] == "image/png"
        await alice.post("/api/v1/accounts/update_credentials", {"locked": False}, "PATCH")

    town.run(story())


def test_media_wait_for_their_post_and_are_their_owners(
    town: Town, alice: Phone, bob: Phone
) -> None:
    async def story() -> None:
        body, kind = multipart({"file": png(), "focus": b"0.5,-0.25", "description": b"dark"})
        reply = await alice.ask("POST", "/api/v2/media", body, content_type=kind)
        assert reply.status == 200, reply.body
        number = reply.json["id"]
        assert reply.json["meta"]["focus"] == {"x": 0.5, "y": -0.25}
        await alice.post(f"/api/v1/media/{number}", {"description": "darker"}, "PUT")
        assert (await bob.ask("GET", f"/api/v1/media/{number}")).status == 404
        stolen = await bob.ask("POST", "/api/v1/statuses", {"media_ids": [number]})
        assert stolen.status == 404
        made = await alice.post("/api/v1/statuses", {"media_ids": [number]})
        shown = made["media_attachments"][0]
        assert (shown["description"], shown["meta"]["focus"]["x"]) == ("darker", 0.5)
        gone = await alice.post(f"/api/v1/statuses/{made['id']}", method="DELETE")
        again = [one["id"] for one in gone["media_attachments"]]
        made = await alice.post("/api/v1/statuses", {"status": "anew", "media_ids": again})
        assert made["media_attachments"][0]["description"] == "darker"
        bad, kind = multipart({"file": b"no picture at all"})
        reply = await alice.ask("POST", "/api/v2/media", bad, content_type=kind)
        assert reply.status == 422
        assert (await alice.ask("POST", "/api/v2/media", {})).status == 422

    town.run(story())


def test_search_finds_people_posts_and_hashtags_that_are_here(
    town: Town, alice: Phone, bob: Phone
) -> None:
    async def story() -> None:
        me = await mine(alice)
        made = await alice.post("/api/v1/statuses", {"status": "about #gardens"})
        for text in (me["acct"], f"@{me['acct']}", me["uri"], "alice"):
            found = await bob.get("/api/v2/search", q=text)
            assert [one["id"] for one in found["accounts"]] == [me["id"]], text
        found = await bob.get("/api/v2/search", q=made["uri"])
        assert [one["id"] for one in found["statuses"]] == [made["id"]]
        found = await bob.get("/api/v2/search", q="#gardens", type="hashtags")
        assert [one["name"] for one in found["hashtags"]] == ["gardens"]
        tagged = await bob.get("/api/v1/timelines/tag/gardens")
        assert [one["id"] for one in tagged] == [made["id"]]
        for path in ("/api/v1/accounts/1", f"/api/v1/accounts/{made['id']}", "/api/v1/statuses/x"):
            assert (await bob.ask("GET", path)).status == 404

    town.run(story())


def test_notifications_are_filtered_dismissed_and_cleared(
    town: Town, alice: Phone, bob: Phone
) -> None:
    async def story() -> None:
        made = await alice.post("/api/v1/statuses", {"status": "tell me"})
        for act in ("favourite", "reblog"):
            await bob.post(f"/api/v1/statuses/{made['id']}/{act}")
        get, at = alice.get, "/api/v1/notifications"
        without = {"exclude_types[]": ["reblog", "follow", "mention"]}
        assert {one["type"] for one in await get(at, **without)} == {"favourite"}
        one = (await get(at, limit=1))[0]
        assert (await get(f"{at}/{one['id']}"))["id"] == one["id"]
        assert (await bob.ask("GET", f"{at}/{one['id']}")).status == 404
        assert (await bob.ask("POST", f"{at}/{one['id']}/dismiss")).status == 404
        await alice.post("/api/v1/markers", {"notifications": {"last_read_id": one["id"]}})
        assert (await get(f"{at}/unread_count"))["count"] == 0
        marker = await get("/api/v1/markers", **{"timeline[]": "notifications"})
        assert marker["notifications"]["last_read_id"] == one["id"]
        await alice.post(f"{at}/{one['id']}/dismiss")
        assert one["id"] not in [other["id"] for other in await get(at)]
        await alice.post(f"{at}/clear")
        assert await get(at) == []

    town.run(story())


def test_a_poll_is_asked_and_answered(town: Town, alice: Phone, bob: Phone) -> None:
    async def story() -> None:
        made = await alice.post(
            "/api/v1/statuses",
            {"status": "Which?", "poll": {"options": ["tea", "coffee"], "expires_in": 3600}},
        )
        assert [one["title"] for one in made["poll"]["options"]] == ["tea", "coffee"]
        assert made["poll"]["expired"] is False
        at = f"/api/v1/polls/{made['poll']['id']}"
        assert (await bob.ask("POST", f"{at}/votes", {"choices": ["7"]})).status == 422
        voted = await bob.post(f"{at}/votes", {"choices": ["1"]})
        assert (voted["voted"], voted["own_votes"]) == (True, [1])
        assert (await bob.ask("POST", f"{at}/votes", {"choices": ["0"]})).status == 422
        assert (await alice.ask("POST", f"{at}/votes", {"choices": ["0"]})).status == 403
        url = f"/api/v1/statuses/{made['id']}"
        same = {"options": ["tea", "coffee"], "expires_in": 3600}
        for body in ({"status": "Which one?"}, {"status": "Which, now?", "poll": same}):
            told = await alice.post(url, body, "PUT")
            assert told["content"] == f"<p>{body['status']}</p>"
            assert [one["title"] for one in told["poll"]["options"]] == ["tea", "coffee"]
        other = {"status": "?", "poll": {**same, "options": ["tea", "milk"]}}
        assert (await alice.ask("PUT", url, other)).status == 422
        states = await alice.get(f"{url}/history")
        assert [one["title"] for one in states[0]["poll"]["options"]] == ["tea", "coffee"]

    town.run(story())
