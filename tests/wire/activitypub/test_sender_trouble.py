"""Whatever a try meets, it is tried again later, never at once, and the sender can be stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from adapters.activitypub.deliver.send import Sender
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.peer import Delivery, Outgoing
from tests.kit.fediverse import FediPod, Peer

Story = Callable[[FediPod, Member, Peer], Awaitable[None]]


def to(member: Member, target: str) -> Outgoing:
    return Outgoing(member.id, f"{member.origin}/outbox/1", b"{}", (Iri(target),))


async def for_a_while(sender: Sender) -> None:
    """Let a sender run, and stop it."""
    running = asyncio.create_task(sender.run())
    await asyncio.sleep(0.3)
    running.cancel()
    async with asyncio.timeout(10):
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize(
    "asked",
    [
        "Mon, 01 Jan 2024 00:00:00 +99999999999999999999",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "9" * 5000,
        "\u00b2",
    ],
    ids=["zone", "year", "digits", "no digit"],
)
def test_no_retry_after_makes_a_host_be_tried_at_once(
    asked: str, tell: Callable[[Story], None]
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        bob.answers, bob.retry_after = (lambda _: 503), asked
        await pod.queue.enqueue([to(alice, "http://peer.test/inbox")], pod.clock.now())
        await for_a_while(Sender(pod.wing._wing))
        assert len(bob.received) == 1
        assert pod.wing.backlog() == 1

    tell(story)


def test_an_errand_that_breaks_is_tried_again_as_deliveries_are(
    tell: Callable[[Story], None],
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        tries: list[int] = []

        async def broken(delivery: Delivery, member: Member | None) -> None:
            tries.append(delivery.attempt)
            raise KeyError("a mistake of ours")

        await pod.queue.enqueue([to(alice, "odd://x/y")], pod.clock.now())
        await for_a_while(Sender(pod.wing._wing, {"odd": broken}))
        assert tries == [0]
        pod.clock.pass_by(16)
        await for_a_while(Sender(pod.wing._wing, {"odd": broken}))
        assert tries == [0, 1]
        assert pod.wing.backlog() == 1

    tell(story)


def test_what_came_of_a_try_and_cannot_be_written_down_is_not_tried_at_once(
    tell: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(pod: FediPod, alice: Member, bob: Peer) -> None:
        async def full(*_: object, **__: object) -> None:
            raise OSError("no space left")

        monkeypatch.setattr(pod.queue, "done", full)
        await pod.queue.enqueue([to(alice, "http://peer.test/inbox")], pod.clock.now())
        await for_a_while(Sender(pod.wing._wing))
        assert len(bob.received) == 1
        assert pod.wing.backlog() == 1

    tell(story)
