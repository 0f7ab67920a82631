"""What a member does with a post: like, boost, bookmark, pin; and lists of what they did.

Spec: https://docs.joinmastodon.org/methods/statuses/#favourite, bookmarks and favourites
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.activitypub.acts import Acts
from adapters.activitypub.bookmarks import BOOKMARKS, mark, unmark
from adapters.activitypub.lens.act import Act, folder
from adapters.activitypub.mastodon.entities import Entities
from adapters.activitypub.mastodon.frame import Asked, Frame, Page, ids_page
from adapters.activitypub.mastodon.library import CatchUp, Library
from adapters.activitypub.mastodon.pictures import Entity
from adapters.activitypub.wing import Wing
from pod.errors import Unprocessable
from pod.model.ids import Iri, Nsid, Rkey
from pod.model.member import Member
from pod.model.profile import Profile
from pod.model.resource import ResourcePath
from pod.read import PROFILE_PATH, noun_of, record_of
from pod.records.cid import cid_text
from pod.records.lens import index as records
from pod.write import Delete, PutRecord

_PROFILES: Final = Nsid("app.bsky.actor.profile")


@dataclass(frozen=True, slots=True)
class Reactions:
    """The endpoints about what is done with posts."""

    wing: Wing
    library: Library
    entities: Entities
    acts: Acts
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
        ):  # fmt: skip
            frame.add("POST", f"{at}/<id>/{name}", scope, self._acting(name))
        frame.add("GET", "/api/v1/favourites", "read:favourites", self.favourites)
        frame.add("GET", "/api/v1/bookmarks", "read:bookmarks", self.bookmarks)

    async def favourites(self, asked: Asked) -> Page:
        """What the member liked."""
        found = self._done(asked.me, folder("like"))
        for row in self.wing.reader.resources(
            asked.me.id, "/repo/app.bsky.feed.like/", after=None, limit=400, reverse=True
        ):
            url = self.wing.presented(asked.me).names.object_url(row.subject or "")
            found += [url] if url is not None else []
        return await self._page(asked, found)

    async def bookmarks(self, asked: Asked) -> Page:
        """What the member marked for themselves."""
        return await self._page(asked, self._done(asked.me, BOOKMARKS))

    def _done(self, member: Member, prefix: str) -> list[Iri]:
        rows = self.wing.reader.resources(member.id, prefix, after=None, limit=400, reverse=True)
        return [Iri(row.subject) for row in rows if row.subject]

    async def _page(self, asked: Asked, found: Sequence[Iri]) -> Page:
        shown = await self.entities.statuses(list(dict.fromkeys(found)), asked.me)
        by_id = {int(each["id"]): each for each in shown}
        return ids_page([by_id[number] for number in asked.span().cut(list(by_id))])

    def _by(self, kind: str) -> Callable[[Asked], Awaitable[Page]]:
        async def people(asked: Asked) -> Page:
            iri, _ = self.library.known(asked.path["id"], asked.member)
            held = self.wing.local_object(iri)
            actors: list[Iri] = []
            if held is not None:
                edge_kind: Any = kind
                edges = self.wing.edges.page(held[0].id, held[1].path, edge_kind, limit=80)
                actors = [edge.actor for edge in edges]
            act: Any = kind
            if asked.member is not None and self.entities.has_done(asked.member, act, iri):
                actors.insert(0, asked.member.webid)
            shown = [await self.entities.persons.account(each) for each in dict.fromkeys(actors)]
            return Page(shown, None, None)

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
        else:
            await self._pin(asked, iri, is_pinned=name == "pin")
        return None

    def id_at(self, member: Member, path: ResourcePath) -> Iri:
        """The id of what was just written."""
        if path.startswith("/repo/"):
            found = self.wing.presented(member).names.object_url(member.at_uri(path))
            return found or member.url(path)
        return member.url(path)

    async def _pin(self, asked: Asked, iri: Iri, *, is_pinned: bool) -> None:
        held = self.wing.local_object(iri)
        if held is None or held[0].id != asked.me.id:
            raise Unprocessable("Someone else's post cannot be pinned")
        resource = self.wing.reader.resource(asked.me.id, PROFILE_PATH)
        noun = noun_of(resource) if resource is not None else Profile()
        before = noun if isinstance(noun, Profile) else Profile()
        uri = asked.me.at_uri(held[1].path)
        if not is_pinned and (before.pinned is None or before.pinned.uri != uri):
            return
        source = record_of(resource) if resource is not None else None
        record = records.put(_PROFILES, before, source)
        if is_pinned:
            record["pinnedPost"] = {"uri": uri, "cid": cid_text(held[1].cid)}
        else:
            record.pop("pinnedPost", None)
        op = PutRecord(_PROFILES, Rkey("self"), record)
        await self.wing.write.apply(asked.agent, asked.me.id, [op])
