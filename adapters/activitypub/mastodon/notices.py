"""Notifications, one by one and in groups.

Spec: https://docs.joinmastodon.org/methods/notifications/,
https://docs.joinmastodon.org/methods/grouped_notifications/
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from adapters.activitypub import moderation
from adapters.activitypub.mastodon.entities import GROUPED, Entities
from adapters.activitypub.mastodon.frame import Asked, Frame, Page
from adapters.activitypub.mastodon.library import CatchUp, Library, stamp
from adapters.activitypub.mastodon.paging import filled
from adapters.activitypub.mastodon.pictures import Entity
from pod.errors import NotFound, Unprocessable
from pod.model.ids import Iri
from pod.model.timeline import Notice, Span

_LOOKED_AT: Final = 400
"""How many notices one page of groups looks at."""

_SAMPLE: Final = 8
_POLICIES: Final = ("for_not_following", "for_not_followers", "for_new_accounts",
                    "for_private_mentions", "for_limited_accounts")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Notices:
    """The endpoints about notifications."""

    library: Library
    entities: Entities
    catch_up: CatchUp

    def add(self, frame: Frame) -> None:
        """All routes."""
        at, grouped = "/api/v1/notifications", "/api/v2/notifications"
        reads, writes = "read:notifications", "write:notifications"
        frame.add("GET", at, reads, self.all)
        frame.add("POST", f"{at}/clear", writes, self.clear)
        frame.add("GET", f"{at}/requests", reads, self.nothing)
        frame.add("GET", f"{at}/requests/merged", reads, self.merged)
        frame.add("GET", f"{at}/<id>", reads, self.show)
        frame.add("POST", f"{at}/<id>/dismiss", writes, self.dismiss)
        frame.add("GET", grouped, reads, self.groups)
        frame.add("GET", f"{grouped}/<key>", reads, self.group)
        frame.add("GET", f"{grouped}/<key>/accounts", reads, self.accounts)
        frame.add("POST", f"{grouped}/<key>/dismiss", writes, self.dismiss_group)
        for base, has_words in ((at, False), (grouped, True)):
            frame.add("GET", f"{base}/unread_count", reads, self._unread(is_grouped=has_words))
            frame.add("GET", f"{base}/policy", reads, self._policy(has_words=has_words))
            frame.add("PATCH", f"{base}/policy", writes, self._policy(has_words=has_words))
            frame.add("PUT", f"{base}/policy", writes, self._policy(has_words=has_words))

    async def all(self, asked: Asked) -> Page:
        """What others did to the member."""
        await self.catch_up()
        wanted = self._wanted(asked)

        async def show(notice: Notice) -> Entity | None:
            return await self.entities.notification(notice, asked.me) if wanted(notice) else None

        return await filled(asked.span(40, 80), self._pages(asked), lambda each: each.id, show)

    async def show(self, asked: Asked) -> Entity:
        """One of them."""
        shown = await self.entities.notification(self._notice(asked), asked.me)
        if shown is None:
            raise NotFound
        return shown

    async def dismiss(self, asked: Asked) -> Entity:
        """Forget one."""
        await self.library.timelines.dismiss(asked.me.id, self._notice(asked).id)
        return {}

    async def clear(self, asked: Asked) -> Entity:
        """Forget all."""
        await self.library.timelines.dismiss(asked.me.id, None)
        return {}

    async def nothing(self, asked: Asked) -> Sequence[Entity]:  # noqa: ARG002  whoever asks
        """Nobody's notices are held back."""
        return []

    async def merged(self, asked: Asked) -> Entity:  # noqa: ARG002  whoever asks
        """None wait to be let in."""
        return {"merged": True}

    async def groups(self, asked: Asked) -> Entity | Page:
        """Notices about the same, together; each account and post is told once."""
        await self.catch_up()
        wanted, span = self._wanted(asked), asked.span(40, 80)
        wide = replace(span, limit=_LOOKED_AT)
        page = [each for each in self._pages(asked)(wide) if wanted(each)]
        kinds = frozenset(asked.texts("grouped_types")) or GROUPED
        groups: dict[str, list[Notice]] = {}
        for notice in page if span.least is None else page[::-1]:
            key = self.entities.group_key(notice, kinds)
            if key in groups or len(groups) < span.limit:
                groups.setdefault(key, []).append(notice)
        told = [each if span.least is None else each[::-1] for each in groups.values()]
        shown = await self._grouped(sorted(told, key=lambda each: -each[0].id), asked)
        ids = [each.id for group in told for each in group]
        return Page(shown, max(ids, default=None), min(ids, default=None))

    async def group(self, asked: Asked) -> Entity:
        """One group."""
        return await self._grouped([self._of(asked)], asked)

    async def accounts(self, asked: Asked) -> Sequence[Entity]:
        """Everybody of a group."""
        actors = dict.fromkeys(each.actor for each in self._of(asked))
        return [await self.entities.persons.account(actor) for actor in actors]

    async def dismiss_group(self, asked: Asked) -> Entity:
        """Forget a group."""
        for notice in self._of(asked):
            await self.library.timelines.dismiss(asked.me.id, notice.id)
        return {}

    def _unread(self, *, is_grouped: bool) -> Any:
        async def unread(asked: Asked) -> Entity:
            """How many came since the marker."""
            await self.catch_up()
            wanted = self._wanted(asked)
            marker = self.library.timelines.marker(asked.me.id, "notifications")
            known = marker is not None and marker.last_id.isdecimal()
            since = int(marker.last_id) if marker is not None and known else None
            most = asked.number("limit", 100, 1_000)
            page = self.library.timelines.notices(asked.me.id, Span(most, since=since))
            found = [each for each in page if wanted(each)]
            keys = {self.entities.group_key(each) for each in found} if is_grouped else found
            return {"count": len(keys)}

        return unread

    def _policy(self, *, has_words: bool) -> Any:
        async def policy(asked: Asked) -> Entity:
            """Whose notices are held back: nobody's."""
            accepts: Any = "accept" if has_words else False
            names = _POLICIES if has_words else [f"filter_{name[4:]}" for name in _POLICIES[:4]]
            for name in names:
                if asked.text(name) not in (None, "accept", "False", "false", "0"):
                    raise Unprocessable("Notifications are not filtered here")
            counts = {"pending_requests_count": 0, "pending_notifications_count": 0}
            return {**dict.fromkeys(names, accepts), "summary": counts}

        return policy

    def _pages(self, asked: Asked) -> Any:
        timelines, me = self.library.timelines, asked.me
        return lambda span: timelines.notices(me.id, span)

    def _wanted(self, asked: Asked) -> Any:
        types, without = set(asked.texts("types")), set(asked.texts("exclude_types"))
        number = asked.text("account_id")
        actor, me = self.library.iri_of(number) if number else None, asked.me

        def wanted(notice: Notice) -> bool:
            is_kind = (not types or notice.kind in types) and notice.kind not in without
            is_his = actor in (None, notice.actor)
            return is_kind and is_his and moderation.hears(self.library.wing, me, notice.actor)

        return wanted

    def _notice(self, asked: Asked) -> Notice:
        number = asked.path["id"]
        is_number = number.isdecimal() and len(number) < 19
        found = self.library.timelines.notice(asked.me.id, int(number)) if is_number else None
        if found is None:
            raise NotFound
        return found

    def _of(self, asked: Asked) -> list[Notice]:
        """The notices of a group, the newest first; raises NotFound."""
        key = asked.path["key"]
        page = self.library.timelines.notices(asked.me.id, Span(_LOOKED_AT))
        found = [
            each for each in page if key in (self.entities.group_key(each), f"ungrouped-{each.id}")
        ]
        if not found:
            raise NotFound
        return found

    async def _grouped(self, groups: Sequence[Sequence[Notice]], asked: Asked) -> Entity:
        kinds = frozenset(asked.texts("grouped_types")) or GROUPED
        accounts: dict[str, Entity] = {}
        statuses: dict[str, Entity] = {}
        told = []
        for group in groups:
            first = await self.entities.notification(group[0], asked.me)
            if first is None:
                continue
            actors = list(dict.fromkeys(each.actor for each in group))[:_SAMPLE]
            shown = [await self.entities.persons.account(Iri(actor)) for actor in actors]
            accounts |= {each["id"]: each for each in shown}
            entity = {
                "group_key": self.entities.group_key(group[0], kinds),
                "notifications_count": len(group),
                "type": first["type"],
                "most_recent_notification_id": group[0].id,
                "page_min_id": str(group[-1].id),
                "page_max_id": str(group[0].id),
                "latest_page_notification_at": stamp(group[0].at),
                "sample_account_ids": [each["id"] for each in shown],
            }
            if "status" in first:
                statuses[first["status"]["id"]] = first["status"]
                entity["status_id"] = first["status"]["id"]
            told.append(entity)
        return {
            "accounts": list(accounts.values()),
            "statuses": list(statuses.values()),
            "notification_groups": told,
        }
