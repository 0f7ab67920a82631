"""What a member does with a post: like, boost, bookmark, pin; and lists of what they did.

Spec: https://docs.joinmastodon.org/methods/statuses/#favourite, bookmarks and favourites
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.activitypub import circle
from adapters.activitypub.acts import Acts
from adapters.activitypub.bookmarks import BOOKMARKS, mark, unmark
from adapters.activitypub.lens.act import Act, folder
from adapters.activitypub.mastodon.entities import Entities
from adapters.activitypub.mastodon.frame import Asked, Frame, Page
from adapters.activitypub.mastodon.library import QUIET, CatchUp, Library
from adapters.activitypub.mastodon.paging import filled
from adapters.activitypub.mastodon.pictures import Entity
from adapters.activitypub.papers import Papers
from adapters.activitypub.pins import Pins
from adapters.activitypub.wing import Wing
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.resource import ResourcePath
from pod.write import Delete

_LIKES: Final = "/repo/app.bsky.feed.like/"
_MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Reactions:
    """The endpoints about what is done with posts."""

    wing: Wing
    library: Library
    entities: Entities
    acts: Acts
    pins: Pins
    catch_up: CatchUp

    def add(self, frame: Frame) -> None:
        """All routes."""
        at = "/api/v1/statuses"
        frame.add("GET", f"{at}/<id>/favourited_by", "read:statuses?", self._by("like"))
        frame.add("GET", f"{at}/<id>/reblogged_by", "read:statuses?", self._by("announce"))
        for name, scope in (
            ("favourite", "write:favourites"), ("unfavourite", "write:favourites"),
            ("reblog", "write:statuses"), ("unreblog", "write:statuses"),
            ("bookmark", "write:bookmarks"), ("unbookmark", "write:bookmarks"),
            ("pin", "write:accounts"), ("unpin", "write:accounts"),
            ("mute", "write:mutes"), ("unmute", "write:mutes"),
        ):  # fmt: skip
            frame.add("POST", f"{at}/<id>/{name}", scope, self._acting(name))
        frame.add("GET", "/api/v1/favourites", "read:favourites", self.favourites)
        frame.add("GET", "/api/v1/bookmarks", "read:bookmarks", self.bookmarks)

    async def favourites(self, asked: Asked) -> Page:
        """What the member liked, the newest like first."""
        return await self._page(asked, (folder("like"), _LIKES))

    async def bookmarks(self, asked: Asked) -> Page:
        """What the member marked for themselves, the newest mark first."""
        return await self._page(asked, (BOOKMARKS,))

    async def _page(self, asked: Asked, folders: Sequence[str]) -> Page:
        """A page of the posts that documents or records of the member are about, by their time."""
        names, found = self.wing.presented(asked.me).names, dict[int, str]()
        for prefix in folders:
            rows = self.wing.reader.resources(
                asked.me.id, prefix, after=None, limit=_MOST, reverse=True
            )
            found |= {int(row.created_at.timestamp() * 1e6): row.subject or "" for row in rows}

        async def show(number: int) -> Entity | None:
            about = found[number]
            iri = names.object_url(about) if about.startswith("at://") else Iri(about)
            shown = await self.entities.statuses([iri], asked.me) if iri else []
            return shown[0] if shown else None

        return await filled(
            asked.span(), lambda span: span.cut(list(found)), lambda number: number, show
        )

    def _by(self, kind: Act) -> Callable[[Asked], Awaitable[Page]]:
        async def people(asked: Asked) -> Page:
            iri, _ = self.library.known(asked.path["id"], asked.member)
            held = circle.place(self.wing, iri)
            acts = self.library.acts_about(iri, kind, held)
            actors = [each.webid for each in self.library.people(member for member, _ in acts)]
            if held is not None:
                edge: Any = kind
                edges = self.wing.edges.page(held[0].id, held[1].path, edge, limit=_MOST)
                actors += [each.actor for each in edges]
            return await self.entities.persons.page(asked, list(dict.fromkeys(actors)))

        return people

    def _acting(self, name: str) -> Callable[[Asked], Awaitable[Entity]]:
        async def act(asked: Asked) -> Entity:
            iri, _ = self.library.known(asked.path["id"], asked.me)
            made = await self._act(name, asked, iri)
            await self.catch_up()
            return await self.entities.shown(made or iri, asked.me)

        return act

    async def _act(self, name: str, asked: Asked, iri: Iri) -> Iri | None:
        """Do it; the id of a boost that was made."""
        member, agent = asked.me, asked.agent
        acts: dict[str, Act] = {"favourite": "like", "reblog": "announce"}
        if name in acts:
            path = await self.acts.do(agent, member, acts[name], iri)
            return self.id_at(member, path) if name == "reblog" else None
        if name.removeprefix("un") in acts:
            held = self.acts.held(member, acts[name.removeprefix("un")], iri)
            ops = [Delete(path, missing_ok=True) for path in held]
            await self.wing.write.apply(agent, member.id, ops)
        elif name == "bookmark":
            await mark(self.wing, agent, member, iri)
        elif name == "unbookmark":
            await unmark(self.wing, agent, member, iri)
        elif name in ("mute", "unmute"):
            await self._quiet(asked, iri, is_quiet=name == "mute")
        else:
            await self.pins.set(agent, member, iri, is_pinned=name == "pin")
        return None

    async def _quiet(self, asked: Asked, iri: Iri, *, is_quiet: bool) -> None:
        """Hear no more of a conversation, or again."""
        papers, root = Papers(self.wing, QUIET), self.library.root(iri, asked.me)
        held = papers.about(asked.me, root)
        if is_quiet and held is None:
            await papers.add(asked.agent, asked.me, {"root": root}, root)
        elif held is not None and not is_quiet:
            await papers.drop(asked.agent, asked.me, held)

    def id_at(self, member: Member, path: ResourcePath) -> Iri:
        """The id of what was just written."""
        if path.startswith("/repo/"):
            found = self.wing.presented(member).names.object_url(member.at_uri(path))
            return found or member.url(path)
        return member.url(path)
