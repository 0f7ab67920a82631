"""Records about people who are in both networks are told natively, and so is their end."""

from __future__ import annotations

from typing import Any

import pytest

from pod.model.ids import Nsid, Rkey
from pod.model.member import Member
from pod.model.resource import record_path
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
    await pod.wing.cross()
    await pod.wing.flush()


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


def test_a_did_that_claims_an_actor_who_does_not_name_it_is_not_believed(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        pod.elsewhere.documents[EVE] = document(bob, "https://pds.test")
        await settle(pod)
        await pod.record(alice, "app.bsky.graph.follow", {"subject": EVE, "createdAt": NOW})
        await settle(pod)
        assert bob.activities == []

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
