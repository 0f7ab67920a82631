"""Likes, emoji, boosts and pins, in both directions, and how they are counted."""

from __future__ import annotations

from typing import Any

import pytest

from pod.model.member import Member
from pod.read import record_of
from pod.records.cid import cid_text
from tests.kit.fediverse import KEYS, FediPod, Peer
from tests.wire.activitypub.conftest import Tell


@pytest.mark.parametrize(
    ("kind", "more", "likes"),
    [
        ("EmojiReact", {"content": "🎉"}, 0),
        ("Like", {"content": "🎉", "_misskey_reaction": "🎉"}, 1),
        ("Like", {"_misskey_reaction": "🎉"}, 1),
    ],
)
def test_an_emoji_is_counted_and_taken_back(
    tell: Tell, kind: str, more: dict[str, Any], likes: int
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        url = alice.url((await pod.note(alice)).path)
        reaction = bob.activity(kind, url, **more)
        assert await pod.post(bob, reaction) == 202
        shown = (await pod.get(f"{url}?c=reactions"))[1]
        assert shown["items"] == [{"type": "EmojiReact", "content": "🎉", "totalItems": 1}]
        assert (await pod.get(f"{url}?c=likes"))[1]["totalItems"] == likes
        await pod.post(bob, bob.activity("Undo", reaction))
        assert (await pod.get(f"{url}?c=reactions"))[1]["totalItems"] == 0
        assert (await pod.get(f"{url}?c=likes"))[1]["totalItems"] == 0

    tell(story)


def test_a_member_reacts_with_an_emoji_once_each(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        note = bob.note()
        bob.documents[note["id"]] = note
        said = {"type": "EmojiReact", "object": note["id"], "content": "🌻"}
        first = await pod.say(alice, said)
        assert first[0] == 201
        assert await pod.say(alice, said) == first
        assert (await pod.say(alice, {**said, "content": " "}))[0] == 422
        await pod.wing.flush()
        (told,) = bob.activities
        assert (told["type"], told["content"], told["to"]) == ("EmojiReact", "🌻", [bob.id])
        assert (await pod.say(alice, {"type": "Undo", "object": first[1]}))[0] == 201
        await pod.wing.flush()
        assert bob.activities[-1]["type"] == "Undo"
        assert bob.activities[-1]["object"]["id"] == first[1]

    tell(story)


def test_what_members_do_to_each_other_is_a_record(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        carol = await pod.member("carol")
        url = carol.url((await pod.note(carol)).path)
        for kind, about, collection in (
            ("Like", url, "app.bsky.feed.like"),
            ("Announce", url, "app.bsky.feed.repost"),
            ("Follow", carol.webid, "app.bsky.graph.follow"),
        ):
            status, made = await pod.say(alice, {"type": kind, "object": about})
            assert status == 201
            assert made.startswith(f"{alice.origin}/repo/{collection}/")
            assert await pod.say(alice, {"type": kind, "object": about}) == (201, made)
            undo = {"type": "Undo", "object": {"type": kind, "object": about}}
            assert (await pod.say(alice, undo))[0] == 201
            assert (await pod.get(made))[0] == 410
        assert (await pod.say(alice, {"type": "Like", "object": f"{url}x"}))[0] == 404

    tell(story)


def test_the_authors_own_like_and_boost_count(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        post = await pod.note(alice)
        subject = {"uri": alice.at_uri(post.path), "cid": cid_text(post.cid)}
        now = "2026-11-24T12:00:00.000Z"
        for collection in ("app.bsky.feed.like", "app.bsky.feed.repost"):
            await pod.record(alice, collection, {"subject": subject, "createdAt": now})
        url = alice.url(post.path)
        await pod.post(bob, bob.activity("Like", url))
        assert (await pod.get(f"{url}?c=likes"))[1]["totalItems"] == 2
        assert (await pod.get(f"{url}?c=shares"))[1]["totalItems"] == 1

    tell(story)


def test_followers_hear_of_pins_and_of_their_end(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        posts = [await pod.note(alice, text) for text in ("One", "Two")]
        await pod.wing.flush()
        bob.received.clear()
        for number, post in enumerate([*posts, None]):
            profile: dict[str, Any] = {"displayName": f"A{number}"}
            if post is not None:
                uri = alice.at_uri(post.path)
                profile["pinnedPost"] = {"uri": uri, "cid": cid_text(post.cid)}
            await pod.record(alice, "app.bsky.actor.profile", profile, rkey="self")
            await pod.wing.flush()
        told = [(a["type"], a["object"]) for a in bob.activities if a["type"] != "Update"]
        one, two = (alice.url(post.path) for post in posts)
        assert told == [("Add", one), ("Remove", one), ("Add", two), ("Remove", two)]
        target = {a["target"] for a in bob.activities if a["type"] in ("Add", "Remove")}
        assert target == {f"{alice.origin}/featured"}

    tell(story)


def test_many_replies_are_paged_and_a_thread_is_listed_whole(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        url = alice.url((await pod.note(alice)).path)
        for number in range(103):
            reply = bob.note(number, inReplyTo=url)
            await pod.post(bob, bob.activity("Create", reply, number))
        whole = (await pod.get(f"{url}?c=replies"))[1]
        first = whole["first"]
        assert (whole["totalItems"], len(first["items"])) == (103, 100)
        assert first["type"] == "CollectionPage"
        second = (await pod.get(first["next"]))[1]
        assert len(set(first["items"]) | set(second["items"])) == 103
        assert "next" not in second
        assert (await pod.get(f"{url}?c=replies&page=x"))[0] == 400
        context = (await pod.get(url))[1]["context"]
        thread = (await pod.get(context))[1]
        assert (thread["totalItems"], thread["first"]["items"][0]) == (104, url)

    tell(story)


def test_a_follow_of_somebody_whom_the_bridge_shows_is_native(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        did = "did:plc:z72i7hdynmk6r22z27h6tvur"
        actor = f"https://bsky.brid.gy/ap/{did}"
        status, made = await pod.say(alice, {"type": "Follow", "object": actor})
        assert status == 201
        path = alice.path(made)
        assert path is not None
        held = pod.store.resource(alice.id, path)
        assert held is not None
        assert record_of(held)["subject"] == did
        undo = {"type": "Undo", "object": {"type": "Follow", "object": actor}}
        assert (await pod.say(alice, undo))[0] == 201
        assert pod.store.resource(alice.id, path) is None
        text = f'<p><a href="{actor}" class="u-url mention">@eve</a> hi</p>'
        note = (await pod.say(alice, {"type": "Note", "content": text}))[1]
        post = pod.store.resource(alice.id, alice.path(note) or path)
        assert post is not None
        facets: Any = record_of(post)["facets"]
        assert facets[0]["features"][0]["did"] == did

    tell(story)


def test_who_is_named_beside_an_answer_hears_of_its_end(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        await pod.post(bob, bob.activity("Undo", bob.activity("Follow", alice.webid)))
        asked = eve.note()
        eve.documents[asked["id"]] = asked
        answer = {"type": "Note", "content": "<p>Yes</p>", "inReplyTo": asked["id"]}
        url = (await pod.say(alice, answer))[1]
        await pod.wing.flush()
        assert (await pod.say(alice, {"type": "Delete", "object": url}))[0] == 201
        await pod.wing.flush()
        assert [a["type"] for a in eve.activities] == ["Create", "Delete"]

    tell(story)
