"""Representations that are kept: asked for again they are the same, after a write they are new."""

from __future__ import annotations

import pytest

from adapters.solid.rdf.shown import Shown, ShownBodies
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
