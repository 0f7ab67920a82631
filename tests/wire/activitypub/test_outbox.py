"""What a member's own client says about them, and against others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from pod.model.member import Member
from tests.kit.fediverse import KEYS, FediPod, Peer
from tests.wire.activitypub.conftest import Story, Tell


def test_a_client_edits_the_actor(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        field = {"type": "PropertyValue", "name": "Pronouns", "value": "she/her"}
        _, before = await pod.get(alice.webid)
        edited = {
            "type": "Person",
            "id": alice.webid,
            "name": "Alice L.",
            "summary": "<p>Baker</p>",
            "manuallyApprovesFollowers": True,
            "attachment": [*before["attachment"], field],
        }
        assert await pod.say(alice, {"type": "Update", "object": edited}) == (201, alice.webid)
        _, actor = await pod.get(alice.webid)
        assert {key: actor[key] for key in edited} == edited
        assert actor["inbox"] == before["inbox"]
        await pod.wing.flush()
        assert bob.activities[-1]["object"]["name"] == "Alice L."
        refused = {**edited, "inbox": "https://elsewhere.example/inbox"}
        status, _ = await pod.say(alice, {"type": "Update", "object": refused})
        assert status == 409
        assert (await pod.get(alice.webid))[1] == actor

    tell(story)


def test_a_client_blocks_mutes_and_undoes_both(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        for kind, act in (("Block", "block"), ("Ignore", "ignore")):
            status, made = await pod.say(alice, {"type": kind, "object": bob.id})
            assert status == 201
            assert pod.wing.shield.listed(alice, act) == [bob.id]  # type: ignore[arg-type]
            await pod.wing.flush()
            assert (await pod.say(alice, {"type": "Undo", "object": made}))[0] == 201
            assert pod.wing.shield.listed(alice, act) == []  # type: ignore[arg-type]
        await pod.wing.flush()
        assert [each["type"] for each in bob.activities] == ["Reject", "Block", "Undo"]

    tell(story)


def test_a_client_mutes_until_a_time_that_is_not_past(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        mute = {"type": "Ignore", "object": bob.id, "hideNotifications": False}
        for end in ("soon", "2026-11-24T11:00:00Z"):
            assert (await pod.say(alice, {**mute, "endTime": end}))[0] == 400
        assert pod.wing.shield.listed(alice, "ignore") == []
        assert (await pod.say(alice, {**mute, "endTime": "2027-01-01T00:00:00Z"}))[0] == 201
        held = pod.wing.shield.mute_of(alice, bob.id)
        assert held is not None
        assert (held.hides_notifications, held.until) == (False, datetime(2027, 1, 1, tzinfo=UTC))

    tell(story)


def test_a_client_reports_to_the_administrator_and_the_peer_without_a_name(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        post = f"{bob.origin}/notes/1"
        flag = {"type": "Flag", "object": [bob.id, post], "content": "spam"}
        assert (await pod.say(alice, flag))[0] == 201
        (report,) = pod.wing.administration.reports()
        assert (report.reporter, report.subjects) == (alice.webid, (bob.id, post))
        await pod.wing.flush()
        (told,) = bob.activities
        assert (told["type"], told["object"], told["content"]) == ("Flag", [bob.id, post], "spam")
        server = f"{pod.settings.origin}/actor"
        assert told["actor"] == server
        headers = dict(bob.received[0].headers)
        assert f'keyId="{server}#main-key"' in headers["Signature"]
        assert alice.webid not in bob.received[0].body.decode()
        other = {"type": "Flag", "object": [bob.id, "http://other.test/notes/1"]}
        assert (await pod.say(alice, other))[0] == 400

    tell(story)


def test_nobody_blocks_or_moves_in_somebody_elses_name(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        carol = await pod.member("carol")
        block = {"type": "Block", "object": bob.id}
        assert (await pod.say(alice, block, token=str(carol.id)))[0] == 403
        move = {"type": "Move", "object": bob.id, "target": carol.webid}
        assert (await pod.say(alice, move))[0] == 400

    tell(story)


def test_what_was_sent_can_be_read_under_its_id_by_whom_it_was_for(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        note = bob.note()
        bob.documents[note["id"]] = note
        _, boost = await pod.say(alice, {"type": "Announce", "object": note["id"]})
        _, like = await pod.say(alice, {"type": "Like", "object": note["id"]})
        _, mute = await pod.say(alice, {"type": "Ignore", "object": bob.id})
        status, shown = await pod.get(boost)
        assert (status, shown["type"], shown["object"]) == (200, "Announce", note["id"])
        status, shown = await pod.signed_get(bob, like)
        assert (status, shown["type"]) == (200, "Like")
        assert (await pod.get(like))[0] == (await pod.signed_get(eve, like))[0] == 404
        assert (await pod.signed_get(bob, mute))[0] == 404
        await pod.say(alice, {"type": "Undo", "object": boost})
        await pod.say(alice, {"type": "Undo", "object": like})
        status, shown = await pod.get(boost)
        assert (status, shown["type"], shown["formerType"]) == (410, "Tombstone", "Announce")
        assert (await pod.signed_get(bob, like))[0] == 410
        assert (await pod.get(like))[0] == 404

    tell(story)
