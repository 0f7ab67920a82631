"""Deliveries outlive everything: hosts that refuse, hang or die, and our own process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_public_key

from adapters.activitypub.deliver.reactor import Reactor
from adapters.activitypub.deliver.send import Sender
from adapters.activitypub.neighbours import relate
from adapters.activitypub.signature.verify import fits, read
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.peer import Outgoing
from tests.kit.fediverse import KEYS, FediPod, Peer, fedi_pod
from tests.kit.stored import sql_store

Story = Callable[[FediPod, Member, Peer], Awaitable[None]]
NOW = "2026-11-24T12:00:00.000Z"


def test_a_peer_that_refuses_the_old_signature_gets_the_new_one_from_then_on(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        bob.answers = lambda request: 202 if request.has("signature-input") else 401
        await pod.note(alice, "one")
        await pod.wing.flush()
        await pod.note(alice, "two")
        await pod.wing.flush()
        assert [request.has("signature-input") for request in bob.received] == [False, True, True]
        _, actor = await pod.get(alice.webid)
        key = load_pem_public_key(actor["publicKey"]["publicKeyPem"].encode())
        assert fits(read(bob.received[2], pod.clock.now()), key)  # type: ignore[arg-type]

    tell(story)


def test_a_dead_host_is_tried_again_by_the_schedule_and_holds_nobody_up(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        eve = pod.network.add(Peer("eve", "http://eve.test", KEYS[1]))
        await pod.post(eve, eve.activity("Follow", alice.webid))
        await pod.wing.flush()
        eve.received.clear()
        bob.is_down = True
        await pod.note(alice)
        await pod.wing.flush()
        assert len(eve.received) == 1
        assert pod.wing.backlog() == 1
        bob.is_down = False
        await pod.wing.flush()
        assert bob.received == []
        pod.clock.pass_by(16)
        await pod.wing.flush()
        assert len(bob.received) == 1
        assert pod.wing.backlog() == 0

    tell(story)


def test_hosts_that_hang_take_no_room_from_those_that_answer(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        arrived = asyncio.Event()
        for number in range(3):
            hung = pod.network.add(Peer("x", f"http://a{number}.test", KEYS[1]))
            await pod.post(hung, hung.activity("Follow", alice.webid))
            await pod.wing.flush()
            hung.hangs = True

        def answer(_: object) -> int:
            arrived.set()
            return 202

        bob.answers = answer
        await pod.note(alice)
        wing = pod.wing._wing
        await Reactor(wing, relate).catch_up()
        sender = asyncio.create_task(Sender(wing, pool=1, slow_after_s=0.01).run())
        async with asyncio.timeout(10):
            await arrived.wait()
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)
        assert pod.wing.backlog() >= 3

    tell(story)


def test_a_host_with_much_to_come_lets_others_through(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        arrived = asyncio.Event()
        pod.network.add(Peer("x", "http://a.test", KEYS[1])).hangs = True

        def answer(_: object) -> int:
            arrived.set()
            return 202

        bob.answers = answer
        inboxes = [Iri("http://a.test/inbox")] * 20 + [Iri("http://peer.test/inbox")]
        for number, inbox in enumerate(inboxes):
            item = Outgoing(alice.id, f"{alice.origin}/outbox/{number}", b"{}", (inbox,))
            await pod.queue.enqueue([item], pod.clock.now())
        sender = asyncio.create_task(Sender(pod.wing._wing, pool=8, slow_after_s=999).run())
        async with asyncio.timeout(10):
            await arrived.wait()
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)

    tell(story)


def test_a_refusal_for_good_is_given_up(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        bob.answers = lambda _: 410
        await pod.note(alice)
        await pod.wing.flush()
        assert pod.wing.backlog() == 0

    tell(story)


def test_a_peer_that_asks_for_patience_gets_it(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        bob.answers, bob.retry_after = (lambda _: 429), "600"
        await pod.note(alice)
        await pod.wing.flush()
        bob.answers = lambda _: 202
        pod.clock.pass_by(599)
        await pod.wing.flush()
        assert len(bob.received) == 1
        pod.clock.pass_by(2)
        await pod.wing.flush()
        assert (len(bob.received), pod.wing.backlog()) == (2, 0)

    tell(story)


def test_the_queue_outlives_the_process(tmp_path: Path) -> None:
    async def first() -> None:
        async with fedi_pod(tmp_path) as pod:
            alice, bob = await pod.member(), pod.network.add(Peer())
            await pod.post(bob, bob.activity("Follow", alice.webid))
            bob.is_down = True
            await pod.note(alice)
            await pod.wing.flush()
            assert pod.wing.backlog() == 2

    async def second() -> None:
        async with sql_store(tmp_path / "pod.db") as store:
            pod = FediPod(store)
            pod.clock.pass_by(60)
            bob = pod.network.add(Peer())
            await pod.wing.flush()
            assert [a["type"] for a in bob.activities] == ["Accept", "Create"]

    asyncio.run(first())
    asyncio.run(second())


def test_a_replayed_log_posts_nothing_twice(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        bob.is_down = True
        await pod.note(alice)
        await pod.wing.flush()
        await pod.queue.enqueue([], pod.clock.now(), cursor=0)
        await pod.wing.flush()
        assert pod.wing.backlog() == 1

    tell(story)


def test_the_workers_deliver_by_themselves(tell: Callable[[Story], None]) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        arrived = asyncio.Event()

        def answer(_: object) -> int:
            arrived.set()
            return 202

        bob.answers = answer
        workers = [asyncio.create_task(work()) for work in (pod.wing.react, pod.wing.deliver)]
        await pod.note(alice)
        async with asyncio.timeout(10):
            await arrived.wait()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        assert bob.activities[0]["type"] == "Create"

    tell(story)
