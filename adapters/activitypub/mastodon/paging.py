"""Pages as full as they can be, though not everything in a list is for who asks.

Spec: https://docs.joinmastodon.org/api/guidelines/#pagination
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from adapters.activitypub.mastodon.frame import Page
from adapters.activitypub.mastodon.pictures import Entity
from pod.model.timeline import Span

T = TypeVar("T")

_MOST_PAGES: Final = 20
"""How many pages are looked at to fill one."""


async def filled(
    span: Span,
    pages: Callable[[Span], Sequence[T]],
    number: Callable[[T], int],
    show: Callable[[T], Awaitable[Entity | None]],
) -> Page:
    """What ``show`` makes of the items of ``pages`` (newest first), until a page is full.

    ``number`` is the place of an item in the list; the page tells the places of those looked at.
    """
    found: list[Entity] = []
    looked: list[int] = []
    at = span
    for _ in range(_MOST_PAGES):
        page = pages(at)
        for item in page if span.least is None else page[::-1]:
            if len(found) == span.limit:
                break
            looked.append(number(item))
            entity = await show(item)
            found += [entity] if entity is not None else []
        if len(page) < at.limit or len(found) == span.limit:
            break
        last = looked[-1]
        at = replace(at, most=last) if span.least is None else replace(at, least=last)
    items = found if span.least is None else found[::-1]
    return Page(items, max(looked, default=None), min(looked, default=None))
