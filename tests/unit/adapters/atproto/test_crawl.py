"""Relays are asked to come, each at most once in twenty minutes, and their failures hurt nobody."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

from adapters.atproto.crawl import EVERY, FIRST_RETRY, IDLE, Crawl
from pod.errors import PeerUnavailable
from pod.model.change import Change
from pod.model.ids import MemberId
from tests.kit.xrpc import Upstream

RELAYS = ("https://relay.example", "other-relay.example")


class Watch:
    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


def change(frame: bytes | None = b"frame") -> Change:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Change(1, MemberId(1), at, "commit", None, (), frame)


def story(events, upstream, relays=RELAYS):
    """Hand batches of changes over, some time apart."""

    async def run():
        watch = Watch()
        crawl = Crawl(relays, "pods.example", upstream, watch)
        await crawl.ask_due()
        upstream.asked.clear()
        running = asyncio.ensure_future(crawl.run())
        for later, changes in events:
            watch.time += later
            crawl.on_changes(changes)
            await asyncio.sleep(0.01)
        running.cancel()
        return crawl

    return asyncio.run(run())


def test_every_relay_is_told_our_name_after_an_event():
    upstream = Upstream()
    story([(EVERY, [change()])], upstream)
    assert [url for url, _, _ in upstream.asked] == [
        "https://relay.example/xrpc/com.atproto.sync.requestCrawl",
        "https://other-relay.example/xrpc/com.atproto.sync.requestCrawl",
    ]
    assert all(json.loads(body) == {"hostname": "pods.example"} for _, _, body in upstream.asked)


def test_they_are_not_asked_again_within_twenty_minutes():
    upstream = Upstream()
    minute = timedelta(minutes=1)
    story([(minute, [change()])] * 39 + [(minute, [change()])], upstream)
    assert len(upstream.asked) == 2 * len(RELAYS)


def test_nobody_is_asked_for_what_is_not_on_the_firehose():
    upstream = Upstream()
    story([(EVERY, [change(None)]), (EVERY, [])], upstream)
    story([(EVERY, [change()])], upstream, relays=())
    assert upstream.asked == []


class Down(Upstream):
    """The first relay is down, the second refuses."""

    async def post(self, url, body, headers=None, *, max_bytes=None):
        await super().post(url, body, headers)
        if "other" not in url:
            raise PeerUnavailable
        return Upstream(status=400, body=b"no")


def test_a_relay_that_refuses_or_is_down_does_not_keep_the_others_from_being_asked():
    async def run():
        upstream = Down()
        crawl = Crawl(RELAYS, "pods.example", upstream, Watch())
        await crawl.ask_due()
        assert len(upstream.asked) == 2
        first, second = crawl.report()
        assert first["failures"] == second["failures"] == 1
        assert second["answer"] == "400 no"
        assert first["answer"]

    asyncio.run(run())


def test_a_relay_that_failed_is_asked_again_ever_more_rarely_and_events_do_not_hurry_it():
    async def run():
        upstream, watch = Down(), Watch()
        crawl = Crawl(RELAYS[:1], "pods.example", upstream, watch)
        begun, times = watch.time, []
        while len(times) < 9:
            crawl.on_changes([change()])
            await crawl.ask_due()
            if len(upstream.asked) > len(times):
                times.append((watch.time - begun) // FIRST_RETRY)
            watch.time += FIRST_RETRY
        assert times == [0, 1, 3, 7, 15, 31, 63, 123, 183]

    asyncio.run(run())


def test_a_quiet_pod_asks_again_after_hours():
    async def run():
        upstream, watch = Upstream(), Watch()
        crawl = Crawl(RELAYS[:1], "pods.example", upstream, watch)
        for _ in range(3):
            await crawl.ask_due()
            watch.time += IDLE
        assert len(upstream.asked) == 3

    asyncio.run(run())
