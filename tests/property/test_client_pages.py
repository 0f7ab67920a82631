"""Pages of the client API: read one after the other they are the whole list, each thing once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from adapters.activitypub.mastodon.frame import Page
from adapters.activitypub.mastodon.paging import filled
from pod.model.timeline import Span

lists = st.sets(st.integers(1, 60), max_size=40).map(sorted)
hidden = st.sets(st.integers(1, 60), max_size=30)
limits = st.integers(1, 7)


def page_of(ids: list[int], unseen: set[int], span: Span) -> Page:
    async def show(number: int) -> dict[str, int] | None:
        return None if number in unseen else {"id": number}

    return asyncio.run(filled(span, lambda at: at.cut(ids), lambda number: number, show))


def walk(ids: list[int], unseen: set[int], span: Span) -> list[list[int]]:
    """The pages that an app gets who follows ``next``, or ``prev`` from the bottom."""
    pages = []
    while (page := page_of(ids, unseen, span)).last is not None:
        pages.append([one["id"] for one in page.items])
        down = replace(span, most=page.last)
        span = down if span.least is None else replace(span, least=page.first)
    return pages


@given(lists, hidden, limits)
def test_all_pages_downwards_are_the_list(ids: list[int], unseen: set[int], limit: int) -> None:
    pages = walk(ids, unseen, Span(limit))
    wanted = [each for each in reversed(ids) if each not in unseen]
    assert [each for page in pages for each in page] == wanted
    assert all(len(page) == limit for page in pages[:-1])


@given(lists, hidden, limits)
def test_all_pages_upwards_are_the_list(ids: list[int], unseen: set[int], limit: int) -> None:
    pages = walk(ids, unseen, Span(limit, least=0))
    wanted = [each for each in reversed(ids) if each not in unseen]
    assert [each for page in reversed(pages) for each in page] == wanted
    assert all(page == sorted(page, reverse=True) for page in pages)


@given(lists, hidden, limits, st.integers(0, 60), st.integers(1, 61))
def test_a_page_is_within_its_bounds(
    ids: list[int], unseen: set[int], limit: int, since: int, most: int
) -> None:
    page = page_of(ids, unseen, Span(limit, most=most, since=since))
    shown = [one["id"] for one in page.items]
    inside = [e for e in reversed(ids) if since < e < most and e not in unseen]
    assert shown == inside[:limit]
