"""Followers, reactions and the delivery queue in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.peer import Delivery, Edge, Follower, Outgoing
from pod.model.resource import ResourcePath
from storage.delivery_queue import SqlActivityLog, SqlDeliveryQueue
from storage.edges import SqlEdges, SqlSeen
from storage.followers import SqlFollowers
from storage.remote_cache import SqlRemoteCache
from storage.store import SqlStore
from tests.kit.stored import add_member, change, rev_of, sql_store

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
POST = ResourcePath("/repo/app.bsky.feed.post/3mtcccccccc2c")
Story = Callable[[SqlStore, Member], Awaitable[None]]


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[Story], None]:
    """Run a story with a store and a member."""

    def run(story: Story) -> None:
        async def whole() -> None:
            async with sql_store(tmp_path / "pod.db") as store:
                await story(store, await store.write(add_member))

        asyncio.run(whole())

    return run


def follower(name: str, *, accepted: bool = True, shared: str | None = None) -> Follower:
    actor = f"https://{name}.example/u"
    return Follower(
        Iri(actor),
        Iri(f"{actor}/inbox"),
        Iri(shared) if shared else None,
        Iri(f"{actor}#follow"),
        accepted,
        NOW,
    )


def edge(actor: str, kind: str = "like", about: str = "", *, is_public: bool = True) -> Edge:
    activity = Iri(f"{actor}#{kind}{about}")
    return Edge(POST, kind, Iri(actor), about, activity, is_public, NOW)  # type: ignore[arg-type]


def test_only_accepted_followers_count_and_hear(tell: Callable[[Story], None]) -> None:
    async def story(store: SqlStore, alice: Member) -> None:
        followers = SqlFollowers(store.database)
        ann, bob = follower("ann", shared="https://s.example/inbox"), follower("bob")
        eve, dan = follower("eve", accepted=False), follower("dan", shared=ann.shared_inbox)
        for who in (ann, bob, eve, dan):
            await followers.put(alice.id, who, NOW, telling=[])
        assert followers.count(alice.id) == 3
        assert followers.page(alice.id, after="", limit=2) == [ann, bob]
        assert followers.page(alice.id, after=bob.actor, limit=2) == [dan]
        assert followers.waiting(alice.id, limit=9) == [eve]
        assert set(followers.inboxes(alice.id)) == {ann.shared_inbox, bob.inbox}
        await followers.put(alice.id, replace(eve, accepted=True), NOW, telling=[])
        assert followers.get(alice.id, eve.actor) == replace(eve, accepted=True)
        await followers.remove_follow(bob.actor, ann.follow_id)
        assert followers.count(alice.id) == 4
        await followers.remove_follow(bob.actor, bob.follow_id)
        await followers.remove(alice.id, ann.actor, NOW)
        await followers.remove_actor(eve.actor)
        assert followers.page(alice.id, after="", limit=9) == [dan]

    tell(story)


def test_an_actor_likes_a_thing_once(tell: Callable[[Story], None]) -> None:
    async def story(store: SqlStore, alice: Member) -> None:
        edges = SqlEdges(store.database)
        bob, ann = "https://bob.example/u", "https://ann.example/u"
        await edges.put(alice.id, edge(bob))
        await edges.put(alice.id, replace(edge(bob), activity=Iri("https://bob.example/2")))
        await edges.put(alice.id, edge(ann, is_public=False))
        assert edges.count(alice.id, POST, "like") == 1
        assert edges.page(alice.id, POST, "like", limit=9)[0].activity == "https://bob.example/2"
        await edges.remove_activity(Iri(ann), Iri("https://bob.example/2"))
        assert edges.held(alice.id, POST, "like", Iri(bob)) is not None
        await edges.remove_activity(Iri(bob), Iri("https://bob.example/2"))
        assert edges.held(alice.id, POST, "like", Iri(bob)) is None
        assert [edge.actor for _, edge in edges.of_actor(Iri(ann), limit=9)] == [ann]
        assert edges.of_actor(Iri(bob), limit=9) == []

    tell(story)


def test_replies_are_found_by_their_object(tell: Callable[[Story], None]) -> None:
    async def story(store: SqlStore, alice: Member) -> None:
        edges = SqlEdges(store.database)
        bob = Iri("https://bob.example/u")
        first, second = edge(bob, "reply", "https://bob.example/1"), edge(bob, "reply", "x")
        await edges.put(alice.id, first)
        await edges.put(alice.id, second)
        assert edges.about(bob, Iri(first.object)) == [(alice.id, first)]
        await edges.remove_object(bob, Iri(first.object))
        assert edges.page(alice.id, POST, "reply", limit=9) == [second]

    tell(story)


def test_seen_activities_and_cached_actors_are_forgotten_with_time(
    tell: Callable[[Story], None],
) -> None:
    async def story(store: SqlStore, alice: Member) -> None:
        seen, cache = SqlSeen(store.database), SqlRemoteCache(store.database)
        iri = Iri("https://bob.example/u")
        await seen.add(NOW, iri)
        await seen.add(NOW, iri)
        await cache.put(iri, b"old", NOW)
        await cache.put(iri, b"new", NOW)
        assert (seen.has(iri), cache.get(iri)) == (True, (b"new", NOW))
        for keeper in (seen, cache):
            await keeper.forget(NOW)
        assert (seen.has(iri), cache.get(iri)) == (True, (b"new", NOW))
        for keeper in (seen, cache):
            await keeper.forget(NOW + timedelta(seconds=1))
        assert (seen.has(iri), cache.get(iri)) == (False, None)

    tell(story)


def outgoing(member: Member, number: int, *inboxes: str, actors: tuple[str, ...] = ()) -> Outgoing:
    return Outgoing(
        member.id,
        f"https://alice.test/outbox/{number}",
        b"{}",
        tuple(map(Iri, inboxes)),
        tuple(map(Iri, actors)),
    )


def targets(due: list[Delivery]) -> list[str]:
    return [delivery.target for delivery in due]


def test_deliveries_come_due_in_order_once_and_by_host(tell: Callable[[Story], None]) -> None:
    async def story(store: SqlStore, alice: Member) -> None:
        queue = SqlDeliveryQueue(store.database)
        a, b = "https://a.example/inbox", "https://B.example/inbox"
        item = outgoing(alice, 1, a, b, actors=("https://c.example/u",))
        await queue.enqueue([item], NOW, cursor=7)
        await queue.enqueue([item], NOW, cursor=8)
        assert queue.cursor() == 8
        due = queue.due(NOW, limit=9, without=())
        assert targets(due) == [a, b, "https://c.example/u"]
        assert [delivery.is_actor for delivery in due] == [False, False, True]
        assert [delivery.host for delivery in due] == ["a.example", "b.example", "c.example"]
        assert (
            targets(queue.due(NOW, limit=9, without=["b.example", "a.example"])) == targets(due)[2:]
        )
        assert targets(queue.due(NOW, limit=1, without=())) == [a]
        await queue.again(due[0], NOW + timedelta(seconds=15))
        assert targets(queue.due(NOW, limit=9, without=())) == targets(due)[1:]
        assert queue.next_due(NOW) == NOW + timedelta(seconds=15)
        later = queue.due(NOW + timedelta(seconds=15), limit=9, without=())
        assert [delivery.attempt for delivery in later] == [0, 0, 1]
        for delivery in later:
            await queue.done(delivery)
        assert (queue.size(), queue.next_due(NOW)) == (0, None)
        left = store.database.read.execute("SELECT count(*) FROM outgoing").fetchone()
        assert left == (0,)

    tell(story)


def test_what_comes_of_a_delivery_that_is_gone_meets_no_other(
    tell: Callable[[Story], None],
) -> None:
    async def story(store: SqlStore, alice: Member) -> None:
        queue, to = SqlDeliveryQueue(store.database), (Iri("https://a.example/inbox"),)
        await queue.enqueue([Outgoing(alice.id, "urn:old", b"{}", to)], NOW)
        (old,) = queue.due(NOW, limit=9, without=())
        await queue.expire(NOW + timedelta(seconds=1))
        await queue.enqueue([Outgoing(alice.id, "urn:new", b"{}", to)], NOW)
        (new,) = queue.due(NOW, limit=9, without=())
        assert new.id == old.id
        await queue.done(old)
        await queue.again(old, NOW + timedelta(days=1))
        await queue.postpone(old, NOW + timedelta(days=1))
        assert queue.due(NOW, limit=9, without=()) == [new]
        await queue.done(new)
        assert queue.size() == 0

    tell(story)


def test_a_failed_fill_moves_nothing(tell: Callable[[Story], None]) -> None:
    async def story(store: SqlStore, alice: Member) -> None:
        queue = SqlDeliveryQueue(store.database)
        broken = replace(outgoing(alice, 1, "https://a.example/inbox"), body=None)  # type: ignore[arg-type]
        with pytest.raises(Exception, match="NOT NULL"):
            await queue.enqueue([broken], NOW, cursor=7)
        assert (queue.cursor(), queue.size()) == (0, 0)

    tell(story)


def test_the_log_is_read_backwards_and_by_revision(tell: Callable[[Story], None]) -> None:
    async def story(store: SqlStore, alice: Member) -> None:
        log = SqlActivityLog(store.database)
        for number in (1, 2, 3):
            await store.write(lambda tx, number=number: change(tx, alice.id, rev=number))
        found = log.page(alice.id, before=None, limit=2)
        assert [item.rev for item in found] == [rev_of(3), rev_of(2)]
        (last,) = log.page(alice.id, before=found[-1].seq, limit=2)
        assert last.rev == rev_of(1)
        assert log.at(alice.id, rev_of(2)) == found[1]
        assert log.at(alice.id, rev_of(9)) is None

    tell(story)
