"""Moves in both directions: who follows along, who does not, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from pod.errors import Conflict, Forbidden, Throttled
from pod.model.member import Member
from tests.kit.fediverse import FediPod, Peer, fedi_pod
from tests.kit.house import owner

Story = Callable[[FediPod, Member, Peer, Peer], Awaitable[None]]
DAY = 86_400


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[Story], None]:
    """Run a story with a pod, its member alice, a peer where bob lives, and one where he may go."""

    def run(story: Story) -> None:
        async def whole() -> None:
            async with fedi_pod(tmp_path) as pod:
                old = pod.network.add(Peer())
                new = pod.network.add(Peer("robert", "http://new.test"))
                new.documents[new.id] = {**new.actor(), "alsoKnownAs": [old.id]}
                await story(pod, await pod.member(), old, new)

        asyncio.run(whole())

    return run


def move(old: Peer, new: Peer, number: int = 1) -> dict[str, object]:
    return old.activity("Move", old.id, number, target=new.id)


def kinds(peer: Peer) -> list[str]:
    return [each["type"] for each in peer.activities]


def test_a_member_follows_whom_they_follow_to_the_new_account(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, old: Peer, new: Peer) -> None:
        await pod.wing.social.follow(owner(alice), alice, old.id)
        assert await pod.post(old, move(old, new)) == 202
        for _ in range(2):  # the follows are changes of their own
            await pod.wing.flush()
        assert pod.wing.shield.listed(alice, "follow") == [old.id, new.id]
        (follow,) = new.activities
        assert (follow["type"], follow["object"]) == ("Follow", new.id)
        assert kinds(old) == ["Follow"]

    tell(story)


def test_blocks_and_mutes_go_along_and_a_blocked_account_is_not_followed(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, old: Peer, new: Peer) -> None:
        carol, shield = await pod.member("carol"), pod.wing.shield
        await shield.block(owner(alice), alice, old.id)
        await shield.mute(owner(carol), carol, old.id)
        dora = await pod.member("dora")
        await pod.wing.social.follow(owner(dora), dora, old.id)
        await shield.block(owner(dora), dora, new.id)
        assert await pod.post(old, move(old, new)) == 202
        await pod.wing.flush()
        assert shield.listed(alice, "block") == [old.id, new.id]
        assert shield.listed(carol, "ignore") == [old.id, new.id]
        assert shield.listed(dora, "follow") == [old.id]

    tell(story)


def test_a_move_that_the_new_account_does_not_confirm_moves_nobody(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, old: Peer, new: Peer) -> None:
        new.documents[new.id] = new.actor()
        await pod.wing.social.follow(owner(alice), alice, old.id)
        assert await pod.post(old, move(old, new)) == 202
        assert pod.wing.shield.listed(alice, "follow") == [old.id]

    tell(story)


def test_nobody_is_moved_by_somebody_else_or_twice_in_a_week(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, old: Peer, new: Peer) -> None:
        third = pod.network.add(Peer("bert", "http://third.test"))
        third.documents[third.id] = {**third.actor(), "alsoKnownAs": [old.id]}
        await pod.wing.social.follow(owner(alice), alice, old.id)
        await pod.post(third, third.activity("Move", old.id, target=third.id))
        assert pod.wing.shield.listed(alice, "follow") == [old.id]
        await pod.post(old, move(old, new))
        await pod.post(old, move(old, third, 2))
        await pod.wing.flush()
        assert pod.wing.shield.listed(alice, "follow") == [old.id, new.id]

    tell(story)


def test_a_move_is_tried_again_while_the_new_server_is_away(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, old: Peer, new: Peer) -> None:
        await pod.wing.social.follow(owner(alice), alice, old.id)
        new.is_down = True
        assert await pod.post(old, move(old, new)) == 503
        new.is_down = False
        pod.clock.pass_by(60)
        assert await pod.post(old, move(old, new)) == 202
        await pod.wing.flush()
        assert pod.wing.shield.listed(alice, "follow") == [old.id, new.id]

    tell(story)


def test_a_move_that_was_taken_outlives_the_process(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, old: Peer, new: Peer) -> None:
        carol = await pod.member("carol")
        for member in (alice, carol):
            await pod.wing.social.follow(owner(member), member, old.id)
        assert await pod.post(old, move(old, new)) == 202
        later = FediPod(pod.store)
        later.network = pod.network
        await later.wing.flush()
        for member in (alice, carol):
            assert set(later.wing.shield.listed(member, "follow")) == {old.id, new.id}

    tell(story)


def test_a_member_moves_away_with_their_followers(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, old: Peer, new: Peer) -> None:
        bob, presences = old, pod.wing.presences
        await pod.post(bob, bob.activity("Follow", alice.webid))
        await pod.wing.flush()
        bob.received.clear()
        with pytest.raises(Conflict):
            await presences.move(owner(alice), alice, new.id)
        new.documents[new.id] = {**new.actor(), "alsoKnownAs": [alice.webid]}
        assert await presences.move(owner(alice), alice, new.id) == new.id
        await pod.wing.flush()
        told = {each["type"]: each for each in bob.activities}
        assert (told["Move"]["object"], told["Move"]["target"]) == (alice.webid, new.id)
        assert told["Update"]["object"]["movedTo"] == new.id
        _, actor = await pod.get(alice.webid)
        assert actor["movedTo"] == new.id
        with pytest.raises(Forbidden):
            await pod.wing.social.follow(owner(alice), alice, bob.id)
        status, _ = await pod.say(alice, {"type": "Note", "content": "<p>still here</p>"})
        assert status == 403
        await pod.post(bob, bob.activity("Follow", alice.webid, 2))
        await pod.wing.flush()
        assert kinds(bob)[-1] == "Reject"

    tell(story)


def test_after_a_move_one_may_return_and_move_again_in_a_month(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, old: Peer, new: Peer) -> None:
        presences = pod.wing.presences
        new.documents[new.id] = {**new.actor(), "alsoKnownAs": [alice.webid]}
        await presences.move(owner(alice), alice, new.id)
        with pytest.raises(Conflict):
            await presences.move(owner(alice), alice, new.id)
        await presences.come_back(owner(alice), alice)
        assert "movedTo" not in (await pod.get(alice.webid))[1]
        with pytest.raises(Throttled):
            await presences.move(owner(alice), alice, new.id)
        pod.clock.pass_by(31 * DAY)
        await presences.move(owner(alice), alice, new.id)

    tell(story)


def test_followers_in_the_same_pod_follow_along(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, old: Peer, new: Peer) -> None:
        carol = await pod.member("carol")
        town = pod.network.add(Peer("town", pod.settings.origin))
        await pod.wing.social.follow(owner(carol), carol, alice.webid)
        await pod.wing.flush()
        assert kinds(town) == ["Follow"]

    tell(story)
