"""Lists that members take from server to server: they come back as they went, or replace."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from adapters.activitypub import bookmarks, people_lists
from adapters.activitypub.wishes import USUAL, Wish, wish_of
from pod.errors import Invalid
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.moderation import ListKind
from tests.kit.fediverse import FediPod, Peer
from tests.kit.house import owner
from tests.wire.activitypub.conftest import Story

FOLLOWING = "Account address,Show boosts,Notify on new posts,Languages\n"


def fingered(pod: FediPod, *names: str) -> list[Peer]:
    """People of one server whom WebFinger finds."""
    found = []
    for name in names:
        peer = pod.network.peers.get("http://peer.test") or pod.network.add(Peer(name))
        actor = Peer(name)
        peer.documents[actor.id] = actor.actor()
        link = {"rel": "self", "type": "application/activity+json", "href": actor.id}
        finger = f"http://peer.test/.well-known/webfinger?resource=acct:{name}@peer.test"
        peer.documents[finger] = {"subject": f"acct:{name}@peer.test", "links": [link]}
        found.append(actor)
    return found


async def take(pod: FediPod, alice: Member, kind: ListKind, text: str, *, replaces: bool) -> None:
    await pod.wing.lists.begin(alice, kind, text, replaces=replaces)
    while await pod.wing.lists.step():
        pass


def test_what_is_wanted_of_those_who_are_followed_comes_along(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        bob, sue, _ = fingered(pod, "bob", "sue", "tom")
        text = (
            FOLLOWING
            + 'bob@peer.test,false,true,"de, en"\nsue@peer.test,true,,\ntom@peer.test,,,??\n'
        )
        await take(pod, alice, "following", text, replaces=False)
        wishes = [wish_of(pod.wing._wing, alice, each.id) for each in (bob, sue)]
        assert wishes == [Wish(False, True, ("de", "en")), USUAL]
        assert pod.wing.lists.export(alice, "following") == (
            FOLLOWING + 'bob@peer.test,false,true,"de, en"\nsue@peer.test,true,false,\n'
        )
        (state,) = pod.wing.lists.states(alice)
        assert [row.target for row in state.failed] == ["tom@peer.test"]
        await pod.wing.acts.unfollow(owner(alice), alice, bob.id)
        await pod.wing.acts.follow(owner(alice), alice, bob.id)
        assert wish_of(pod.wing._wing, alice, bob.id) == USUAL
        assert pod.wing.shield.listed(alice, "follow") == [sue.id, bob.id]

    tell(story)


@pytest.mark.parametrize("kind", ["following", "blocks", "mutes"])
@pytest.mark.parametrize("replaces", [False, True])
def test_a_list_is_added_to_what_is_there_or_replaces_it(
    tell: Callable[[Story], None], kind: ListKind, replaces: bool
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        bob, sue, tom = fingered(pod, "bob", "sue", "tom")
        for peer in (bob, sue):
            await take(pod, alice, kind, f"{peer.name}@peer.test\n", replaces=False)
        await take(pod, alice, kind, "sue@Peer.test\ntom@peer.test\nno@peer.test\n",
                   replaces=replaces)  # fmt: skip
        act = {"following": "follow", "blocks": "block", "mutes": "ignore"}[kind]
        there = {bob.id, sue.id, tom.id}
        if replaces:
            there = {sue.id, tom.id}
        assert set(pod.wing.shield.listed(alice, act)) == there  # type: ignore[arg-type]
        (state,) = pod.wing.lists.states(alice)
        assert (state.total, state.waiting, len(state.failed)) == (3, 0, 1)

    tell(story)


def test_who_could_not_be_asked_stays_where_a_list_replaces(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        (bob,) = fingered(pod, "bob")
        await take(pod, alice, "following", "bob@peer.test\n", replaces=False)
        pod.network.peers["http://peer.test"].is_down = True
        await take(pod, alice, "following", "bob@peer.test\n", replaces=True)
        assert pod.wing.shield.listed(alice, "follow") == [bob.id]
        await pod.cache.forget(pod.clock.now().replace(year=2100))
        await take(pod, alice, "following", "bob@peer.test\n", replaces=True)
        assert pod.wing.shield.listed(alice, "follow") == [bob.id]

    tell(story)


def test_domains_and_bookmarks_are_replaced_too(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        for domain in ("bad.test", "worse.test"):
            await pod.wing.shield.block_domain(owner(alice), alice, domain)
        await take(pod, alice, "domains", "#domain\nworse.test\nother.test\n", replaces=True)
        assert pod.wing.shield.domains(alice) == ["other.test", "worse.test"]
        notes = [bob.note(number) for number in range(3)]
        bob.documents |= {note["id"]: note for note in notes}
        ids = [note["id"] for note in notes]
        await take(pod, alice, "bookmarks", "\n".join(ids[:2]), replaces=False)
        assert pod.wing.lists.export(alice, "bookmarks") == f"{ids[0]}\n{ids[1]}\n"
        missing = f"{bob.origin}/notes/nothing"
        await take(pod, alice, "bookmarks", f"#uri\n{ids[2]}\n{ids[1]}\n{missing}\n", replaces=True)
        held = bookmarks.marked(pod.wing._wing, alice)
        assert set(held) == {Iri(ids[1]), Iri(ids[2])}

    tell(story)


def test_the_end_of_a_mute_comes_along(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        (bob,) = fingered(pod, "bob")
        until = datetime(2027, 1, 1, tzinfo=UTC)
        await pod.wing.shield.mute(
            owner(alice), alice, bob.id, hide_notifications=False, until=until
        )
        text = pod.wing.lists.export(alice, "mutes")
        assert text.splitlines()[1] == "bob@peer.test,false,2027-01-01T00:00:00Z"
        await pod.wing.shield.undo(owner(alice), alice, "ignore", bob.id)
        await take(pod, alice, "mutes", text, replaces=False)
        mute = pod.wing.shield.mute_of(alice, bob.id)
        assert mute is not None
        assert (mute.hides_notifications, mute.until) == (False, until)

    tell(story)


def test_lists_come_back_as_they_went(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        carol, lists, shield = await pod.member("carol"), pod.wing.lists, pod.wing.shield
        finger = "http://peer.test/.well-known/webfinger?resource=acct:bob@peer.test"
        link = {"rel": "self", "type": "application/activity+json", "href": bob.id}
        bob.documents[finger] = {"subject": "acct:bob@peer.test", "links": [link]}
        await pod.wing.social.follow(owner(alice), alice, bob.id)
        await shield.block_domain(owner(alice), alice, "bad.test")
        followed, domains = lists.export(alice, "following"), lists.export(alice, "domains")
        assert followed.splitlines() == [
            "Account address,Show boosts,Notify on new posts,Languages",
            "bob@peer.test,true,false,",
        ]
        assert domains == "bad.test\n"
        assert await lists.begin(carol, "following", followed) == 1
        assert await lists.begin(carol, "domains", "#domain\n" + domains) == 1
        mutes = "Account address,Hide notifications\nbob@peer.test,false\nno@peer.test,true\n"
        assert await lists.begin(carol, "mutes", mutes) == 2
        while await lists.step():
            pass
        assert lists.export(carol, "following") == followed
        assert lists.export(carol, "domains") == domains
        assert lists.export(carol, "mutes").splitlines()[1] == "bob@peer.test,false,"
        states = {state.kind: state for state in lists.states(carol)}
        assert all(state.is_over for state in states.values())
        (failed,) = states["mutes"].failed
        assert (failed.target, failed.told) == ("no@peer.test", "There is no no@peer.test.")
        await shield.block(owner(alice), alice, bob.id)
        assert lists.export(alice, "blocks") == "bob@peer.test\n"

    tell(story)


def test_a_list_goes_on_after_a_restart_where_it_was(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        text = "".join(f"d{number}.test\n" for number in range(5))
        await pod.wing.lists.begin(alice, "domains", text)
        for _ in range(2):
            await pod.wing.lists.step()
        again = FediPod(pod.store)
        (state,) = again.wing.lists.states(alice)
        assert (state.total, state.waiting) == (5, 3)
        while await again.wing.lists.step():
            pass
        assert len(pod.wing.shield.domains(alice)) == 5

    tell(story)


@pytest.mark.parametrize("text", ["", "\n\n", "not an address\n", "a@b@c\n", "@x\n"])
def test_a_bad_list_is_refused_and_changes_nothing(
    tell: Callable[[Story], None], text: str
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        await pod.wing.lists.begin(alice, "blocks", "bob@peer.test\n")
        with pytest.raises(Invalid):
            await pod.wing.lists.begin(alice, "blocks", text)
        (state,) = pod.wing.lists.states(alice)
        assert state.total == 1

    tell(story)


@pytest.mark.parametrize("replaces", [False, True])
def test_lists_of_people_come_along(tell: Callable[[Story], None], replaces: bool) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        bob, sue, tom = fingered(pod, "bob", "sue", "tom")
        text = "friends,bob@peer.test\nfriends,sue@peer.test\nwork,bob@peer.test\n"
        await take(pod, alice, "lists", f"List name,Account address\n{text}", replaces=False)
        assert pod.wing.lists.export(alice, "lists") == text
        assert pod.wing.shield.listed(alice, "follow") == [bob.id, sue.id]
        text = f"friends,tom@peer.test\nfriends,sue@peer.test\nnew,{alice.acct}\n"
        await take(pod, alice, "lists", text, replaces=replaces)
        places = set(people_lists.entries(pod.wing._wing, alice))
        stay = {("friends", sue.id), ("friends", tom.id), ("new", alice.webid)}
        gone = {("friends", bob.id), ("work", bob.id)}
        assert places == (stay if replaces else stay | gone)
        assert bob.id in pod.wing.shield.listed(alice, "follow")
        await take(pod, alice, "lists", f"{'x' * 257},bob@peer.test\n", replaces=False)
        state = next(each for each in pod.wing.lists.states(alice) if each.kind == "lists")
        assert [row.told for row in state.failed] == ["A list has a title of up to 256 characters."]

    tell(story)


def test_twenty_thousand_lines_are_compared_at_once(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        for number in range(300):
            await pod.wing.shield.block_domain(owner(alice), alice, f"d{number}.test")
        text = "".join(f"d{number}.test\n" for number in range(100, 20_100))
        assert await pod.wing.lists.begin(alice, "domains", text, replaces=True) == 20_000
        rows = pod.wing.lists._imports.rows(alice.id, "domains")
        await pod.wing.lists._take(rows[-1])
        assert len(pod.wing.shield.domains(alice)) == 200

    tell(story)
