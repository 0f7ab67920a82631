"""Events older than the window go by themselves; the log and its numbers stay."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.atproto.face import Outbox
from adapters.atproto.firehose.frames import info_frame
from pod.account import Application
from pod.model.ids import Nsid
from pod.settings import Settings
from pod.write import PutRecord
from server import environment, wire
from server.check import check
from tests.kit.house import owner


def settings_for(data_dir: Path, window_s: int) -> Settings:
    settings = environment.load({}, None, environment.for_development(data_dir, 2583))
    return replace(settings, limits=replace(settings.limits, firehose_window_s=window_s))


def test_old_events_go_and_a_consumer_from_before_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "TIDY_EVERY_S", 0.01)

    async def story() -> None:
        house = await wire.open_house(settings_for(tmp_path, 0))
        post = {"text": "hi", "createdAt": "2026-11-24T12:00:00.000Z"}
        try:
            member = await house.accounts.create(Application("alice.test", None))
            op = PutRecord(Nsid("app.bsky.feed.post"), None, post)
            await house.write.apply(owner(member), member.id, [op])
            async with asyncio.timeout(20):
                while house.store.oldest_frame() is not None:
                    await asyncio.sleep(0.01)
            told: list[bytes] = []

            async def push(frames: Sequence[bytes]) -> None:
                told.extend(frames)

            stream = asyncio.ensure_future(Outbox(house.store).stream(0, push))
            async with asyncio.timeout(20):
                while not told:
                    await asyncio.sleep(0.01)
            stream.cancel()
            assert told == [info_frame("OutdatedCursor", "Requested cursor exceeded limit.")]
            log = house.store.changes(after=0, limit=99)
            assert [change.seq for change in log] == list(range(1, house.store.head_seq() + 1))
            assert list(check(tmp_path)) == []
        finally:
            await house.rooms.close()

    asyncio.run(story())


def test_events_within_the_window_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "TIDY_EVERY_S", 0.01)

    async def story() -> None:
        house = await wire.open_house(settings_for(tmp_path, 60))
        try:
            await house.accounts.create(Application("alice.test", None))
            before = house.store.frames(after=0, limit=99)
            await asyncio.sleep(0.1)
            assert house.store.frames(after=0, limit=99) == before != []
        finally:
            await house.rooms.close()

    asyncio.run(story())
