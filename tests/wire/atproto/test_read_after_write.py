"""What a member wrote is in the AppView's answers at once, whether the AppView saw it or not."""

from __future__ import annotations

import json
from typing import Any

from pod.model.ids import Did
from pod.settings import AppView
from tests.kit.xrpc import Person, Pod, Reply, in_pod

APPVIEW = AppView("https://api.example", Did("did:web:api.example"))
OLD = "2020-01-01T00:00:00.000Z"
TIMELINE = "app.bsky.feed.getTimeline"
THREAD = "app.bsky.feed.getPostThread"
BOX = "app.bsky.feed.defs#threadViewPost"


def item(uri: str, did: str = "did:web:bob.example", at: str = OLD) -> dict[str, Any]:
    post = {
        "uri": uri,
        "author": {"did": did, "handle": "b.example"},
        "record": {},
        "indexedAt": at,
    }
    return {"post": post}


def answers(pod: Pod, view: Any, rev: str | None, status: int = 200) -> None:
    """What the AppView says, having seen the repository up to ``rev``."""
    pod.upstream.status = status
    pod.upstream.body = json.dumps(view).encode()
    pod.upstream.headers = {"content-type": "application/json; charset=utf-8"}
    if rev is not None:
        pod.upstream.headers["atproto-repo-rev"] = rev


async def rev_of(pod: Pod, person: Person) -> str:
    return (await pod.get("com.atproto.sync.getLatestCommit", did=person.did)).json["rev"]


async def timeline(pod: Pod, person: Person) -> Reply:
    return await pod.get(TIMELINE, person.access)


async def say(pod: Pod, person: Person, name: str) -> None:
    """Choose a display name."""
    body = {
        "repo": person.did,
        "collection": "app.bsky.actor.profile",
        "rkey": "self",
        "record": {"$type": "app.bsky.actor.profile", "displayName": name, "description": "me"},
    }
    assert (await pod.post("com.atproto.repo.putRecord", body, person.access)).status == 200


def test_new_posts_stand_in_the_timeline_where_they_belong():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await pod.write_post(alice, "seen")
        rev = await rev_of(pod, alice)
        await say(pod, alice, "Alice")
        pod.clock.pass_by(1)
        first = await pod.write_post(alice, "first")
        pod.clock.pass_by(1)
        second = await pod.write_post(alice, "second")
        answers(pod, {"cursor": "c", "feed": [item("at://x/y/z")]}, rev)
        reply = await timeline(pod, alice)
        uris = [entry["post"]["uri"] for entry in reply.json["feed"]]
        assert uris == [second["uri"], first["uri"], "at://x/y/z"]
        assert reply.json["cursor"] == "c"
        shown = reply.json["feed"][0]["post"]
        assert shown["author"]["displayName"] == "Alice"
        assert shown["record"]["text"] == "second"
        assert reply.headers["atproto-upstream-lag"] == "2000"

    in_pod(story, appview=APPVIEW)


def test_an_answer_stays_as_it_is_where_nothing_is_missing_in_it():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        before = await rev_of(pod, alice)
        await pod.write_post(alice, "hello")
        view = {"feed": []}
        for rev in (await rev_of(pod, alice), None, "2222222222222"):
            answers(pod, view, rev)
            reply = await timeline(pod, alice)
            assert reply.json == view
            assert "atproto-upstream-lag" not in reply.headers
        answers(pod, {"feed": "what is this"}, before)
        assert (await timeline(pod, alice)).json == {"feed": "what is this"}

    in_pod(story, appview=APPVIEW)


def test_ones_own_profile_is_that_of_now_and_nobody_elses_is_touched():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        rev = await rev_of(pod, alice)
        await say(pod, alice, "New")
        own = {"did": alice.did, "handle": "alice.test", "displayName": "Old", "postsCount": 3}
        other = {"did": "did:web:b.example", "handle": "b.example", "displayName": "Bob"}
        answers(pod, own, rev)
        reply = await pod.get("app.bsky.actor.getProfile", alice.access, actor=alice.did)
        assert reply.json == own | {"displayName": "New", "description": "me"}
        answers(pod, {"profiles": [own, other]}, rev)
        both = await pod.get("app.bsky.actor.getProfiles", alice.access, actors=["b.example"])
        assert [p["displayName"] for p in both.json["profiles"]] == ["New", "Bob"]
        answers(pod, other, rev)
        reply = await pod.get("app.bsky.actor.getProfile", alice.access, actor="b.example")
        assert reply.json == other

    in_pod(story, appview=APPVIEW)


def test_new_posts_are_in_ones_own_feed_and_in_nobody_elses():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        rev = await rev_of(pod, alice)
        made = await pod.write_post(alice, "new")
        await say(pod, alice, "Alice")
        nsid = "app.bsky.feed.getAuthorFeed"
        own, other = {"feed": [item("at://a/b/c", alice.did)]}, {"feed": [item("at://x/y/z")]}
        answers(pod, own, rev)
        feed = (await pod.get(nsid, alice.access, actor=alice.did)).json["feed"]
        assert [entry["post"]["uri"] for entry in feed] == [made["uri"], "at://a/b/c"]
        assert feed[1]["post"]["author"]["displayName"] == "Alice"
        answers(pod, other, rev)
        assert (await pod.get(nsid, alice.access, actor="b.example")).json == other
        answers(pod, own, rev)
        likes = await pod.get("app.bsky.feed.getActorLikes", alice.access, actor=alice.did)
        assert [entry["post"]["uri"] for entry in likes.json["feed"]] == ["at://a/b/c"]
        assert likes.json["feed"][0]["post"]["author"]["displayName"] == "Alice"

    in_pod(story, appview=APPVIEW)


def test_new_replies_stand_in_the_thread_below_what_they_answer():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        root = await pod.write_post(alice, "root")
        rev = await rev_of(pod, alice)
        ref = {"uri": root["uri"], "cid": root["cid"]}
        child = await pod.write_post(alice, "child", reply={"root": ref, "parent": ref})
        under = {"root": ref, "parent": {"uri": child["uri"], "cid": child["cid"]}}
        grand = await pod.write_post(alice, "grandchild", reply=under)
        thread = {"$type": BOX, "post": item(root["uri"], alice.did)["post"], "replies": []}
        answers(pod, {"thread": thread}, rev)
        shown = (await pod.get(THREAD, alice.access, uri=root["uri"])).json["thread"]
        assert shown["replies"][0]["post"]["uri"] == child["uri"]
        assert shown["replies"][0]["replies"][0]["post"]["uri"] == grand["uri"]

    in_pod(story, appview=APPVIEW)


def test_a_post_that_the_appview_does_not_know_yet_is_shown_from_here():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        await pod.write_post(alice, "seen")
        rev = await rev_of(pod, alice)
        made = await pod.write_post(alice, "brand new")
        answers(pod, {"error": "NotFound", "message": "Post not found"}, rev, status=400)
        reply = await pod.get(THREAD, alice.access, uri=made["uri"])
        assert reply.status == 200
        assert reply.json["thread"]["post"]["record"]["text"] == "brand new"
        by_handle = made["uri"].replace(alice.did, "alice.test")
        assert (await pod.get(THREAD, alice.access, uri=by_handle)).status == 200
        lost = made["uri"][:-1] + ("2" if made["uri"][-1] != "2" else "3")
        refused = await pod.get(THREAD, alice.access, uri=lost)
        assert (refused.status, refused.error) == (400, "NotFound")

    in_pod(story, appview=APPVIEW)


def test_pictures_links_and_quotes_of_a_new_post_are_shown():
    async def story(pod: Pod):
        alice = await pod.join("alice")
        rev = await rev_of(pod, alice)
        picture = b"\x89PNG\r\n\x1a\n" + b"x" * 40
        blob = (await pod.upload(picture, "image/png", alice.access)).json["blob"]
        images = {"$type": "app.bsky.embed.images", "images": [{"image": blob, "alt": "a"}]}
        quoted = await pod.write_post(alice, "quoted")
        record = {"uri": quoted["uri"], "cid": quoted["cid"]}
        quote = {"$type": "app.bsky.embed.record", "record": record}
        both = {"$type": "app.bsky.embed.recordWithMedia", "record": quote, "media": images}
        link = {"uri": "https://a.example", "title": "t", "description": "d"}
        external = {"$type": "app.bsky.embed.external", "external": link}
        for embed in (images, quote, both, external):
            pod.clock.pass_by(1)
            await pod.write_post(alice, "look", embed=embed)
        answers(pod, {"feed": [], "posts": []}, rev)
        feed = (await timeline(pod, alice)).json["feed"]
        kinds = [entry["post"].get("embed", {}).get("$type") for entry in feed]
        assert kinds == [
            "app.bsky.embed.external#view",
            "app.bsky.embed.recordWithMedia#view",
            "app.bsky.embed.record#view",
            "app.bsky.embed.images#view",
            None,
        ]
        shown = feed[3]["post"]["embed"]["images"][0]
        assert shown["alt"] == "a"
        assert blob["ref"]["$link"] in shown["thumb"]
        assert feed[2]["post"]["embed"]["record"]["notFound"] is True

    in_pod(story, appview=APPVIEW)
