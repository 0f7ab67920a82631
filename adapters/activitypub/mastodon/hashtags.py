"""Hashtags: followed ones, whose public posts come home, and those that a profile shows.

Spec: https://docs.joinmastodon.org/methods/tags/, followed_tags and featured_tags
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from adapters.activitypub.mastodon.frame import Asked, Frame, Page
from adapters.activitypub.mastodon.gather import FOLLOWED_TAGS
from adapters.activitypub.mastodon.library import Library
from adapters.activitypub.mastodon.pictures import Entity
from adapters.activitypub.mastodon.ports import Listings
from adapters.activitypub.papers import Papers
from adapters.activitypub.presence import Presences
from adapters.activitypub.wing import Wing
from pod.errors import Invalid, NotFound
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.timeline import Span

_DAYS: Final = 7
_LOOKED_AT: Final = 200


@dataclass(frozen=True, slots=True)
class Hashtags:
    """The endpoints about hashtags."""

    wing: Wing
    library: Library
    listings: Listings
    presences: Presences

    def add(self, frame: Frame) -> None:
        """All routes."""
        frame.add("GET", "/api/v1/tags/<name>", "read?", self.show)
        frame.add("POST", "/api/v1/tags/<name>/follow", "write:follows", self.follow)
        frame.add("POST", "/api/v1/tags/<name>/unfollow", "write:follows", self.unfollow)
        frame.add("GET", "/api/v1/followed_tags", "read:follows", self.followed)
        frame.add("GET", "/api/v1/featured_tags", "read:accounts", self.featured)
        frame.add("POST", "/api/v1/featured_tags", "write:accounts", self.feature)
        frame.add("DELETE", "/api/v1/featured_tags/<id>", "write:accounts", self.unfeature)
        frame.add("GET", "/api/v1/featured_tags/suggestions", "read:accounts", self.suggested)
        frame.add("GET", "/api/v1/accounts/<id>/featured_tags", "read:accounts?", self.of_account)

    async def show(self, asked: Asked) -> Entity:
        """A hashtag, and how often it was used of late, as far as is known here."""
        name = _name(asked.path["name"])
        return {**await self.entity(name, asked.member), "history": self._history(name)}

    async def starting(self, word: str, limit: int, reader: Member | None) -> list[Entity]:
        """A hashtag, and those that begin with it and were used."""
        used = self.listings.names(f"#{word}", limit=limit)
        names = dict.fromkeys([word, *(name.removeprefix("#") for name in used)])
        return [await self.entity(name, reader) for name in list(names)[:limit]]

    async def entity(self, name: str, reader: Member | None) -> Entity:
        """A hashtag as a reader sees it, without its history."""
        url = f"{self.wing.server}/tags/{name}"
        following = reader is not None and self._papers.about(reader, name) is not None
        featuring = reader is not None and name in map(str.lower, self._featured(reader))
        return {
            "id": await self.library.id_of(url, self.wing.clock.now()),
            "name": name,
            "url": url,
            "history": [],
            "following": following,
            "featuring": featuring,
        }

    def _history(self, name: str) -> list[Entity]:
        """How many posts of how many people had a hashtag, by day, of those that are known."""
        days: dict[str, list[str]] = {}
        for _, iri in self.listings.listed(f"#{name}", Span(_LOOKED_AT)):
            post = self.library.post(iri, None) or {}
            day = str(post.get("published", ""))[:10]
            days.setdefault(day, []).append(str(post.get("attributedTo")))
        today = self.wing.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        week = [today - timedelta(days=back) for back in range(_DAYS)]
        told = [(day, days.get(day.date().isoformat(), [])) for day in week]
        return [
            {
                "day": str(int(day.timestamp())),
                "uses": str(len(used)),
                "accounts": str(len(set(used))),
            }
            for day, used in told
        ]

    async def follow(self, asked: Asked) -> Entity:
        """Have public posts with a hashtag come home."""
        name = _name(asked.path["name"])
        if self._papers.about(asked.me, name) is None:
            await self._papers.add(asked.agent, asked.me, {"name": name}, name)
        return await self.entity(name, asked.me)

    async def unfollow(self, asked: Asked) -> Entity:
        """No more of a hashtag."""
        name = _name(asked.path["name"])
        held = self._papers.about(asked.me, name)
        if held is not None:
            await self._papers.drop(asked.agent, asked.me, held)
        return await self.entity(name, asked.me)

    async def followed(self, asked: Asked) -> Page:
        """The hashtags that the member follows, the newest first."""
        names = [paper.subject or "" for paper in self._papers.all(asked.me)]
        shown = [await self.entity(name, asked.me) for name in names if name]
        by_id = {int(tag["id"]): tag for tag in shown}
        chosen = asked.span(100, 200).cut(list(by_id))
        items = [by_id[number] for number in chosen]
        return Page(items, max(chosen, default=None), min(chosen, default=None))

    async def featured(self, asked: Asked) -> Sequence[Entity]:
        """The hashtags on the member's profile."""
        return [await self._shown(asked.me, name) for name in self._featured(asked.me)]

    async def of_account(self, asked: Asked) -> Sequence[Entity]:
        """The hashtags on somebody's profile; of other servers' nothing is known."""
        iri, _ = await self.library.known_actor(asked.path["id"])
        local = self.wing.local_actor(iri)
        names = self._featured(local) if local is not None else ()
        return [await self._shown(local, name) for name in names if local is not None]

    async def feature(self, asked: Asked) -> Entity:
        """Put a hashtag on the profile."""
        name = (asked.text("name") or "").strip().removeprefix("#")
        if not name:
            raise Invalid("Tag can't be blank")
        held = self._featured(asked.me)
        if name.lower() in map(str.lower, held):
            raise Invalid("Tag is featured already")
        await self._feature(asked, (*held, name))
        return await self._shown(asked.me, name)

    async def unfeature(self, asked: Asked) -> Entity:
        """Take a hashtag off the profile."""
        wanted = self.library.iri_of(asked.path["id"])
        held = self._featured(asked.me)
        rest = tuple(name for name in held if _id(asked.me, name) != wanted)
        if rest == held:
            raise NotFound
        await self._feature(asked, rest)
        return {}

    async def suggested(self, asked: Asked) -> Sequence[Entity]:  # noqa: ARG002  whoever asks
        """None are suggested."""
        return []

    async def _feature(self, asked: Asked, names: tuple[str, ...]) -> None:
        await self.presences.set(
            asked.agent, asked.me, lambda held: replace(held, featured_tags=names)
        )

    def _featured(self, member: Member) -> tuple[str, ...]:
        return self.presences.get(member).featured_tags

    async def _shown(self, member: Member, name: str) -> Entity:
        iris = [iri for _, iri in self.listings.listed(f"#{name.lower()}", Span(_LOOKED_AT))]
        own = [iri for iri in iris if iri.startswith(f"{member.origin}/")]
        last = self.library.post(own[0], None) if own else None
        return {
            "id": await self.library.id_of(_id(member, name), self.wing.clock.now()),
            "name": name,
            "url": f"{self.wing.server}/tags/{name.lower()}",
            "statuses_count": str(len(own)),
            "last_status_at": str(last.get("published", ""))[:10] if last is not None else None,
        }

    @property
    def _papers(self) -> Papers:
        return Papers(self.wing, FOLLOWED_TAGS)


def _id(member: Member, name: str) -> Iri:
    return Iri(f"{member.webid}#featured/{name.lower()}")


def _name(text: str) -> str:
    name = text.lower().removeprefix("#")
    if not name.replace("_", "a").isalnum() or len(name) > 100:
        raise NotFound
    return name
