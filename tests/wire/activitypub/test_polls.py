"""Polls: members ask and choose, each voter counts once, and nobody learns who chose what."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from pod.model.member import Member
from pod.read import record_of
from tests.kit.fediverse import KEYS, FediPod, Peer
from tests.wire.activitypub.conftest import Tell

SINGLE = {
    "type": "Question",
    "content": "<p>Which one?</p>",
    "oneOf": [{"type": "Note", "name": "Apples"}, {"type": "Note", "name": "Pears"}],
    "endTime": "2026-11-24T13:00:00Z",
}
MANY = {key: value for key, value in SINGLE.items() if key != "oneOf"} | {"anyOf": SINGLE["oneOf"]}


def vote(peer: Peer, url: str, name: str, number: int, to: str) -> dict[str, Any]:
    note = {
        "id": f"{peer.id}#votes/{number}",
        "type": "Note",
        "name": name,
        "attributedTo": peer.id,
        "to": [to],
        "inReplyTo": url,
    }
    return peer.activity("Create", note, number, to=[to])


def totals(view: Any) -> list[int]:
    options = view.get("oneOf") or view["anyOf"]
    return [option["replies"]["totalItems"] for option in options]


def told(peer: Peer, kind: str) -> list[dict[str, Any]]:
    return [activity for activity in peer.activities if activity["type"] == kind]


def test_a_poll_is_a_question_there_and_readable_here(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        status, url = await pod.say(alice, {"type": "Create", "object": SINGLE})
        assert status == 201
        held = pod.store.resource(alice.id, alice.path(url))  # type: ignore[arg-type]
        assert held is not None
        assert record_of(held)["text"] == "Which one?\n\n○ Apples\n○ Pears"
        await pod.wing.flush()
        (create,) = bob.activities
        question = create["object"]
        assert (question["type"], question["content"]) == ("Question", "<p>Which one?</p>")
        assert [option["name"] for option in question["oneOf"]] == ["Apples", "Pears"]
        assert (totals(question), question["votersCount"]) == ([0, 0], 0)
        assert question["endTime"] == SINGLE["endTime"]
        assert "closed" not in question

    tell(story)


@pytest.mark.parametrize(("poll", "counted"), [(SINGLE, [1, 1]), (MANY, [1, 2])])
def test_each_voter_counts_once_and_nobody_is_told_who(
    tell: Tell, poll: dict[str, Any], counted: list[int]
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        url = (await pod.say(alice, poll))[1]
        choices = [(bob, "Pears", 1), (bob, "Pears", 2), (eve, "Apples", 3), (eve, "Pears", 4)]
        for peer, name, number in choices:
            assert await pod.post(peer, vote(peer, url, name, number, alice.webid)) == 202
        assert pod.store.resources(alice.id, "/inbox/", after=None, limit=9) == []
        await pod.wing.count_polls()
        shown = (await pod.get(url))[1]
        assert (totals(shown), shown["votersCount"]) == (counted, 2)
        assert bob.id not in orjson.dumps(shown).decode()
        assert (await pod.get(f"{url}?c=replies"))[1]["totalItems"] == 0
        await pod.wing.flush()
        for peer in (bob, eve):
            (update,) = told(peer, "Update")
            assert totals(update["object"]) == counted
            assert eve.id not in orjson.dumps(update).decode()

    tell(story)


def test_what_is_no_choice_or_too_late_does_not_count(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        url = (await pod.say(alice, SINGLE))[1]
        await pod.post(bob, vote(bob, url, "Plums", 1, alice.webid))
        forged = vote(bob, url, "Pears", 2, alice.webid)
        forged["object"]["attributedTo"] = "http://eve.test/users/eve"
        await pod.post(bob, forged)
        pod.clock.pass_by(7200)
        await pod.post(bob, vote(bob, url, "Pears", 3, alice.webid))
        await pod.wing.count_polls()
        assert totals((await pod.get(url))[1]) == [0, 0]

    tell(story)


def test_results_are_told_from_time_to_time_and_at_the_end(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        url = (await pod.say(alice, SINGLE))[1]
        await pod.post(bob, vote(bob, url, "Pears", 1, alice.webid))
        await pod.wing.count_polls()
        await pod.post(eve, vote(eve, url, "Pears", 2, alice.webid))
        await pod.wing.count_polls()
        assert totals((await pod.get(url))[1]) == [0, 1]
        pod.clock.pass_by(7200)
        await pod.wing.count_polls()
        shown = (await pod.get(url))[1]
        assert (totals(shown), shown["closed"]) == ([0, 2], SINGLE["endTime"])
        await pod.wing.flush()
        assert bob.activities[-1]["object"]["closed"] == SINGLE["endTime"]
        await pod.wing.count_polls()
        assert pod.edges.voted() == []
        assert totals((await pod.get(url))[1]) == [0, 2]

    tell(story)


def question(peer: Peer, **more: Any) -> dict[str, Any]:
    asked = {**peer.note(7), **SINGLE, **more}
    peer.documents[asked["id"]] = asked
    return asked


def test_a_member_votes_and_only_the_author_hears(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        asked = question(bob)
        choice = {"type": "Note", "name": "Pears", "inReplyTo": asked["id"]}
        status, url = await pod.say(alice, {"type": "Create", "object": choice})
        assert status == 201
        await pod.wing.flush()
        (create,) = bob.activities
        assert (create["type"], create["id"], create["to"]) == ("Create", url, [bob.id])
        note = create["object"]
        assert (note["name"], note["inReplyTo"]) == ("Pears", asked["id"])
        assert note["attributedTo"] == alice.webid
        assert "content" not in note
        assert (await pod.say(alice, {"type": "Create", "object": choice}))[0] == 409
        assert (await pod.get(f"{alice.origin}/outbox"))[1]["totalItems"] == 0

    tell(story)


@pytest.mark.parametrize(
    ("more", "name", "status"),
    [
        ({}, "Plums", 422),
        ({"closed": "2026-11-24T11:30:00Z"}, "Pears", 409),
        ({"endTime": "2026-11-24T11:30:00Z"}, "Pears", 409),
    ],
)
def test_a_vote_that_could_not_count_is_refused(
    tell: Tell, more: dict[str, Any], name: str, status: int
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        choice = {"type": "Note", "name": name, "inReplyTo": question(bob, **more)["id"]}
        assert (await pod.say(alice, choice))[0] == status

    tell(story)


@pytest.mark.parametrize(
    "names",
    [["One"], ["Same", "Same"], [f"{number}" for number in range(21)], ["x" * 201, "y"]],
)
def test_a_poll_that_is_none_is_refused(tell: Tell, names: list[str]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        options = [{"type": "Note", "name": name} for name in names]
        head = pod.store.head_seq()
        assert (await pod.say(alice, {**SINGLE, "oneOf": options}))[0] == 422
        assert pod.store.head_seq() == head

    tell(story)


def test_the_choices_of_a_poll_stay_when_its_words_are_edited(tell: Tell) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        url = (await pod.say(alice, SINGLE))[1]
        change = {"id": url, "type": "Question", "content": "<p>Which, then?</p>"}
        assert (await pod.say(alice, {"type": "Update", "object": change}))[0] == 201
        shown = (await pod.get(url))[1]
        assert shown["content"] == "<p>Which, then?</p>"
        assert [option["name"] for option in shown["oneOf"]] == ["Apples", "Pears"]
        other = {"id": url, "oneOf": [{"type": "Note", "name": "x"}, {"type": "Note", "name": "y"}]}
        assert (await pod.say(alice, {"type": "Update", "object": other}))[0] == 409

    tell(story)
