"""Posts: write, change, delete, read, with what stands around them.

Spec: https://docs.joinmastodon.org/methods/statuses/
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from quart import request

from adapters.activitypub.jsonld import read
from adapters.activitypub.lens import html, poll
from adapters.activitypub.mastodon.branches import Branches
from adapters.activitypub.mastodon.composing import Composer
from adapters.activitypub.mastodon.entities import Entities
from adapters.activitypub.mastodon.frame import Asked, Frame
from adapters.activitypub.mastodon.library import MOST_PASTS, PAST, CatchUp, Library
from adapters.activitypub.mastodon.pictures import Entity
from adapters.activitypub.outbox import Outbox
from adapters.activitypub.papers import Papers
from adapters.activitypub.wing import Wing
from pod.errors import NotFound, Unprocessable
from pod.model.ids import Iri

_KEPT_KEYS: Final = 10_000
_MOST_BELOW: Final = 100

_KEPT_OF_STATES: Final = (
    "content", "spoiler_text", "sensitive", "account", "media_attachments", "emojis", "quote",
)  # fmt: skip


@dataclass(slots=True)
class Statuses:
    """The endpoints about posts. ``catch_up`` brings the timelines up to what was just written."""

    wing: Wing
    library: Library
    entities: Entities
    composer: Composer
    outbox: Outbox
    branches: Branches
    catch_up: CatchUp
    made: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def add(self, frame: Frame) -> None:
        """All routes."""
        at = "/api/v1/statuses"
        frame.add("POST", at, "write:statuses", self.create)
        frame.add("GET", at, "read:statuses?", self.several)
        frame.add("GET", f"{at}/<id>", "read:statuses?", self.show)
        frame.add("PUT", f"{at}/<id>", "write:statuses", self.edit)
        frame.add("DELETE", f"{at}/<id>", "write:statuses", self.delete)
        frame.add("GET", f"{at}/<id>/context", "read:statuses?", self.context)
        frame.add("GET", f"{at}/<id>/source", "read:statuses", self.source)
        frame.add("GET", f"{at}/<id>/history", "read:statuses?", self.history)

    async def create(self, asked: Asked) -> Entity:
        """Write a post, once for an ``Idempotency-Key``."""
        given = request.headers.get("Idempotency-Key", "")
        key = f"{asked.token} {given}" if given else ""
        held = self.made.get(key) if key else None
        if held is not None:
            return await self.entities.shown(Iri(held), asked.me)
        view = await self.composer.view(asked)
        iri = await self.outbox.post(asked.agent, asked.me, view)
        if key:
            self.made[key] = iri
            if len(self.made) > _KEPT_KEYS:
                self.made.popitem(last=False)
        await self.catch_up()
        return await self.entities.shown(iri, asked.me)

    async def edit(self, asked: Asked) -> Entity:
        """Change a post: its words, warning, language and pictures."""
        iri, before = self.library.own(asked.me, asked.path["id"])
        view = await self.composer.words(asked, before)
        view |= {"id": iri, "type": "Question" if poll.is_poll(before) else "Note"}
        told = asked.fields.get("poll")
        if isinstance(told, dict) and told.get("options") != poll.choices(before):
            raise Unprocessable("The choices of a poll cannot be changed")
        if "media_ids" in asked.fields:
            view["attachment"] = self.composer.attachments(asked, before)
        await self.outbox.post(asked.agent, asked.me, {"type": "Update", "object": view})
        past = Papers(self.wing, PAST)
        if self.library.post(iri, asked.me) != before:
            kept = past.every(asked.me, iri)
            await past.drop(asked.agent, asked.me, *kept[: len(kept) + 1 - MOST_PASTS])
            await past.add(asked.agent, asked.me, {"post": before}, iri)
        await self.catch_up()
        return await self.entities.shown(iri, asked.me)

    async def delete(self, asked: Asked) -> Entity:
        """Delete a post; what it was is told, so that it can be written anew."""
        iri, node = self.library.own(asked.me, asked.path["id"])
        shown = await self.entities.status(iri, node, asked.me)
        files = [
            await self.composer.uploads.anew(asked.me, part)
            for part in read.nodes(node, "attachment")
            if read.iri(part, "url") is not None
        ]
        await self.outbox.post(asked.agent, asked.me, {"type": "Delete", "object": iri})
        await self.catch_up()
        text = html.plain(read.text(node, "content") or "")
        return {**shown, "text": text, "media_attachments": files}

    async def show(self, asked: Asked) -> Entity:
        """A post."""
        iri = self.library.iri_of(asked.path["id"])
        return await self.entities.shown(iri, asked.member)

    async def several(self, asked: Asked) -> list[Entity]:
        """Some posts by their ids."""
        found = []
        for number in asked.texts("id")[:20]:
            try:
                found.append(self.library.iri_of(number))
            except NotFound:
                continue
        return await self.entities.statuses(found, asked.member)

    async def context(self, asked: Asked) -> Entity:
        """What a post answers, and what answers it, as far as it is known here.

        Members have fetched what stands around it where that is not.
        """
        iri, node = self.library.known(asked.path["id"], asked.member)
        above = await self.branches.above(iri, node, asked.member)
        below: list[Iri] = []
        waiting = self.entities.answers.of(iri)
        while waiting and len(below) < _MOST_BELOW:
            each = waiting.pop(0)
            if each not in below:
                below.append(each)
                waiting = [*self.entities.answers.of(each), *waiting]
        shown = [await self.entities.statuses(part, asked.member) for part in (above, below)]
        by_time = sorted(shown[1], key=lambda each: int(each["id"]))
        return {"ancestors": shown[0], "descendants": by_time}

    async def source(self, asked: Asked) -> Entity:
        """The words of one's own post, as they are edited."""
        _, node = self.library.own(asked.me, asked.path["id"])
        return {
            "id": asked.path["id"],
            "text": html.plain(read.text(node, "content") or ""),
            "spoiler_text": html.plain(read.text(node, "summary") or ""),
        }

    async def history(self, asked: Asked) -> list[Entity]:
        """What a post was, as far as that was kept, and what it is."""
        iri, node = self.library.known(asked.path["id"], asked.member)
        found = []
        for state in (*self.library.pasts(iri, asked.member), node):
            shown = await self.entities.status(iri, state, asked.member)
            asks = shown["poll"]["options"] if shown["poll"] else []
            options = [{"title": each["title"]} for each in asks]
            found.append(
                {
                    **{name: shown[name] for name in _KEPT_OF_STATES},
                    "created_at": shown["edited_at"] or shown["created_at"],
                    **({"poll": {"options": options}} if options else {}),
                }
            )
        return found
