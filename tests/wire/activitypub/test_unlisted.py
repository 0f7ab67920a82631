"""Unlisted posts: public on ATProto, and said to the fediverse as Mastodon says them."""

from __future__ import annotations

from typing import Any

import pytest

from pod.model.member import Member
from pod.model.resource import ResourcePath
from pod.read import record_of
from tests.kit.fediverse import EVERYBODY, FediPod, Peer
from tests.wire.activitypub.conftest import Tell


def unlisted(alice: Member) -> dict[str, list[str]]:
    return {"to": [f"{alice.origin}/followers"], "cc": [EVERYBODY]}


@pytest.mark.parametrize("is_wrapped", [True, False])
@pytest.mark.parametrize("kind", ["Note", "Article"])
def test_it_goes_out_with_everybody_in_cc_and_stays_so(
    tell: Tell, kind: str, *, is_wrapped: bool
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        post = {"type": kind, "name": "Quiet", "content": "<p>quiet</p>"}
        audience = unlisted(alice)
        said: Any = {"type": "Create", "object": post, **audience} if is_wrapped else {}
        status, url = await pod.say(alice, said or {**post, **audience})
        assert status == 201
        await pod.wing.flush()
        held = pod.store.resource(alice.id, ResourcePath(url.removeprefix(alice.origin)))
        assert held is not None
        assert "cc" not in record_of(held)
        edit = {"type": "Update", "object": {"id": url, "type": kind, "content": "<p>still</p>"}}
        assert (await pod.say(alice, edit))[0] == 201
        await pod.wing.flush()
        assert [activity["type"] for activity in bob.activities] == ["Create", "Update"]
        for activity in bob.activities:
            for part in (activity, activity["object"]):
                assert {key: part[key] for key in audience} == audience
        status, shown = await pod.get(url)
        assert (status, shown["content"], shown["cc"]) == (200, "<p>still</p>", [EVERYBODY])
        listed = {"id": url, "type": kind, "to": [EVERYBODY], "cc": audience["to"]}
        assert (await pod.say(alice, {"type": "Update", "object": listed}))[0] == 409

    tell(story)


def test_an_edit_from_atproto_leaves_it_unlisted(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        _, url = await pod.say(
            alice, {"type": "Note", "content": "<p>quiet</p>", **unlisted(alice)}
        )
        rkey = url.rpartition("/")[2]
        record = {"text": "louder", "createdAt": "2026-11-24T12:00:00.000Z"}
        await pod.record(alice, "app.bsky.feed.post", record, rkey=rkey)
        shown = (await pod.get(url))[1]
        assert (shown["content"], shown["cc"]) == ("<p>louder</p>", [EVERYBODY])

    tell(story)


@pytest.mark.parametrize("blind", ["bto", "bcc"])
def test_whom_nobody_may_know_of_is_not_kept_beside_a_post(tell: Tell, blind: str) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        before = pod.store.head_seq()
        note = {"type": "Note", "content": "hi", "to": [EVERYBODY]}
        assert (await pod.say(alice, {**note, blind: [bob.id]}))[0] == 422
        activity = {"type": "Create", "object": note, blind: [bob.id]}
        assert (await pod.say(alice, activity))[0] == 422
        assert pod.store.head_seq() == before

    tell(story)
