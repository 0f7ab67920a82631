"""Follow requests, blocks, mutes and the tray: who reaches a member, and who is told what."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pod.errors import Forbidden, Invalid
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.presence import Presence
from pod.model.resource import ResourcePath
from tests.kit.fediverse import EVERYBODY, FediPod, Peer, fedi_pod
from tests.kit.house import owner

Story = Callable[[FediPod, Member, Peer], Awaitable[None]]
NOW = "2026-11-24T12:00:00.000Z"


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[Story], None]:
    """Run a story with a pod, its member alice, and a peer where bob lives."""

    def run(story: Story) -> None:
        async def whole() -> None:
            async with fedi_pod(tmp_path) as pod:
                await story(pod, await pod.member(), pod.network.add(Peer()))

        asyncio.run(whole())

    return run


async def lock(pod: FediPod, member: Member) -> None:
    await pod.wing.presences.set(owner(member), member, lambda held: replace(held, is_locked=True))


def mention(bob: Peer, alice: Member, number: int = 1) -> dict[str, Any]:
    tag = {"type": "Mention", "href": alice.webid, "name": "@alice"}
    note = bob.note(number, tag=[tag], to=[EVERYBODY, alice.webid])
    return bob.activity("Create", note, number)


def inbox(pod: FediPod, alice: Member, folder: str = "/inbox/") -> list[str]:
    found = pod.store.resources(alice.id, folder, after=None, limit=99)
    return [str(each.subject) for each in found]


def test_a_locked_member_is_asked_and_answers_once(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        await lock(pod, alice)
        assert (await pod.get(alice.webid))[1]["manuallyApprovesFollowers"] is True
        follow = bob.activity("Follow", alice.webid)
        await pod.post(bob, follow)
        await pod.wing.flush()
        assert bob.activities == []
        assert [asked.actor for asked in pod.wing.social.requests(alice)] == [bob.id]
        await pod.wing.social.accept_follower(alice, bob.id)
        await pod.wing.flush()
        (accept,) = bob.activities
        assert (accept["type"], accept["object"]["id"]) == ("Accept", follow["id"])
        assert pod.followers.count(alice.id) == 1
        assert pod.wing.social.requests(alice) == []
        await pod.wing.social.reject_follower(alice, bob.id)
        await pod.wing.flush()
        assert bob.activities[-1]["type"] == "Reject"
        assert pod.followers.count(alice.id) == 0

    tell(story)


def test_a_second_follow_of_a_follower_is_accepted_at_once(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        await pod.post(bob, bob.activity("Follow", alice.webid))
        await lock(pod, alice)
        await pod.post(bob, bob.activity("Follow", alice.webid, 2))
        held = pod.followers.get(alice.id, bob.id)
        assert held is not None
        assert (held.accepted, held.follow_id[-1]) == (True, "2")
        await pod.wing.flush()
        accepts = [each["object"]["id"][-1] for each in bob.activities if each["type"] == "Accept"]
        assert accepts == ["1", "2"]

    tell(story)


def test_who_was_refused_may_be_asked_again(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        first = await pod.wing.social.follow(owner(alice), alice, bob.id)
        await pod.wing.flush()
        told = {"type": "Follow", "id": alice.url(first), "actor": alice.webid, "object": bob.id}
        await pod.post(bob, bob.activity("Reject", told))
        again = await pod.wing.social.follow(owner(alice), alice, bob.id)
        await pod.wing.flush()
        assert again != first
        follows = [each["id"] for each in bob.activities if each["type"] == "Follow"]
        assert follows == [alice.url(first), alice.url(again)]
        await pod.post(bob, bob.activity("Accept", alice.url(again)))
        assert (await pod.get(f"{alice.origin}/following"))[1]["totalItems"] == 1

    tell(story)


def test_a_block_ends_all_in_both_directions_and_is_told_and_taken_back(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        await pod.post(bob, bob.activity("Follow", alice.webid))
        await pod.wing.social.follow(owner(alice), alice, bob.id)
        await pod.wing.flush()
        bob.received.clear()
        path = await pod.wing.shield.block(owner(alice), alice, bob.id)
        await pod.wing.flush()
        told = {each["type"]: each for each in bob.activities}
        assert told.keys() == {"Reject", "Undo", "Block"}
        assert told["Block"] == told["Block"] | {"id": alice.url(path), "object": bob.id}
        assert told["Block"]["to"] == [bob.id]
        assert told["Undo"]["object"]["type"] == "Follow"
        assert pod.followers.count(alice.id) == 0
        await pod.post(bob, bob.activity("Follow", alice.webid, 2))
        await pod.post(bob, mention(bob, alice))
        assert pod.followers.count(alice.id) == 0
        assert inbox(pod, alice) == []
        with pytest.raises(Forbidden):
            await pod.wing.social.follow(owner(alice), alice, bob.id)
        await pod.wing.shield.undo(owner(alice), alice, "block", bob.id)
        await pod.wing.flush()
        assert bob.activities[-1]["type"] == "Undo"
        assert bob.activities[-1]["object"]["id"] == alice.url(path)
        await pod.post(bob, bob.activity("Follow", alice.webid, 3))
        assert pod.followers.count(alice.id) == 1

    tell(story)


def test_a_block_record_of_any_app_reaches_the_blocked_member_and_their_follow_ends(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        carol = await pod.member("carol")
        town = pod.network.add(Peer("town", pod.settings.origin))
        follow = {"subject": alice.did, "createdAt": NOW}
        await pod.record(carol, "app.bsky.graph.follow", follow)
        await pod.wing.flush()
        assert town.activities == []
        assert pod.followers.count(alice.id) == 1
        block = {"subject": carol.did, "createdAt": NOW}
        await pod.record(alice, "app.bsky.graph.block", block)
        await pod.wing.flush()
        told = town.activities[-1]
        assert (told["type"], told["object"], told["to"]) == ("Block", carol.webid, [carol.webid])
        assert pod.followers.count(alice.id) == 0

    tell(story)


def test_being_blocked_ends_all_and_forbids_to_follow_until_it_is_undone(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        await pod.post(bob, bob.activity("Follow", alice.webid))
        await pod.wing.social.follow(owner(alice), alice, bob.id)
        block = bob.activity("Block", alice.webid)
        assert await pod.post(bob, block) == 202
        assert pod.followers.count(alice.id) == 0
        assert pod.wing.shield.listed(alice, "follow") == []
        with pytest.raises(Forbidden):
            await pod.wing.social.follow(owner(alice), alice, bob.id)
        await pod.post(bob, bob.activity("Undo", block))
        await pod.wing.social.follow(owner(alice), alice, bob.id)

    tell(story)


@pytest.mark.parametrize("hides", [True, False])
def test_the_muted_are_not_heard_and_never_told(tell: Callable[[Story], None], hides: bool) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        shield = pod.wing.shield
        await shield.mute(owner(alice), alice, bob.id, hide_notifications=hides)
        await pod.wing.flush()
        assert bob.received == []
        await pod.post(bob, mention(bob, alice))
        assert len(inbox(pod, alice)) == (0 if hides else 1)
        await shield.undo(owner(alice), alice, "ignore", bob.id)
        await pod.post(bob, mention(bob, alice, 2))
        assert len(inbox(pod, alice)) == (1 if hides else 2)

    tell(story)


def test_a_mute_with_an_end_is_over_by_itself_and_leaves_nothing(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        shield, wing = pod.wing.shield, pod.wing
        until = pod.clock.now() + timedelta(hours=1)
        await shield.mute(owner(alice), alice, bob.id, hide_notifications=True, until=until)
        mute = shield.mute_of(alice, bob.id)
        assert (mute.hides_notifications, mute.until) == (True, until) if mute else False
        await pod.post(bob, mention(bob, alice))
        assert inbox(pod, alice) == []
        pod.clock.pass_by(3600)
        assert shield.mute_of(alice, bob.id) is None
        assert shield.listed(alice, "ignore") == []
        assert wing.lists.export(alice, "mutes") == "Account address,Hide notifications,Until\n"
        await pod.post(bob, mention(bob, alice, 2))
        assert len(inbox(pod, alice)) == 1
        assert len(inbox(pod, alice, "/data/social/ignore/")) == 1
        await wing.tidy()
        assert inbox(pod, alice, "/data/social/ignore/") == []
        with pytest.raises(Invalid):
            await shield.mute(owner(alice), alice, bob.id, until=pod.clock.now())
        await shield.mute(owner(alice), alice, bob.id)
        pod.clock.pass_by(10 * 365 * 86_400)
        await wing.tidy()
        assert shield.listed(alice, "ignore") == [bob.id]

    tell(story)


def test_a_member_blocks_a_whole_server_and_what_is_below_it(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        sub = pod.network.add(Peer("sue", "http://sub.peer.test"))
        for peer in (bob, sub):
            await pod.post(peer, peer.activity("Follow", alice.webid))
        await pod.wing.social.follow(owner(alice), alice, bob.id)
        await pod.wing.shield.block_domain(owner(alice), alice, " Peer.TEST ")
        assert pod.wing.shield.domains(alice) == ["peer.test"]
        assert pod.followers.count(alice.id) == 0
        assert pod.wing.shield.listed(alice, "follow") == []
        for peer in (bob, sub):
            await pod.post(peer, mention(peer, alice))
        assert inbox(pod, alice) == []
        await pod.wing.flush()
        assert "Block" not in [each["type"] for each in bob.activities + sub.activities]
        await pod.wing.shield.undo(owner(alice), alice, "domain", "peer.test")
        await pod.post(sub, mention(sub, alice, 2))
        assert len(inbox(pod, alice)) == 1

    tell(story)


def test_strangers_wait_in_the_tray_and_friends_do_not(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        shield, note = pod.wing.shield, await pod.note(alice)
        friend = pod.network.add(Peer("fred", "http://friend.test"))
        await pod.post(friend, friend.activity("Follow", alice.webid))
        await shield.set_tray(owner(alice), alice, wanted=True)
        await pod.post(bob, bob.activity("Follow", alice.webid))
        assert [asked.actor for asked in pod.wing.social.requests(alice)] == [bob.id]
        reply = bob.note(1, inReplyTo=alice.url(note.path))
        await pod.post(bob, bob.activity("Create", reply))
        await pod.post(friend, mention(friend, alice))
        assert [held.subject for held in shield.tray(alice)] == [reply["id"]]
        replies = f"{alice.url(note.path)}?c=replies"
        assert (await pod.get(replies))[1]["totalItems"] == 0
        (held,) = shield.tray(alice)
        await shield.release(owner(alice), alice, held.path)
        assert shield.tray(alice) == []
        assert set(inbox(pod, alice)) == {reply["id"], f"{friend.origin}/notes/1"}
        assert (await pod.get(replies))[1]["totalItems"] == 1

    tell(story)


def test_what_is_dismissed_is_gone(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        await pod.wing.shield.set_tray(owner(alice), alice, wanted=True)
        await pod.post(bob, mention(bob, alice))
        (held,) = pod.wing.shield.tray(alice)
        await pod.wing.shield.dismiss(owner(alice), alice, held.path)
        assert inbox(pod, alice) == []
        assert pod.store.database.read.execute("SELECT * FROM edge").fetchall() == []

    tell(story)


def test_no_document_of_the_member_breaks_the_inbox(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        from pod.write import PutDocument

        for path in ("/data/social/settings", "/data/social/ignore/x", "/data/social/block/y"):
            put = PutDocument(ResourcePath(path), "application/json", b"{oh", subject=bob.id)
            await pod.write.apply(owner(alice), alice.id, [put])
        assert await pod.post(bob, mention(bob, alice)) == 202

    tell(story)


def test_a_presence_reads_back(tell: Callable[[Story], None]) -> None:
    wanted = Presence(
        is_locked=True,
        is_discoverable=False,
        is_indexable=False,
        fields=(("Blog", "https://blog.example/"), ("Pets", "two <cats> & a dog")),
        aliases=(Iri("https://old.example/users/a"),),
        featured_tags=("bread", "Ähre"),
    )

    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        await pod.post(bob, bob.activity("Follow", alice.webid))
        await pod.wing.flush()
        await pod.wing.presences.set(owner(alice), alice, lambda _: wanted)
        assert pod.wing.presences.get(alice) == wanted
        _, actor = await pod.get(alice.webid)
        fields = {part["name"]: part["value"] for part in actor["attachment"]}
        assert 'rel="me nofollow noopener"' in fields["Blog"]
        assert fields["Pets"] == "two &lt;cats&gt; &amp; a dog"
        assert wanted.aliases[0] in actor["alsoKnownAs"]
        assert (actor["discoverable"], actor["indexable"]) == (False, False)
        _, tags = await pod.get(actor["featuredTags"])
        assert [tag["name"] for tag in tags["items"]] == ["#bread", "#Ähre"]
        await pod.wing.flush()
        assert bob.activities[-1]["type"] == "Update"
        assert bob.activities[-1]["object"]["manuallyApprovesFollowers"] is True
        await pod.wing.presences.set(owner(alice), alice, lambda _: Presence())
        assert pod.wing.presences.get(alice) == Presence()

    tell(story)


def test_nothing_of_an_actor_who_is_gone_is_kept(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test"))
        note = await pod.note(alice)
        for peer in (bob, eve):
            await pod.post(peer, peer.activity("Follow", alice.webid))
            await pod.post(peer, mention(peer, alice))
            await pod.post(peer, peer.activity("Like", alice.url(note.path)))
        path = await pod.wing.social.follow(owner(alice), alice, bob.id)
        await pod.post(bob, bob.activity("Accept", alice.url(path)))
        assert await pod.post(bob, bob.activity("Delete", bob.id)) == 202
        assert inbox(pod, alice) == [f"{eve.origin}/notes/1"]
        assert [each.actor for each in pod.followers.page(alice.id, after="", limit=9)] == [eve.id]
        assert pod.wing.shield.listed(alice, "follow") == []
        rows = pod.store.database.read.execute("SELECT DISTINCT actor FROM edge").fetchall()
        assert rows == [(eve.id,)]

    tell(story)
