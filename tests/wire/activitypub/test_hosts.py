"""What is remembered of hosts: rest, revival, loss, introductions; and what goes first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.activitypub.deliver.outgoing import priority_of
from adapters.activitypub.deliver.pace import A_MINUTE, Introductions, parent_domain
from adapters.activitypub.deliver.send import Sender
from adapters.activitypub.remote.hosts import Hosts
from adapters.activitypub.remote.schedule import LOST_AFTER, REST_S, Reply
from pod.model.ids import Iri, Origin
from pod.model.member import Member
from pod.model.peer import HostState, Outgoing, Priority
from storage.peer_hosts import SqlPeerHosts
from tests.kit.fediverse import KEYS, FediPod, Peer, fedi_pod
from tests.kit.stored import sql_store

Story = Callable[[FediPod, Member, Peer], Awaitable[None]]
DAY_S = 86_400


def test_what_was_learnt_of_a_host_outlives_the_process(tmp_path: Path) -> None:
    async def first() -> None:
        async with fedi_pod(tmp_path) as pod:
            alice, bob = await pod.member(), pod.network.add(Peer())
            await pod.post(bob, bob.activity("Follow", alice.webid))
            bob.answers = lambda request: 202 if request.has("signature-input") else 401
            await pod.note(alice)
            await pod.wing.flush()
            bob.is_down = True
            await pod.note(alice, "two")
            await pod.wing.flush()

    async def second() -> None:
        async with sql_store(tmp_path / "pod.db") as store:
            pod = FediPod(store)
            bob = pod.network.add(Peer())
            state = pod.wing._wing.hosts.state("peer.test")
            assert (state.modern, state.failures) == (True, 1)
            await pod.wing.flush()
            assert bob.received == []
            pod.clock.pass_by(60)
            await pod.wing.flush()
            assert [request.has("signature-input") for request in bob.received] == [True]
            assert pod.wing._wing.hosts.state("peer.test") == HostState("peer.test", modern=True)

    asyncio.run(first())
    asyncio.run(second())


def test_a_host_that_speaks_is_well_again_at_once(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        bob.is_down = True
        for number in range(3):
            await pod.note(alice, str(number))
            await pod.wing.flush()
        assert pod.wing.backlog() == 3
        bob.is_down = False
        await pod.post(bob, bob.activity("Like", alice.webid))
        await pod.wing.flush()
        assert (len(bob.received), pod.wing.backlog()) == (3, 0)

    tell(story)


def test_a_silent_host_is_tried_with_one_delivery_at_a_time(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        bob.answers = lambda _: 500
        for number in range(5):
            await pod.note(alice, str(number))
        for rest in REST_S[:3]:
            await pod.wing.flush()
            tried = len(bob.received)
            await pod.wing.flush()
            assert len(bob.received) == tried
            pod.clock.pass_by(rest + 1)
        assert len(bob.received) < 8

    tell(story)


def test_nothing_is_kept_for_a_host_that_was_silent_for_a_week(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        hosts = pod.wing._wing.hosts
        bob.is_down = True
        await hosts.note("peer.test", Reply(None), pod.clock.now() - LOST_AFTER)
        await pod.note(alice)
        await pod.wing.flush()
        assert pod.wing.backlog() == 0
        await pod.note(alice, "waits for tomorrow")
        await pod.wing.flush()
        assert pod.wing.backlog() == 1
        bob.is_down = False
        pod.clock.pass_by(DAY_S + 1)
        await pod.wing.flush()
        assert (len(bob.received), pod.wing.backlog()) == (1, 0)
        assert not hosts.is_doubtful("peer.test")

    tell(story)


def test_what_waited_for_a_week_is_given_up(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        bob.is_down = True
        await pod.note(alice)
        await pod.wing.flush()
        pod.clock.pass_by(8 * DAY_S)
        await pod.wing.tidy()
        assert pod.wing.backlog() == 0
        rows = pod.queue._database.read.execute("SELECT count(*) FROM outgoing").fetchone()
        assert rows[0] == 0

    tell(story)


def test_retry_after_holds_for_all_that_goes_to_the_host(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        bob.answers, bob.retry_after = (lambda _: 429), "600"
        await pod.note(alice)
        await pod.wing.flush()
        await pod.note(alice, "two")
        await pod.wing.flush()
        await pod.post(bob, bob.activity("Like", alice.webid))
        await pod.wing.flush()
        assert len(bob.received) == 1
        bob.answers, bob.retry_after = (lambda _: 202), None
        pod.clock.pass_by(601)
        await pod.wing.flush()
        assert (len(bob.received), pod.wing.backlog()) == (3, 0)

    tell(story)


def test_answers_go_before_news_and_news_before_deletions(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        for number, priority in enumerate(reversed(Priority)):
            name = f"{alice.origin}/outbox/{number}"
            item = Outgoing(alice.id, name, b"{}", (Iri(f"{bob.id}/inbox"),), (), priority)
            await pod.queue.enqueue([item], pod.clock.now())
            pod.clock.pass_by(1)
        due = pod.queue.due(pod.clock.now(), limit=9, without=())
        assert [item.activity[-1] for item in due] == ["2", "1", "0"]
        await pod.queue.again(due[0], pod.clock.now())
        due = pod.queue.due(pod.clock.now(), limit=9, without=())
        assert [item.activity[-1] for item in due] == ["1", "0", "2"]

    tell(story)


@pytest.mark.parametrize(
    ("activity", "priority"),
    [
        ({"type": "Accept"}, Priority.ANSWER),
        ({"type": "Create", "object": {"inReplyTo": "x"}}, Priority.ANSWER),
        ({"type": "Create", "object": {}}, Priority.NEWS),
        ({"type": "Like", "object": "x"}, Priority.NEWS),
        ({"type": "Update", "actor": "a", "object": {"id": "a"}}, Priority.REST),
        ({"type": "Delete", "object": {"id": "x"}}, Priority.REST),
    ],
)
def test_each_activity_has_its_priority(activity: dict[str, object], priority: Priority) -> None:
    assert priority_of(activity) is priority


def test_a_host_meets_few_new_members_of_one_parent_in_a_minute(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        introductions = Introductions(SqlPeerHosts(pod.queue._database))
        now = pod.clock.now()
        members = [
            replace(await pod.member(f"member{n}"), origin=Origin(f"https://m{n}.pods.coop"))
            for n in range(A_MINUTE + 4)
        ]
        waits = [introductions.wait("eve.test", member, now) for member in members]
        a_minute_later = now + timedelta(minutes=1)
        assert waits == [None] * A_MINUTE + [a_minute_later] * 4
        assert introductions.wait("eve.test", members[0], now) is None
        assert introductions.wait("bob.test", members[-1], now) is None
        elsewhere = replace(members[-1], origin=Origin("https://alice.example"))
        assert introductions.wait("eve.test", elsewhere, now) is None
        for member in members[:A_MINUTE]:
            await introductions.met("eve.test", member.id)
        later = Introductions(SqlPeerHosts(pod.queue._database))
        waits = [later.wait("eve.test", member, a_minute_later) for member in members]
        assert waits == [None] * len(members)

    tell(story)


@pytest.mark.parametrize(
    ("host", "parent"),
    [("alice.pods.coop", "pods.coop"), ("pods.coop", "pods.coop"), ("a.b.co.uk", "b.co.uk"),
     ("alice.localhost:2583", "alice.localhost"), ("x.y.example.org", "example.org"),
     ("localhost:2583", "localhost"), ("alice.github.io", "github.io"),
     ("alice.example.or.at", "example.or.at"), ("alice.pods.kawasaki.jp", "alice.pods.kawasaki.jp"),
     ("alice.city.kawasaki.jp", "city.kawasaki.jp"), ("co.uk", "co.uk"),
     ("alice.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn")],
)  # fmt: skip
def test_the_parent_of_a_domain(host: str, parent: str) -> None:
    assert parent_domain(host) == parent


def test_when_too_many_are_slow_the_oldest_gets_no_more_time(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        inboxes = []
        for number in range(4):
            pod.network.add(Peer("x", f"http://a{number}.test", KEYS[1])).hangs = True
            inboxes.append(Iri(f"http://a{number}.test/inbox"))
        item = Outgoing(alice.id, f"{alice.origin}/outbox/1", b"{}", tuple(inboxes))
        await pod.queue.enqueue([item], pod.clock.now())
        wing = pod.wing._wing
        sender = asyncio.create_task(Sender(wing, slow_after_s=0.01, most_slow=2).run())
        async with asyncio.timeout(10):
            while sum(wing.hosts.is_doubtful(f"a{n}.test") for n in range(4)) < 2:
                await asyncio.sleep(0.01)
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)
        assert pod.wing.backlog() == 4

    tell(story)


def test_what_is_remembered_of_hosts_is_bounded(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        book = SqlPeerHosts(pod.queue._database)
        hosts = Hosts(book, kept=3)
        for number in range(10):
            await hosts.prefer(str(number), modern=True)
        assert [hosts.state(str(n)).modern for n in (0, 9)] == [False, True]
        assert [state.host for state in book.all()] == ["7", "8", "9"]
        again = Hosts(book)
        assert again.state("9") == replace(HostState("9"), modern=True)

    tell(story)
