"""What a member's own ActivityPub client posts: notes become records, acts reach the fediverse."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pod.model.member import Member
from pod.model.resource import Annotation, Complement
from pod.read import record_of
from pod.write import Annotate
from tests.kit.fediverse import EVERYBODY, FediPod, Peer, fedi_pod
from tests.kit.house import owner

Story = Callable[[FediPod, Member, Peer], Awaitable[None]]


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[Story], None]:
    """Run a story with a pod, its member alice, and bob, who follows her from a peer."""

    def run(story: Story) -> None:
        async def whole() -> None:
            async with fedi_pod(tmp_path) as pod:
                alice, bob = await pod.member(), pod.network.add(Peer())
                await pod.post(bob, bob.activity("Follow", alice.webid))
                await pod.wing.flush()
                bob.received.clear()
                await story(pod, alice, bob)

        asyncio.run(whole())

    return run


def held(pod: FediPod, member: Member, url: str) -> Any:
    path = member.path(url)
    assert path is not None
    return pod.store.resource(member.id, path)


def test_a_note_becomes_a_post_and_is_delivered(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        note = {"type": "Note", "content": "<p>Hi <b>all</b></p>"}
        create = {"type": "Create", "object": note, "to": [EVERYBODY]}
        status, url = await pod.say(alice, create)
        assert status == 201
        record = record_of(held(pod, alice, url))
        assert (record["$type"], record["text"]) == ("app.bsky.feed.post", "Hi all")
        assert (await pod.get(url))[1]["content"] == "<p>Hi <b>all</b></p>"
        await pod.wing.flush()
        (told,) = bob.activities
        assert (told["type"], told["object"]["content"]) == ("Create", "<p>Hi <b>all</b></p>")

    tell(story)


def test_long_words_are_cut_for_the_record_and_whole_in_the_view(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        content = f"<p>{'word ' * 200}end</p>"
        status, url = await pod.say(alice, {"type": "Note", "content": content})
        assert status == 201
        record = record_of(held(pod, alice, url))
        assert len(record["text"]) <= 300
        assert record["text"].endswith(" […]")
        assert record["facets"][0]["features"][0]["uri"] == url
        assert (await pod.get(url))[1]["content"] == content

    tell(story)


def test_an_update_changes_only_what_it_says(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        post = await pod.note(alice, "Before", **{"x-unknown": 7}, langs=["en"])
        noted = Complement((Annotation("rdf", b"<> <> <> ."),))
        await pod.write.apply(owner(alice), alice.id, [Annotate(post.path, noted)])
        url = alice.url(post.path)
        change = {"id": url, "type": "Note", "content": "<p>After</p>"}
        assert (await pod.say(alice, {"type": "Update", "object": change}))[0] == 201
        after = held(pod, alice, url)
        assert record_of(after)["text"] == "After"
        assert record_of(after)["x-unknown"] == 7
        assert record_of(after)["langs"] == ["en"]
        assert after.complement.annotation("rdf") == b"<> <> <> ."

    tell(story)


def test_writing_a_view_back_unchanged_changes_nothing(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        post = await pod.note(alice, "Same", langs=["en"], tags=["sun"])
        view = (await pod.get(alice.url(post.path)))[1]
        head = pod.store.head_seq()
        assert (await pod.say(alice, {"type": "Update", "object": view}))[0] == 201
        assert pod.store.head_seq() == head

    tell(story)


def test_a_deletion_is_a_deletion(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        url = alice.url((await pod.note(alice)).path)
        assert (await pod.say(alice, {"type": "Delete", "object": url}))[0] == 201
        assert (await pod.get(url))[0] == 410
        assert (await pod.say(alice, {"type": "Delete", "object": url}))[0] == 404

    tell(story)


def test_acts_reach_the_fediverse_and_are_undone(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        note = bob.note()
        bob.documents[note["id"]] = note
        made = [
            await pod.say(alice, {"type": kind, "object": about})
            for kind, about in (("Follow", bob.id), ("Like", note["id"]), ("Announce", note["id"]))
        ]
        assert [status for status, _ in made] == [201] * 3
        await pod.wing.flush()
        assert sorted(a["type"] for a in bob.activities) == ["Announce", "Follow", "Like"]
        for _, activity in made:
            assert (await pod.say(alice, {"type": "Undo", "object": activity}))[0] == 201
        await pod.wing.flush()
        undone = [a["object"]["type"] for a in bob.activities if a["type"] == "Undo"]
        assert sorted(undone) == ["Announce", "Follow", "Like"]

    tell(story)


def test_an_answer_to_the_fediverse_reaches_its_author(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        text = f'<p><a href="{bob.id}" class="u-url mention">@bob@peer.test</a> yes</p>'
        answer = {"type": "Note", "content": text, "inReplyTo": "http://peer.test/notes/1"}
        assert (await pod.say(alice, {"type": "Create", "object": answer}))[0] == 201
        await pod.wing.flush()
        (create,) = bob.activities
        assert create["object"]["inReplyTo"] == "http://peer.test/notes/1"
        assert bob.id in create["cc"]
        assert create["object"]["tag"][0]["href"] == bob.id

    tell(story)


@pytest.mark.parametrize(
    ("activity", "status"),
    [({"type": "Dance", "object": EVERYBODY}, 415), ({"type": "Like"}, 400),
     ({"type": "Create", "object": {"type": "Article"}}, 422), ({}, 400),
     ({"type": "Undo", "object": "http://alice.localhost:2583/data/social/like/x"}, 404),
     ({"type": "Note", "content": "x", "attachment": [{"url": "https://x.example/"}]}, 422),
     ({"type": "Follow", "object": "http://nowhere.test/x"}, 502),
     ({"type": "Delete", "object": "http://peer.test/notes/1"}, 404)],
)  # fmt: skip
def test_what_cannot_be_done_is_refused(
    tell: Callable[[Story], None], activity: Any, status: int
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        before = pod.store.head_seq()
        assert (await pod.say(alice, activity))[0] == status
        assert pod.store.head_seq() == before

    tell(story)


def test_only_the_member_posts_to_their_outbox(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        note = {"type": "Note", "content": "x"}
        carol = await pod.member("carol")
        assert (await pod.say(alice, note, token=str(carol.id)))[0] == 403
        assert (await pod.say(alice, note, token=""))[0] == 401

    tell(story)


@pytest.mark.parametrize("kind", ["Accept", "Reject"])
def test_a_member_who_approves_by_hand_answers_who_asks_to_follow(
    tell: Callable[[Story], None], kind: str
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        notes = Complement((Annotation("as2", b'{"manuallyApprovesFollowers":true}'),))
        profile = {"displayName": "A"}
        await pod.record(alice, "app.bsky.actor.profile", profile, rkey="self", complement=notes)
        carol = pod.network.add(Peer("carol", "http://other.test"))
        follow = carol.activity("Follow", alice.webid)
        await pod.post(carol, follow)
        assert await pod.say(alice, {"type": kind, "object": follow}) == (201, follow["id"])
        await pod.wing.flush()
        answers = [told["object"]["id"] for told in carol.activities if told["type"] == kind]
        assert answers == [follow["id"]]
        assert pod.followers.count(alice.id) == (2 if kind == "Accept" else 1)

    tell(story)


def test_only_a_follow_that_was_asked_for_is_answered(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        stranger = {"type": "Follow", "actor": "https://eve.example/me"}
        assert (await pod.say(alice, {"type": "Accept", "object": stranger}))[0] == 404
        invitation = {"type": "Invite", "actor": bob.id}
        assert (await pod.say(alice, {"type": "Accept", "object": invitation}))[0] == 422
        assert (await pod.say(alice, {"type": "Reject", "object": f"{bob.id}/follow"}))[0] == 415
        assert pod.followers.count(alice.id) == 1

    tell(story)
