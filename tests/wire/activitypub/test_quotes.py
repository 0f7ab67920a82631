"""Quotes: asked for, allowed or refused by the postgate, stamped, and said in every dialect."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote as encoded

import pytest

from pod.model.ids import Rkey
from pod.model.member import Member
from pod.model.resource import record_key
from tests.kit.fediverse import EVERYBODY, FediPod, Peer
from tests.wire.activitypub.conftest import Tell

NOBODY = [{"$type": "app.bsky.feed.postgate#disableRule"}]


async def gate(pod: FediPod, alice: Member, path: Any, kind: str, **rules: Any) -> None:
    rkey = Rkey(record_key(path)[1])
    uri = alice.at_uri(path)
    record = {"post": uri, "createdAt": "2026-11-24T12:00:00Z", **rules}
    await pod.record(alice, f"app.bsky.feed.{kind}", record, rkey=rkey)


def told(peer: Peer, kind: str) -> list[dict[str, Any]]:
    return [activity for activity in peer.activities if activity["type"] == kind]


def request(peer: Peer, url: str, **more: Any) -> dict[str, Any]:
    note = peer.note(5, quote=url)
    return peer.activity("QuoteRequest", url, instrument=note["id"], **more)


def test_who_asks_to_quote_gets_a_stamp_that_can_be_fetched(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        url = alice.url((await pod.note(alice)).path)
        asked = request(bob, url)
        assert await pod.post(bob, asked) == 202
        await pod.wing.flush()
        (accept,) = told(bob, "Accept")
        assert accept["object"]["id"] == asked["id"]
        assert accept["object"]["instrument"] == asked["instrument"]
        status, stamp = await pod.get(accept["result"])
        assert status == 200
        assert stamp["type"] == "QuoteAuthorization"
        assert stamp["id"] == accept["result"]
        assert stamp["attributedTo"] == alice.webid
        assert stamp["interactingObject"] == asked["instrument"]
        assert stamp["interactionTarget"] == url
        other = f"{url}?c=stamp&of={encoded('http://peer.test/notes/6', safe='')}"
        assert (await pod.get(other))[0] == 404

    tell(story)


def test_a_postgate_refuses_quotes_and_says_so(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        post = await pod.note(alice)
        await gate(pod, alice, post.path, "postgate", embeddingRules=NOBODY)
        url = alice.url(post.path)
        policy = (await pod.get(url))[1]["interactionPolicy"]
        assert policy["canQuote"]["automaticApproval"] == [alice.webid]
        await pod.post(bob, request(bob, url))
        await pod.wing.flush()
        (reject,) = told(bob, "Reject")
        assert "result" not in reject

    tell(story)


def test_a_stranger_cannot_ask_for_the_note_of_another(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        url = alice.url((await pod.note(alice)).path)
        asked = request(bob, url) | {"instrument": "http://eve.test/notes/1"}
        assert await pod.post(bob, asked) == 202
        await pod.wing.flush()
        assert [a["type"] for a in bob.activities] == ["Create"]

    tell(story)


def test_a_threadgate_is_told_as_who_may_reply(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        post = await pod.note(alice)
        url = alice.url(post.path)
        assert "canReply" not in (await pod.get(url))[1]["interactionPolicy"]
        await pod.wing.flush()
        bob.received.clear()
        allow = [{"$type": "app.bsky.feed.threadgate#followerRule"}]
        await gate(pod, alice, post.path, "threadgate", allow=allow)
        await pod.wing.flush()
        (update,) = bob.activities
        assert (update["type"], update["object"]["id"]) == ("Update", url)
        who = update["object"]["interactionPolicy"]["canReply"]["automaticApproval"]
        assert who == [alice.webid, f"{alice.origin}/followers"]

    tell(story)


@pytest.mark.parametrize("spelling", ["quote", "quoteUrl", "quoteUri", "_misskey_quote", "tag"])
def test_a_member_quotes_a_post_elsewhere_and_asks_for_it(tell: Tell, spelling: str) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        target = bob.note()
        bob.documents[target["id"]] = target
        link = {"type": "Link", "mediaType": "application/activity+json", "href": target["id"]}
        said: Any = {"tag": [link]} if spelling == "tag" else {spelling: target["id"]}
        status, url = await pod.say(alice, {"type": "Note", "content": "<p>See</p>", **said})
        assert status == 201
        shown = (await pod.get(url))[1]
        for name in ("quote", "quoteUrl", "quoteUri", "_misskey_quote"):
            assert shown[name] == target["id"]
        assert shown["content"].endswith(f"{target['id']}</a></p>")
        assert "quoteAuthorization" not in shown
        await pod.wing.flush()
        (asked,) = told(bob, "QuoteRequest")
        assert (asked["actor"], asked["object"]) == (alice.webid, target["id"])
        assert asked["instrument"]["id"] == url
        assert (await pod.get(asked["id"]))[1]["type"] == "QuoteRequest"

        stamp = {
            "id": f"{bob.origin}/stamps/1",
            "type": "QuoteAuthorization",
            "attributedTo": bob.id,
            "interactingObject": url,
            "interactionTarget": target["id"],
        }
        bob.documents[stamp["id"]] = stamp
        accept = bob.activity("Accept", asked, result=stamp["id"])
        assert await pod.post(bob, accept) == 202
        assert (await pod.get(url))[1]["quoteAuthorization"] == stamp["id"]
        assert await pod.post(bob, bob.activity("Delete", stamp["id"])) == 202
        assert "quoteAuthorization" not in (await pod.get(url))[1]

    tell(story)


def test_a_stamp_for_something_else_is_not_believed(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        target = bob.note()
        bob.documents[target["id"]] = target
        url = (await pod.say(alice, {"type": "Note", "content": "x", "quote": target["id"]}))[1]
        await pod.wing.flush()
        (asked,) = told(bob, "QuoteRequest")
        stamp = {
            "id": f"{bob.origin}/stamps/1",
            "type": "QuoteAuthorization",
            "attributedTo": bob.id,
            "interactingObject": f"{url}x",
            "interactionTarget": target["id"],
        }
        bob.documents[stamp["id"]] = stamp
        await pod.post(bob, bob.activity("Accept", asked, result=stamp["id"]))
        assert "quoteAuthorization" not in (await pod.get(url))[1]

    tell(story)


def test_a_quote_between_members_carries_a_stamp(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        carol = await pod.member("carol")
        theirs = carol.url((await pod.note(carol)).path)
        said = {"type": "Note", "content": "<p>See</p>", "quote": theirs, "to": [EVERYBODY]}
        url = (await pod.say(alice, said))[1]
        shown = (await pod.get(url))[1]
        status, stamp = await pod.get(shown["quoteAuthorization"])
        assert (status, stamp["interactingObject"]) == (200, url)

    tell(story)
