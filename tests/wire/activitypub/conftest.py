"""A pod with a follower on a peer, for the tests of this folder."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from pod.model.member import Member
from tests.kit.fediverse import FediPod, Peer, fedi_pod

Story = Callable[[FediPod, Member, Peer], Awaitable[None]]
Tell = Callable[[Story], None]
NOW = "2026-11-24T12:00:00.000Z"


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
