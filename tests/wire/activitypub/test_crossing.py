"""Records about people who are in both networks are told natively, and so is their end."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.activitypub import moderation
from adapters.activitypub.mastodon import library
from pod.access.agent import SYSTEM
from pod.model.ids import Nsid, Rkey
from pod.model.member import Member, Standing
from pod.model.resource import ResourcePath, record_path
from pod.records.cid import cid_text, record_cid
from pod.write import Delete
from tests.kit.fediverse import FediPod, Peer
from tests.kit.house import owner
from tests.wire.activitypub.conftest import Tell

EVE = "did:plc:z72i7hdynmk6r22z27h6tvur"
URI = f"at://{EVE}/app.bsky.feed.post/3mtcccccccc2c"
NOW = "2026-11-24T12:00:00.000Z"


def document(bob: Peer, pds: str) -> dict[str, Any]:
    service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": pds}
    return {"id": EVE, "alsoKnownAs": ["at://eve.test", bob.id], "service": [service]}


def known_in_both(pod: FediPod, bob: Peer, how: str) -> dict[str, Any]:
    """A note of bob, who is EVE on the other network by a bridge or by links in both directions."""
    note = bob.note()
    if how == "bridge":
        pod.elsewhere.documents[EVE] = document(bob, "https://atproto.brid.gy")
        pod.elsewhere.records[URI] = {"bridgyOriginalUrl": note["id"]}
    else:
        pod.elsewhere.documents[EVE] = document(bob, "https://pods.test")
        note["id"] = f"{bob.origin}/repo/app.bsky.feed.post/3mtcccccccc2c"
        bob.documents[bob.id] = bob.actor() | {"alsoKnownAs": [EVE]}
    bob.documents[note["id"]] = note
    return note


async def settle(pod: FediPod) -> None:
    """What was found out may change a post, and that is told, too."""
    for _ in range(2):
        await pod.wing.flush()


async def about_eve(
    pod: FediPod, alice: Member, kind: str, shape: str = "record", uri: str = URI
) -> ResourcePath:
    """Have an app of the other network write a record about EVE or her post."""
    ref: Any = {"uri": uri, "cid": cid_text(record_cid(b""))}
    collection, record = {
        "follow": ("app.bsky.graph.follow", {"subject": EVE}),
        "repost": ("app.bsky.feed.repost", {"subject": ref}),
        "answer": ("app.bsky.feed.post", {"text": "Yes", "reply": {"root": ref, "parent": ref}}),
        "quote": ("app.bsky.feed.post", {"text": "See", "embed": embed(ref, shape)}),
    }[kind]
    given = {"createdAt": NOW, **record}
    await pod.record(alice, collection, given, rkey="3mtdddddddd2d", action="put")
    return record_path(Nsid(collection), Rkey("3mtdddddddd2d"))


def embed(ref: Any, shape: str) -> dict[str, Any]:
    quote = {"$type": "app.bsky.embed.record", "record": ref}
    if shape == "record":
        return quote
    card = {"uri": "https://see.test/", "title": "See", "description": ""}
    media = {"$type": "app.bsky.embed.external", "external": card}
    return {"$type": "app.bsky.embed.recordWithMedia", "record": quote, "media": media}


@pytest.mark.parametrize("how", ["bridge", "link"])
@pytest.mark.parametrize("kind", ["like", "repost", "follow"])
def test_it_goes_out_natively_and_is_undone(tell: Tell, how: str, kind: str) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        note = known_in_both(pod, bob, how)
        await settle(pod)
        subject: Any = {"uri": URI, "cid": cid_text(record_cid(b""))}
        collection = f"app.bsky.{'graph' if kind == 'follow' else 'feed'}.{kind}"
        record = {"subject": EVE if kind == "follow" else subject, "createdAt": NOW}
        await pod.record(alice, collection, record, rkey="3mtdddddddd2d")
        await settle(pod)
        (told,) = bob.activities
        path = record_path(Nsid(collection), Rkey("3mtdddddddd2d"))
        assert told["type"] == {"like": "Like", "repost": "Announce", "follow": "Follow"}[kind]
        assert (told["id"], told["actor"]) == (alice.url(path), alice.webid)
        assert told["object"] == (bob.id if kind == "follow" else note["id"])
        await pod.write.apply(owner(alice), alice.id, [Delete(path)])
        await settle(pod)
        undo = bob.activities[-1]
        assert (undo["type"], undo["object"]["id"]) == ("Undo", told["id"])
        count = len(bob.activities)
        await settle(pod)
        assert len(bob.activities) == count

    tell(story)


@pytest.mark.parametrize("named", ["in full", "by id"])
def test_a_follow_across_is_one_once_it_is_accepted(tell: Tell, named: str) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        known_in_both(pod, bob, "link")
        wing = pod.wing.social._wing
        written = await about_eve(pod, alice, "follow")
        await settle(pod)
        (follow,) = bob.activities
        assert moderation.follows(wing, alice, bob.id)
        assert not library.follows(wing, alice, bob.id)
        about = follow if named == "in full" else follow["id"]
        assert await pod.post(bob, bob.activity("Accept", about)) == 202
        assert library.follows(wing, alice, bob.id)
        assert await pod.post(bob, bob.activity("Reject", about)) == 202
        assert not library.follows(wing, alice, bob.id)
        assert pod.store.resource(alice.id, written) is not None
        assert await pod.post(bob, bob.activity("Accept", about, 2)) == 202
        await pod.write.apply(owner(alice), alice.id, [Delete(written)])
        await settle(pod)
        assert not moderation.follows(wing, alice, bob.id)
        assert not library.follows(wing, alice, bob.id)

    tell(story)


def test_a_did_that_claims_an_actor_who_does_not_name_it_is_not_believed(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        pod.elsewhere.documents[EVE] = document(bob, "https://pds.test")
        await settle(pod)
        await pod.record(alice, "app.bsky.graph.follow", {"subject": EVE, "createdAt": NOW})
        await settle(pod)
        assert bob.activities == []

    tell(story)


@pytest.mark.parametrize(
    "odd",
    [
        {"alsoKnownAs": 7},
        {"alsoKnownAs": [None, 7, "http://[", "x" * 9_000]},
        {"service": 7},
        {"service": [7, {"id": 7}, {"id": "#atproto_pds", "serviceEndpoint": "http://["}]},
        {"service": [{"id": "#atproto_pds", "serviceEndpoint": {"uri": "https://x.test"}}]},
    ],
)
def test_a_did_document_of_any_shape_is_settled(tell: Tell, odd: dict[str, Any]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        pod.elsewhere.documents[EVE] = document(bob, "https://pds.test") | odd
        await about_eve(pod, alice, "follow")
        await settle(pod)
        assert (bob.activities, pod.wing.backlog()) == ([], 0)

    tell(story)


@pytest.mark.parametrize("how", ["bridge", "link"])
def test_an_answer_from_any_client_reaches_whoever_is_answered(tell: Tell, how: str) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        note = known_in_both(pod, bob, how)
        await settle(pod)
        ref: Any = {"uri": URI, "cid": cid_text(record_cid(b""))}
        record = {"text": "I agree", "createdAt": NOW, "reply": {"root": ref, "parent": ref}}
        await pod.record(alice, "app.bsky.feed.post", record, rkey="3mtdddddddd2d")
        await settle(pod)
        path = record_path(Nsid("app.bsky.feed.post"), Rkey("3mtdddddddd2d"))
        told = next(each for each in bob.activities if each["type"] == "Create")
        answer = told["object"]
        assert (answer["id"], answer["inReplyTo"]) == (alice.url(path), note["id"])
        assert bob.id in answer["cc"]
        assert bob.id in [tag["href"] for tag in answer["tag"]]
        kept = pod.store.resource(alice.id, path)
        assert kept is not None
        before = kept.cid
        count = len(bob.activities)
        await settle(pod)
        assert len(bob.activities) == count
        assert {each["object"]["id"] for each in bob.activities} == {answer["id"]}
        again = pod.store.resource(alice.id, path)
        assert again is not None
        assert again.cid == before
        await pod.write.apply(owner(alice), alice.id, [Delete(path)])
        await settle(pod)
        assert bob.activities[-1]["type"] == "Delete"

    tell(story)


@pytest.mark.parametrize("who", ["the other network", "the peer"])
@pytest.mark.parametrize("kind", ["follow", "answer", "quote"])
def test_who_cannot_be_asked_at_the_moment_is_told_later(tell: Tell, who: str, kind: str) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        note = known_in_both(pod, bob, "link")
        away: Any = pod.elsewhere if who == "the other network" else bob
        away.is_down = True
        written = await about_eve(pod, alice, kind)
        await settle(pod)
        assert note["id"] not in str(bob.activities)
        assert pod.wing.backlog() > 0
        bob.received.clear()
        away.is_down = False
        pod.clock.pass_by(60)
        await settle(pod)
        name = {"follow": "Follow", "answer": "Create", "quote": "QuoteRequest"}[kind]
        (told,) = [each for each in bob.activities if each["type"] == name and bob.id in str(each)]
        assert (note["id"] in str(told)) is (kind != "follow")
        assert bob.activities[-1]["type"] == {"follow": "Follow"}.get(kind, "Update")
        await pod.write.apply(owner(alice), alice.id, [Delete(written)])
        await settle(pod)
        assert bob.activities[-1]["type"] == ("Undo" if kind == "follow" else "Delete")
        assert pod.wing.backlog() == 0

    tell(story)


def test_who_can_never_be_asked_is_given_up_and_holds_nobody_up(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        pod.elsewhere.is_down = True
        await about_eve(pod, alice, "follow")
        for _ in range(12):
            await pod.note(alice)
            await settle(pod)
            assert [each["type"] for each in bob.activities] == ["Create"]
            bob.received.clear()
            pod.clock.pass_by(86_400)
        await settle(pod)
        assert pod.wing.backlog() == 0

    tell(story)


def test_a_post_whose_first_look_came_to_nothing_is_told_of_later(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        carol = pod.network.add(Peer("carol", "http://carol.test"))
        await pod.post(carol, carol.activity("Follow", alice.webid))
        await settle(pod)
        carol.received.clear()
        note = known_in_both(pod, bob, "link")
        await about_eve(pod, alice, "answer")
        await pod.wing._reactor.catch_up()
        await pod.accounts.set_standing(SYSTEM, alice.id, Standing.DEACTIVATED)
        await settle(pod)
        assert bob.activities == []
        await pod.accounts.set_standing(SYSTEM, alice.id, Standing.ACTIVE)
        pod.clock.pass_by(60)
        await settle(pod)
        for peer in (bob, carol):
            (told,) = [each for each in peer.activities if each["type"] == "Create"]
            assert told["object"]["inReplyTo"] == note["id"]

    tell(story)


def test_what_was_taken_back_before_it_could_be_told_is_not_told(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        known_in_both(pod, bob, "link")
        pod.elsewhere.is_down = True
        written = await about_eve(pod, alice, "follow")
        await settle(pod)
        await pod.write.apply(owner(alice), alice.id, [Delete(written)])
        pod.elsewhere.is_down = False
        pod.clock.pass_by(60)
        await settle(pod)
        assert bob.activities == []
        assert pod.wing.backlog() == 0

    tell(story)


def test_what_is_written_anew_under_its_old_key_is_told_anew(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        known_in_both(pod, bob, "link")
        written = await about_eve(pod, alice, "follow")
        await settle(pod)
        await pod.write.apply(owner(alice), alice.id, [Delete(written)])
        await about_eve(pod, alice, "follow")
        await settle(pod)
        follow, undo, again = bob.activities
        assert [undo["type"], again["type"]] == ["Undo", "Follow"]
        assert undo["object"]["id"] == follow["id"] != again["id"]

    tell(story)


def test_followers_see_a_repost_of_somebody_of_both_networks_and_its_end(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        carol = pod.network.add(Peer("carol", "http://carol.test"))
        await pod.post(carol, carol.activity("Follow", alice.webid))
        await settle(pod)
        carol.received.clear()
        note = known_in_both(pod, bob, "bridge")
        written = await about_eve(pod, alice, "repost")
        await settle(pod)
        await pod.write.apply(owner(alice), alice.id, [Delete(written)])
        await settle(pod)
        for peer in (bob, carol):
            announce, undo = peer.activities
            assert (announce["type"], announce["object"]) == ("Announce", note["id"])
            assert (undo["type"], undo["object"]["id"]) == ("Undo", announce["id"])

    tell(story)


@pytest.mark.parametrize("how", ["bridge", "link"])
@pytest.mark.parametrize("shape", ["record", "recordWithMedia"])
def test_a_quote_from_any_client_quotes_what_is_quoted_natively(
    tell: Tell, how: str, shape: str
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        note = known_in_both(pod, bob, how)
        written = await about_eve(pod, alice, "quote", shape)
        await settle(pod)
        url = alice.url(written)
        shown = (await pod.get(url))[1]
        for name in ("quote", "quoteUrl", "quoteUri", "_misskey_quote"):
            assert shown[name] == note["id"]
        assert note["id"] in [tag["href"] for tag in shown["tag"]]
        assert f"{note['id']}</a></p>" in shown["content"]
        (asked,) = [each for each in bob.activities if each["type"] == "QuoteRequest"]
        assert (asked["actor"], asked["object"]) == (alice.webid, note["id"])
        assert (asked["instrument"]["id"], asked["instrument"]["quote"]) == (url, note["id"])
        stamp = {
            "id": f"{bob.origin}/stamps/1",
            "type": "QuoteAuthorization",
            "attributedTo": bob.id,
            "interactingObject": url,
            "interactionTarget": note["id"],
        }
        bob.documents[stamp["id"]] = stamp
        assert await pod.post(bob, bob.activity("Accept", asked, result=stamp["id"])) == 202
        assert (await pod.get(url))[1]["quoteAuthorization"] == stamp["id"]
        await settle(pod)
        assert bob.activities[-1]["object"]["quoteAuthorization"] == stamp["id"]
        kept = pod.store.resource(alice.id, written)
        assert kept is not None
        assert kept.body.count(URI.encode()) == 1

    tell(story)


def test_a_post_that_quotes_something_else_after_an_edit_says_so(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        known_in_both(pod, bob, "bridge")
        written = await about_eve(pod, alice, "quote")
        await settle(pod)
        other = bob.note(7)
        bob.documents[other["id"]] = other
        pod.elsewhere.records[URI + "x"] = {"bridgyOriginalUrl": other["id"]}
        await about_eve(pod, alice, "quote", uri=URI + "x")
        await settle(pod)
        assert (await pod.get(alice.url(written)))[1]["quote"] == other["id"]
        wishes = [each["object"] for each in bob.activities if each["type"] == "QuoteRequest"]
        assert wishes[-1] == other["id"]
        record = {"text": "I see", "createdAt": NOW}
        await pod.record(alice, "app.bsky.feed.post", record, rkey="3mtdddddddd2d", action="put")
        await settle(pod)
        assert "quote" not in (await pod.get(alice.url(written)))[1]
        assert "quote" not in bob.activities[-1]["object"]

    tell(story)
