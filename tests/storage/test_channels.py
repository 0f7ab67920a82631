"""Channels are kept whole, found by what they are asked by, and end with their time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from pod.access.agent import Agent, Credential
from pod.channel import Channel
from pod.model.ids import Iri, MemberId
from pod.model.resource import ResourcePath
from pod.oauth.reach import Reach
from storage.channels import SqlChannels
from tests.kit.stored import NOON, add_member, sql_store

APP = Agent(
    Credential.OAUTH,
    iri=Iri("https://alice.test/me"),
    app_origin="https://app.example",
    client=Iri("https://app.example/id"),
    issuer=Iri("https://pods.example"),
    reach=Reach((("/data/notes/", "r"),)),
)


def channel(member: MemberId, ident: str, agent: Agent = APP) -> Channel:
    return Channel(
        id=ident,
        secret=f"secret {ident}",
        member=member,
        topic=ResourcePath("/data/notes/a.ttl"),
        type="WebhookChannel2023",
        agent=agent,
        seq=7,
        created_at=NOON,
        end_at=NOON + timedelta(days=1),
        start_at=NOON + timedelta(hours=1),
        rate=timedelta(milliseconds=1500),
        accept="text/turtle",
        state='"x"',
        send_to=Iri("https://app.example/hook"),
        failing_since=NOON,
    )


def test_a_channel_is_kept_whole_until_it_ends(tmp_path: Path) -> None:
    async def story() -> None:
        async with sql_store(tmp_path / "pod.sqlite") as store:
            alice = await store.write(add_member)
            kept = SqlChannels(store.database)
            first = channel(alice.id, "1")
            plain = replace(channel(alice.id, "2", Agent()), start_at=None, failing_since=None)
            for each in (first, plain):
                await kept.put(each)
            assert kept.get("1") == first
            assert kept.by_secret("secret 2") == plain
            assert kept.held(alice.id, APP.iri or "") == [first]
            assert kept.held(alice.id, "") == [plain]
            assert kept.of_type("WebhookChannel2023") == [first, plain]
            assert kept.count(alice.id) == 2
            await kept.move("1", 9)
            assert kept.get("1") == replace(first, seq=9)
            assert await kept.drop("2")
            assert not await kept.drop("2")
            await kept.drop_ended(NOON + timedelta(days=1))
            assert kept.get("1") is None

    asyncio.run(story())
