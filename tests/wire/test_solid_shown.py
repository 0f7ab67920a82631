"""Representations that are kept: asked for again they are the same, after a write they are new."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from adapters.solid.rdf.shown import Shown, ShownBodies
from pod.errors import Overloaded
from tests.kit.solid_host import Host, told

TTL, JSONLD = "text/turtle", "application/ld+json"


@pytest.mark.parametrize("media", [TTL, JSONLD])
def test_a_listing_asked_for_again_shows_each_change(media: str) -> None:
    async def story(host: Host) -> None:
        async def shown() -> bytes:
            answer = await host.ask("GET", "/data/f/", Accept=media)
            body = await answer.get_data()
            again = await host.ask("GET", "/data/f/", Accept=media)
            assert (await again.get_data(), again.headers["ETag"]) == (body, answer.headers["ETag"])
            return body

        seen = []
        for method, path, body in (
            ("PUT", "/data/f/a", "<#a> a <#B> ."),
            ("PUT", "/data/f/b", "<#a> a <#B> ."),
            ("PUT", "/data/f/a", "<#a> a <#B>, <#Longer> ."),
            ("DELETE", "/data/f/b", ""),
        ):
            await host.ask(method, path, body, Content_Type=TTL)
            seen.append(await shown())
        assert len(set(seen)) == 4
        assert b"f/b" not in seen[-1]

    told(story)


def test_a_document_in_another_syntax_is_that_of_its_present_state() -> None:
    async def story(host: Host) -> None:
        for name in ("One", "Two", "One"):
            await host.ask("PUT", "/data/d", f"<#a> a <#{name}> .", Content_Type=TTL)
            for _ in range(2):
                answer = await host.ask("GET", "/data/d", Accept=JSONLD)
                assert f"#{name}".encode() in await answer.get_data()

    told(story)


def test_a_container_that_is_not_there_is_404_whatever_is_acceptable() -> None:
    async def story(host: Host) -> None:
        for path in ("/data/none/", "/repo/app.bsky.feed.post/"):
            for accept in (TTL, "image/png"):
                assert (await host.ask("GET", path, Accept=accept)).status_code == 404
        assert (await host.ask("GET", "/data/", Accept="image/png")).status_code == 406

    told(story)


def test_what_is_kept_stays_within_its_bytes_and_the_oldest_goes_first() -> None:
    bodies = ShownBodies()
    for number in range(40):
        bodies.keep(number, Shown(bytes(512 * 1024)))
        bodies.get(0)
    assert bodies.get(0) is not None
    assert bodies.get(1) is None
    assert sum(bodies.get(number) is not None for number in range(40)) == 8
    huge = bodies.keep("huge", Shown(bytes(5 * 1024 * 1024)))
    assert len(huge.body) == 5 * 1024 * 1024
    assert bodies.get("huge") is None


class Maker:
    """Makes a representation when it is told to, and counts how often it was asked."""

    def __init__(self) -> None:
        self.times, self.go = 0, asyncio.Event()
        self.fails = False

    async def make(self) -> Shown:
        self.times += 1
        await self.go.wait()
        if self.fails:
            raise Overloaded
        return Shown(b"made")


def with_askers(story: Callable[[Maker, list[asyncio.Task[Shown]]], Awaitable[None]]) -> None:
    """Run a story of ten who ask for the same; whoever asks afterwards is answered."""

    async def run() -> None:
        bodies, maker = ShownBodies(), Maker()
        askers = [asyncio.create_task(bodies.made("key", maker.make)) for _ in range(10)]
        await asyncio.sleep(0)
        await story(maker, askers)
        maker.fails = False
        assert (await bodies.made("key", maker.make)).body == b"made"

    asyncio.run(run())


def test_whoever_asks_for_the_same_at_once_shares_one_conversion() -> None:
    async def story(maker: Maker, askers: list[asyncio.Task[Shown]]) -> None:
        maker.go.set()
        assert {shown.body for shown in await asyncio.gather(*askers)} == {b"made"}
        assert maker.times == 1

    with_askers(story)


def test_the_first_asker_may_leave_and_the_others_are_still_answered() -> None:
    async def story(maker: Maker, askers: list[asyncio.Task[Shown]]) -> None:
        askers[0].cancel()
        await asyncio.sleep(0)
        maker.go.set()
        assert {shown.body for shown in await asyncio.gather(*askers[1:])} == {b"made"}
        assert askers[0].cancelled()
        assert maker.times == 1

    with_askers(story)


def test_a_failure_is_told_to_all_who_waited_and_made_anew_for_who_asks_next() -> None:
    async def story(maker: Maker, askers: list[asyncio.Task[Shown]]) -> None:
        maker.fails = True
        maker.go.set()
        told = await asyncio.gather(*askers, return_exceptions=True)
        assert all(isinstance(each, Overloaded) for each in told)
        assert maker.times == 1

    with_askers(story)
