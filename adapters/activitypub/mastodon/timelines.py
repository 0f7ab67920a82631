"""Timelines and notifications, and how far they were read.

Spec: https://docs.joinmastodon.org/methods/timelines/, notifications and markers
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from adapters.activitypub.lens.names import object_id
from adapters.activitypub.lens.published import is_unlisted
from adapters.activitypub.mastodon.entities import Entities
from adapters.activitypub.mastodon.frame import NOBODY, Asked, Frame, Page, ids_page
from adapters.activitypub.mastodon.library import CatchUp, Library, stamp
from adapters.activitypub.mastodon.pictures import Entity
from adapters.activitypub.wing import Wing
from pod.errors import NotFound
from pod.model.ids import Iri
from pod.model.timeline import Marker, Notice, Span
from pod.read import NOTES_PREFIX

_RECENT: Final = 200
_MARKED: Final = ("home", "notifications")


@dataclass(frozen=True, slots=True)
class TimelineRooms:
    """The endpoints that are polled."""

    wing: Wing
    library: Library
    entities: Entities
    catch_up: CatchUp

    def add(self, frame: Frame) -> None:
        """All routes."""
        at = "/api/v1/notifications"
        frame.add("GET", "/api/v1/timelines/home", "read:statuses", self.home)
        frame.add("GET", "/api/v1/timelines/public", "read:statuses?", self.public)
        frame.add("GET", "/api/v1/timelines/tag/<tag>", "read:statuses?", self.tag)
        frame.add("GET", at, "read:notifications", self.notifications)
        frame.add("GET", f"{at}/unread_count", "read:notifications", self.unread)
        frame.add("POST", f"{at}/clear", "write:notifications", self.clear)
        frame.add("GET", f"{at}/<id>", "read:notifications", self.notification)
        frame.add("POST", f"{at}/<id>/dismiss", "write:notifications", self.dismiss)
        frame.add("GET", "/api/v1/markers", "read:statuses", self.markers)
        frame.add("POST", "/api/v1/markers", "write:statuses", self.mark)
        frame.add("GET", "/api/v1/timelines/list/<id>", "read:lists", self.nothing)
        frame.add("GET", "/api/v1/trends/<kind>", NOBODY, self.nothing)

    async def home(self, asked: Asked) -> Page:
        """What those whom the member follows posted, and the member."""
        await self.catch_up()
        span = asked.span()
        entries = self.library.timelines.page(asked.me.id, span)
        shown = await self.entities.statuses([entry.iri for entry in entries], asked.me)
        ids = [entry.id for entry in entries]
        return Page(shown, max(ids, default=None), min(ids, default=None))

    async def public(self, asked: Asked) -> Page:
        """What members of this pod post."""
        if asked.flag("remote"):
            return Page([], None, None)
        return await self._local(asked, None)

    async def tag(self, asked: Asked) -> Page:
        """What members of this pod post under a hashtag."""
        return await self._local(asked, asked.path["tag"].lower().removeprefix("#"))

    async def nothing(self, asked: Asked) -> list[Entity]:  # noqa: ARG002  whatever is asked
        """What there is not here."""
        return []

    async def _local(self, asked: Asked, tag: str | None) -> Page:
        """The newest public posts of members, or those of them with a hashtag."""
        rows = []
        for member in self.library.members():
            page = self.wing.reader.resources(
                member.id, NOTES_PREFIX, after=None, limit=_RECENT, reverse=True
            )
            rows += [
                (row.created_at, object_id(member, row.path, row.generation), row)
                for row in page
                if not is_unlisted(self.wing.published(member, row).annotation)
            ]
        by_id: dict[int, Iri] = {}
        wanted = f"#{tag}".encode() if tag is not None else b""
        for at, iri, row in sorted(rows, key=lambda each: each[0], reverse=True)[: 2 * _RECENT]:
            if tag is None or (wanted in row.body.lower() or tag.encode() in row.body.lower()):
                by_id[await self.library.timelines.name(iri, at)] = iri
        span = asked.span()
        chosen = replace(span, limit=span.limit if tag is None else _RECENT).cut(list(by_id))
        shown = await self.entities.statuses([by_id[each] for each in chosen], asked.member)
        if asked.flag("only_media"):
            shown = [each for each in shown if each["media_attachments"]]
        if tag is not None:
            shown = [each for each in shown if tag in [one["name"] for one in each["tags"]]]
        return ids_page(shown[: span.limit])

    async def notifications(self, asked: Asked) -> Page:
        """What others did to the member."""
        await self.catch_up()
        types, without = set(asked.texts("types")), set(asked.texts("exclude_types"))
        number = asked.text("account_id")
        actor = self.library.iri_of(number) if number else None
        span = asked.span(40, 80)
        found: list[Entity] = []
        while len(found) < span.limit:
            page = self.library.timelines.notices(asked.me.id, span)
            kept = [
                each for each in (page if span.least is None else page[::-1])
                if (not types or each.kind in types) and each.kind not in without
                and actor in (None, each.actor)
            ]  # fmt: skip
            for notice in kept[: span.limit - len(found)]:
                shown = await self.entities.notification(notice, asked.me)
                found += [shown] if shown is not None else []
            if len(page) < span.limit:
                break
            span = replace(span, most=page[-1].id) if span.least is None else (
                replace(span, least=page[0].id)
            )  # fmt: skip
        return ids_page(sorted(found, key=lambda each: int(each["id"]), reverse=True))

    async def notification(self, asked: Asked) -> Entity:
        """One of them."""
        shown = await self.entities.notification(self._notice(asked), asked.me)
        if shown is None:
            raise NotFound
        return shown

    async def unread(self, asked: Asked) -> Entity:
        """How many came since the marker."""
        await self.catch_up()
        marker = self.library.timelines.marker(asked.me.id, "notifications")
        since = int(marker.last_id) if marker is not None and marker.last_id.isdecimal() else None
        page = self.library.timelines.notices(asked.me.id, Span(100, since=since))
        return {"count": len(page)}

    async def dismiss(self, asked: Asked) -> Entity:
        """Forget one."""
        await self.library.timelines.dismiss(asked.me.id, self._notice(asked).id)
        return {}

    async def clear(self, asked: Asked) -> Entity:
        """Forget all."""
        await self.library.timelines.dismiss(asked.me.id, None)
        return {}

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

    def _notice(self, asked: Asked) -> Notice:
        number = asked.path["id"]
        is_number = number.isdecimal() and len(number) < 19
        found = self.library.timelines.notice(asked.me.id, int(number)) if is_number else None
        if found is None:
            raise NotFound
        return found


def _marker(marker: Marker) -> Entity:
    return {
        "last_read_id": marker.last_id,
        "version": marker.version,
        "updated_at": stamp(marker.at),
    }
