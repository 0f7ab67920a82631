"""Timelines, and how far they were read.

Spec: https://docs.joinmastodon.org/methods/timelines/, https://docs.joinmastodon.org/methods/markers/
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.activitypub.mastodon.entities import Entities
from adapters.activitypub.mastodon.frame import NOBODY, Asked, Frame, Page
from adapters.activitypub.mastodon.library import CatchUp, Library, stamp
from adapters.activitypub.mastodon.lister import ELSEWHERE, EVERYWHERE, HERE
from adapters.activitypub.mastodon.lists import Lists
from adapters.activitypub.mastodon.paging import filled
from adapters.activitypub.mastodon.pictures import Entity
from adapters.activitypub.mastodon.ports import Listings
from adapters.activitypub.wing import Wing
from pod.model.ids import Iri
from pod.model.timeline import Entry, Marker, Span

_MARKED: Final = ("home", "notifications")
_MOST_TAGS: Final = 4


@dataclass(frozen=True, slots=True)
class TimelineRooms:
    """The endpoints that are polled."""

    wing: Wing
    library: Library
    listings: Listings
    entities: Entities
    lists: Lists
    catch_up: CatchUp

    def add(self, frame: Frame) -> None:
        """All routes."""
        frame.add("GET", "/api/v1/timelines/home", "read:statuses", self.home)
        frame.add("GET", "/api/v1/timelines/list/<id>", "read:lists", self.list)
        frame.add("GET", "/api/v1/timelines/public", "read:statuses?", self.public)
        frame.add("GET", "/api/v1/timelines/tag/<tag>", "read:statuses?", self.tag)
        frame.add("GET", "/api/v1/markers", "read:statuses", self.markers)
        frame.add("POST", "/api/v1/markers", "write:statuses", self.mark)
        for rule in ("trends", "trends/<kind>"):
            frame.add("GET", f"/api/v1/{rule}", NOBODY, self.nothing)

    async def home(self, asked: Asked) -> Page:
        """What those whom the member follows posted, and the member; but for exclusive lists."""
        elsewhere = self.lists.exclusive(asked.me)
        return await self._own(asked, lambda author: author not in elsewhere)

    async def list(self, asked: Asked) -> Page:
        """Of the home timeline what the people of a list posted."""
        people = self.lists.people(asked)
        return await self._own(asked, lambda author: author in people)

    async def public(self, asked: Asked) -> Page:
        """What is posted to everybody: by members of this pod, and by those whom they follow."""
        name = HERE if asked.flag("local") else ELSEWHERE if asked.flag("remote") else EVERYWHERE
        return await self._listed(asked, [name])

    async def tag(self, asked: Asked) -> Page:
        """What is posted to everybody under a hashtag, or any of some."""
        tags = [asked.path["tag"], *asked.texts("any")[:_MOST_TAGS]]
        return await self._listed(asked, [f"#{_bare(tag)}" for tag in tags])

    async def nothing(self, asked: Asked) -> Sequence[Entity]:  # noqa: ARG002  whatever is asked
        """What there is not here."""
        return []

    async def _own(self, asked: Asked, wanted: Any) -> Page:
        await self.catch_up()
        timelines, me = self.library.timelines, asked.me

        async def show(entry: Entry) -> Entity | None:
            return await self._shown(entry.iri, asked) if wanted(entry.author) else None

        return await filled(
            asked.span(), lambda span: timelines.page(me.id, span), lambda entry: entry.id, show
        )

    async def _listed(self, asked: Asked, names: Sequence[str]) -> Page:
        """Of some lists what the reader wants to see."""
        await self.catch_up()
        needed = {_bare(tag) for tag in asked.texts("all")}
        unwanted = {_bare(tag) for tag in asked.texts("none")}

        def pages(span: Span) -> Sequence[tuple[int, Iri]]:
            found = dict(row for name in names for row in self.listings.listed(name, span))
            return [(number, found[number]) for number in span.cut(list(found))]

        async def show(item: tuple[int, Iri]) -> Entity | None:
            shown = await self._shown(item[1], asked)
            if shown is None or (asked.flag("only_media") and not shown["media_attachments"]):
                return None
            tags = {tag["name"] for tag in shown["tags"]}
            is_here = self.wing.is_local(item[1])
            if (asked.flag("local") and not is_here) or (asked.flag("remote") and is_here):
                return None
            return shown if needed <= tags and tags.isdisjoint(unwanted) else None

        return await filled(asked.span(), pages, lambda item: item[0], show)

    async def _shown(self, iri: Iri, asked: Asked) -> Entity | None:
        """A post, unless the reader does not want to read its author, or who boosted it."""
        found = await self.entities.statuses([iri], asked.member)
        posts = [found[0], found[0]["reblog"]] if found else []
        authors = [post["account"]["uri"] for post in posts if post is not None]
        reader = asked.member
        if reader is not None and not all(self.library.hears(reader, each) for each in authors):
            return None
        return found[0] if found else None

    async def markers(self, asked: Asked) -> Entity:
        """How far the member has read."""
        found = {}
        for name in asked.texts("timeline"):
            marker = self.library.timelines.marker(asked.me.id, name) if name in _MARKED else None
            if marker is not None:
                found[name] = _marker(marker)
        return found

    async def mark(self, asked: Asked) -> Entity:
        """Note it."""
        found, now = {}, self.wing.clock.now()
        for name in _MARKED:
            told: Any = asked.fields.get(name)
            last = str(told.get("last_read_id", "")) if isinstance(told, dict) else ""
            if last.isdecimal() and len(last) < 19:
                marker = await self.library.timelines.mark(asked.me.id, name, last, now)
                found[name] = _marker(marker)
        return found


def _bare(tag: str) -> str:
    return tag.lower().removeprefix("#")


def _marker(marker: Marker) -> Entity:
    return {
        "last_read_id": marker.last_id,
        "version": marker.version,
        "updated_at": stamp(marker.at),
    }
