"""Over all members: likes, answers, followers, pins, public posts, and who is found."""

from __future__ import annotations

from typing import Any

from tests.kit.neighbour import neighbour
from tests.kit.phone import Phone, phone_of
from tests.kit.whole import AS2, Town


async def mine(phone: Phone) -> Any:
    return await phone.get("/api/v1/accounts/verify_credentials")


async def say(phone: Phone, text: str, **more: Any) -> Any:
    return await phone.post("/api/v1/statuses", {"status": text, **more})


async def ids(phone: Phone, path: str, **params: Any) -> list[str]:
    return [one["id"] for one in await phone.get(path, **params)]


def test_what_members_do_with_a_post_is_counted_for_everybody(
    pod: Town, ann: Phone, ben: Phone
) -> None:
    async def story() -> None:
        carol = await phone_of(pod.whole, await pod.whole.join("carol"))
        made = await say(ann, "count me")
        url = f"/api/v1/statuses/{made['id']}"
        bob = await neighbour(pod.whole)
        await bob.tell("Like", made["uri"])
        for phone in (ben, carol):
            await phone.post(f"{url}/favourite")
        await carol.post(f"{url}/reblog")
        await say(ben, "one", in_reply_to_id=made["id"])
        for reader in (ann, ben, Phone(pod.whole)):
            seen = await reader.get(url)
            numbers = (seen["favourites_count"], seen["reblogs_count"], seen["replies_count"])
            assert numbers == (3, 1, 1)
        likers = await ann.get(f"{url}/favourited_by")
        assert sorted(one["username"] for one in likers) == ["ben", "bob", "carol"]
        assert [one["username"] for one in await ann.get(f"{url}/reblogged_by")] == ["carol"]
        await ben.post(f"{url}/unfavourite")
        assert (await ann.get(url))["favourites_count"] == 2
        me = await mine(ann)
        await ben.post(f"/api/v1/accounts/{me['id']}/follow")
        await carol.post(f"/api/v1/accounts/{me['id']}/follow")
        account = await ann.get(f"/api/v1/accounts/{me['id']}")
        assert account["followers_count"] == 2
        assert account["statuses_count"] == 1
        other = await mine(ben)
        await carol.post(f"/api/v1/accounts/{other['id']}/follow")
        known = await carol.get("/api/v1/accounts/familiar_followers", **{"id[]": me["id"]})
        assert [one["id"] for one in known[0]["accounts"]] == [other["id"]]
        assert known[0]["id"] == me["id"]

    pod.run(story())


def test_five_posts_can_be_pinned_and_peers_see_them_all(pod: Town, ben: Phone, ann: Phone) -> None:
    async def story() -> None:
        me = await mine(ben)
        made = [await say(ben, f"pin {number}") for number in range(6)]
        for one in made[:5]:
            assert (await ben.post(f"/api/v1/statuses/{one['id']}/pin"))["pinned"] is True
        reply = await ben.ask("POST", f"/api/v1/statuses/{made[5]['id']}/pin")
        assert reply.status == 422
        assert "maximum" in reply.json["error"]
        posts = f"/api/v1/accounts/{me['id']}/statuses"
        wanted = [one["id"] for one in made[4::-1]]
        assert await ids(ann, posts, pinned="true") == wanted
        host = me["uri"].split("/")[2]
        featured = await pod.whole.ask("GET", f"http://{host}/featured", accept=AS2)
        uris = [one["id"] for one in featured.json["orderedItems"]]
        assert uris == [one["uri"] for one in made[4::-1]]
        record = await pod.whole.query(
            "com.atproto.repo.getRecord",
            repo=f"{me['username']}.test",
            collection="app.bsky.actor.profile",
            rkey="self",
        )
        assert record.json["value"]["pinnedPost"]["uri"].endswith(made[4]["uri"].split("/")[-1])
        actor = await pod.whole.ask("GET", me["uri"], accept=AS2)
        assert "_" not in actor.json
        await ben.post("/api/v1/accounts/update_credentials", {"note": "pinned"}, "PATCH")
        for gone in (made[4], made[1]):
            await ben.post(f"/api/v1/statuses/{gone['id']}/unpin")
        assert await ids(ann, posts, pinned="true") == [made[each]["id"] for each in (3, 2, 0)]
        await ben.post(f"/api/v1/statuses/{made[3]['id']}", method="DELETE")
        assert await ids(ann, posts, pinned="true") == [made[each]["id"] for each in (2, 0)]
        assert (await ann.ask("POST", f"/api/v1/statuses/{made[0]['id']}/pin")).status == 422

    pod.run(story())


def test_public_timelines_are_of_here_and_of_elsewhere(pod: Town, ann: Phone, ben: Phone) -> None:
    async def story() -> None:
        bob = await neighbour(pod.whole, "dora")
        await bob.befriend(ann)
        far = await bob.say(1, "<p>far</p>", tag=[{"type": "Hashtag", "name": "#Sea"}])
        near = await say(ben, "near the #sea")
        answer = await say(ann, "an answer", in_reply_to_id=near["id"])
        more = await say(ben, "more", in_reply_to_id=near["id"])
        hidden = await say(ben, "hidden #sea", visibility="unlisted")
        at = "/api/v1/timelines/public"

        async def uris(**params: Any) -> list[str]:
            return [one["uri"] for one in await ann.get(at, **params)]

        everything = await uris()
        assert everything[:3] == [more["uri"], near["uri"], far["id"]]
        assert not {answer["uri"], hidden["uri"]} & set(everything)
        assert far["id"] not in await uris(local="true")
        assert await uris(remote="true") == [far["id"]]
        tagged = await ann.get("/api/v1/timelines/tag/sea")
        assert [one["uri"] for one in tagged] == [near["uri"], far["id"]]
        tagged = await ann.get("/api/v1/timelines/tag/sea", local="true")
        assert [one["uri"] for one in tagged] == [near["uri"]]
        other = await mine(ben)
        await ann.post(f"/api/v1/accounts/{other['id']}/mute")
        assert await uris(limit=1) == [far["id"]]
        await ann.post(f"/api/v1/accounts/{other['id']}/unmute")
        edited = await ben.post(f"/api/v1/statuses/{near['id']}", {"status": "near"}, "PUT")
        assert edited["tags"] == []
        tagged = await ann.get("/api/v1/timelines/tag/sea")
        assert [one["uri"] for one in tagged] == [far["id"]]
        await bob.tell("Delete", far["id"])
        await ben.post(f"/api/v1/statuses/{near['id']}", method="DELETE")
        assert not {near["uri"], far["id"]} & set(await uris())

    pod.run(story())


def test_people_are_found_by_the_beginnings_of_their_names(
    pod: Town, ann: Phone, ben: Phone
) -> None:
    async def story() -> None:
        eve = await neighbour(pod.whole, "eve", name="Evelyn Adams")
        found = await ann.get("/api/v2/search", q=eve.peer.id, resolve="true")
        far = found["accounts"][0]
        await ben.post(
            "/api/v1/accounts/update_credentials", {"display_name": "Ben Adamo"}, "PATCH"
        )
        near = await mine(ben)
        await ann.get("/api/v1/timelines/home")  # the log is read then at the latest
        for text, wanted in (
            ("adam", {far["id"], near["id"]}),
            ("ADAM ev", {far["id"]}),
            ("ben adamo", {near["id"]}),
            ("eve@eve.peer", {far["id"]}),
            ("dam", set()),
        ):
            found = await ann.get("/api/v1/accounts/search", q=text)
            assert {one["id"] for one in found} == wanted, text
        await ben.post("/api/v1/accounts/update_credentials", {"display_name": "Ben"}, "PATCH")
        await ann.get("/api/v1/timelines/home")
        found = await ann.get("/api/v1/accounts/search", q="adamo")
        assert found == []
        lookup = await ann.get("/api/v1/accounts/lookup", acct="ben")
        assert lookup["id"] == near["id"]
        members = await ann.get("/api/v1/directory", limit=2, offset=1)
        assert near["id"] in [one["id"] for one in members]

    pod.run(story())


def test_threads_of_elsewhere_are_whole_as_far_as_they_were_heard(pod: Town, ann: Phone) -> None:
    async def story() -> None:
        bob = await neighbour(pod.whole, "gil")
        await bob.befriend(ann)
        first = await bob.say(1, "<p>first</p>")
        second = await bob.say(2, "<p>second</p>", inReplyTo=first["id"])
        home = {one["uri"]: one for one in await ann.get("/api/v1/timelines/home")}
        top, middle = home[first["id"]], home[second["id"]]
        assert middle["in_reply_to_id"] == top["id"]
        answer = await say(ann, "third", in_reply_to_id=middle["id"])
        context = await ann.get(f"/api/v1/statuses/{top['id']}/context")
        assert [one["id"] for one in context["descendants"]] == [middle["id"], answer["id"]]
        context = await ann.get(f"/api/v1/statuses/{answer['id']}/context")
        assert [one["id"] for one in context["ancestors"]] == [top["id"], middle["id"]]
        secret = await say(
            ann, "@gil@gil.peer.test psst", in_reply_to_id=top["id"], visibility="private"
        )
        seen = await ann.get(f"/api/v1/statuses/{top['id']}")
        assert seen["replies_count"] == 1
        context = await ann.get(f"/api/v1/statuses/{top['id']}/context")
        wanted = [middle["id"], answer["id"], secret["id"]]
        assert [one["id"] for one in context["descendants"]] == wanted
        context = await Phone(pod.whole).get(f"/api/v1/statuses/{top['id']}/context")
        assert [one["id"] for one in context["descendants"]] == [middle["id"], answer["id"]]

    pod.run(story())


def test_home_leaves_out_whom_the_member_does_not_want_to_read(
    pod: Town, ann: Phone, ben: Phone
) -> None:
    async def story() -> None:
        hal = await neighbour(pod.whole, "hal")
        account = await hal.befriend(ann)
        note = await hal.say(1)
        other = await mine(ben)
        await ann.post(f"/api/v1/accounts/{other['id']}/follow")
        made = await say(ben, "of ben")

        async def home() -> set[str]:
            return {one["uri"] for one in await ann.get("/api/v1/timelines/home")}

        assert {note["id"], made["uri"]} <= await home()
        for person, uri in ((account, note["id"]), (other, made["uri"])):
            await ann.post(f"/api/v1/accounts/{person['id']}/mute")
            assert uri not in await home()
            await ann.post(f"/api/v1/accounts/{person['id']}/unmute")
            assert uri in await home()
        await ann.post("/api/v1/domain_blocks", {"domain": "hal.peer.test"})
        assert note["id"] not in await home()
        assert note["id"] not in [o["uri"] for o in await ann.get("/api/v1/timelines/public")]
        rel = (await ann.get("/api/v1/accounts/relationships", id=account["id"]))[0]
        assert (rel["domain_blocking"], rel["following"]) == (True, False)
        await ann.post("/api/v1/domain_blocks", {"domain": "hal.peer.test"}, "DELETE")

    pod.run(story())


def test_an_account_that_moved_says_where(pod: Town, ann: Phone) -> None:
    async def story() -> None:
        new = await neighbour(pod.whole, "newest")
        old = await neighbour(pod.whole, "oldest", movedTo=new.peer.id)
        found = await ann.get("/api/v2/search", q=old.peer.id, resolve="true")
        account = found["accounts"][0]
        assert (account["uri"], account["moved"]["uri"]) == (old.peer.id, new.peer.id)
        assert "moved" not in account["moved"]

    pod.run(story())


def test_what_peers_say_of_their_posts_is_shown(pod: Town, ann: Phone) -> None:
    async def story() -> None:
        bob = await neighbour(pod.whole, "frank")
        await bob.befriend(ann)
        note = await bob.say(
            1,
            likes={"type": "Collection", "totalItems": 7},
            shares={"type": "Collection", "totalItems": 3},
        )
        home = await ann.get("/api/v1/timelines/home")
        seen = next(one for one in home if one["uri"] == note["id"])
        assert (seen["favourites_count"], seen["reblogs_count"]) == (7, 3)

    pod.run(story())
