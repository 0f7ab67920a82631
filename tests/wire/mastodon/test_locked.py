"""Who follows a locked member of the same pod asks first, and follows once they were let in."""

from __future__ import annotations

from typing import Any

from tests.kit.phone import Phone, phone_of
from tests.kit.whole import Person, Town

FOLLOW = "app.bsky.graph.follow"
LOCK = "/api/v1/accounts/update_credentials"


class Pair:
    """A locked member and another of the same pod, each with an app."""

    def __init__(self, town: Town, owner: Phone, other: Phone, person: Person) -> None:
        self.town, self.owner, self.other, self.person = town, owner, other, person
        self.owner_id = self.other_id = ""
        self.did = ""

    async def between(self) -> tuple[bool, bool, bool, bool]:
        """Following and requested, as the follower sees it; followed and asked, as the owner."""
        await self.town.whole.rows()  # all changes are turned
        at = "/api/v1/accounts/relationships"
        mine = (await self.other.get(at, **{"id[]": self.owner_id}))[0]
        theirs = (await self.owner.get(at, **{"id[]": self.other_id}))[0]
        return (
            mine["following"], mine["requested"], theirs["followed_by"], theirs["requested_by"]
        )  # fmt: skip

    async def follow(self) -> Any:
        return await self.other.post(f"/api/v1/accounts/{self.owner_id}/follow")

    async def asking(self) -> list[str]:
        await self.town.whole.rows()
        return [one["id"] for one in await self.owner.get("/api/v1/follow_requests")]

    async def answer(self, how: str) -> None:
        await self.owner.post(f"/api/v1/follow_requests/{self.other_id}/{how}")

    async def followers(self) -> tuple[int, list[str]]:
        at = f"/api/v1/accounts/{self.owner_id}"
        listed = [one["id"] for one in await self.owner.get(f"{at}/followers")]
        return (await self.owner.get(at))["followers_count"], listed


NOTHING = (False, False, False, False)
ASKED = (False, True, False, True)
FOLLOWS = (True, False, True, False)


async def pair(town: Town, name: str) -> Pair:
    owner, other = await town.whole.join(f"owner-{name}"), await town.whole.join(f"friend-{name}")
    made = Pair(town, await phone_of(town.whole, owner), await phone_of(town.whole, other), other)
    made.did = owner.member.did
    at = "/api/v1/accounts/verify_credentials"
    made.owner_id = (await made.owner.get(at))["id"]
    made.other_id = (await made.other.get(at))["id"]
    await made.owner.post(LOCK, {"locked": True}, "PATCH")
    return made


def test_a_locked_member_is_asked_and_lets_in_and_later_throws_out(pod: Town) -> None:
    async def story() -> None:
        two = await pair(pod, "a")
        secret = await two.owner.post(
            "/api/v1/statuses", {"status": "for friends", "visibility": "private"}
        )
        url = f"/api/v1/statuses/{secret['id']}"
        told = await two.follow()
        assert (told["following"], told["requested"]) == (False, True)
        assert await two.asking() == [two.other_id]
        assert await two.between() == ASKED
        assert (await two.other.ask("GET", url)).status == 404
        assert await two.followers() == (0, [])
        notices = await two.owner.get("/api/v1/notifications")
        assert [one["type"] for one in notices] == ["follow_request"]
        await two.answer("authorize")
        assert await two.between() == FOLLOWS
        assert await two.asking() == []
        assert (await two.other.ask("GET", url)).status == 200
        assert await two.followers() == (1, [two.other_id])
        second = await two.owner.post(
            "/api/v1/statuses", {"status": "more", "visibility": "private"}
        )
        home = await two.other.get("/api/v1/timelines/home")
        assert second["id"] in [one["id"] for one in home]
        await two.owner.post(f"/api/v1/accounts/{two.other_id}/remove_from_followers")
        assert await two.between() == NOTHING
        assert await two.followers() == (0, [])
        assert (await two.other.ask("GET", url)).status == 404
        home = await two.other.get("/api/v1/timelines/home")
        assert second["id"] not in [one["id"] for one in home]

    pod.run(story())


def test_who_was_refused_or_went_asks_again(pod: Town) -> None:
    async def story() -> None:
        two = await pair(pod, "b")
        await two.follow()
        assert await two.asking() == [two.other_id]
        await two.answer("reject")
        assert await two.between() == NOTHING
        assert (await two.follow())["requested"] is True
        assert await two.asking() == [two.other_id]
        await two.answer("authorize")
        await two.other.post(f"/api/v1/accounts/{two.owner_id}/unfollow")
        assert await two.between() == NOTHING
        await two.follow()
        assert await two.between() == ASKED

    pod.run(story())


def test_a_record_of_an_atproto_app_asks_too_and_its_end_takes_the_wish_back(pod: Town) -> None:
    async def story() -> None:
        two = await pair(pod, "c")
        record = {"subject": two.did, "createdAt": "2026-11-24T12:00:00.000Z"}
        reply = await pod.whole.put_record(two.person, "3l2222222222a", record, FOLLOW)
        assert reply.status == 200, reply.body
        assert await two.between() == ASKED
        await two.answer("authorize")
        assert await two.between() == FOLLOWS
        await pod.whole.delete_record(two.person, "3l2222222222a", FOLLOW)
        assert await two.between() == NOTHING
        assert await two.followers() == (0, [])

    pod.run(story())


def test_unlocking_lets_in_who_waits_and_locking_throws_nobody_out(pod: Town) -> None:
    async def story() -> None:
        two = await pair(pod, "d")
        await two.follow()
        assert await two.between() == ASKED
        await two.owner.post(LOCK, {"locked": False}, "PATCH")
        assert await two.between() == FOLLOWS
        assert await two.asking() == []
        await two.owner.post(LOCK, {"locked": True}, "PATCH")
        assert await two.between() == FOLLOWS
        await two.owner.post(f"/api/v1/accounts/{two.other_id}/block")
        assert (await two.between())[0::2] == (False, False)
        assert await two.asking() == []

    pod.run(story())
