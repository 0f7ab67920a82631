"""Posts, boosts and notices as Mastodon's entities.

Spec: https://docs.joinmastodon.org/entities/Status/, https://docs.joinmastodon.org/entities/Notification/
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from adapters.activitypub import circle
from adapters.activitypub.bookmarks import BOOKMARKS
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import poll, quote
from adapters.activitypub.lens.act import Act
from adapters.activitypub.mastodon import reading
from adapters.activitypub.mastodon.answers import Answers
from adapters.activitypub.mastodon.ballots import poll_entity
from adapters.activitypub.mastodon.filters import Filters
from adapters.activitypub.mastodon.library import Library, moment, stamp
from adapters.activitypub.mastodon.nodes import hashtags, page_of, tags, visibility
from adapters.activitypub.mastodon.persons import Persons
from adapters.activitypub.mastodon.pictures import Entity
from adapters.activitypub.pins import pinned_by
from adapters.activitypub.wing import Wing
from pod.errors import NotFound
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.timeline import Notice

GROUPED: Final = frozenset({"favourite", "reblog", "follow"})
"""The kinds of notices that apps show together."""


@dataclass(frozen=True, slots=True)
class Entities:
    """Makes entities for a reader."""

    wing: Wing
    library: Library
    persons: Persons
    filters: Filters
    answers: Answers

    async def status(
        self, iri: Iri, node: Node, reader: Member | None, *, nested: bool = False
    ) -> Entity:
        """A post or boost; one that is ``nested`` in another only names what it quotes."""
        now = self.wing.clock.now()
        at = moment(node, "published", now)
        if "Announce" in read.types(node):
            return await self._boost(iri, node, reader)
        author = read.author(node) or iri
        number = await self.library.id_of(iri, at)
        parent = read.iri(node, "inReplyTo")
        found = self.library.post(parent, reader) if parent is not None else None
        parent_author = read.author(found) if found is not None else None
        edited = moment(node, "updated", now) if node.get("updated") else None
        warning = reading.warning(node)
        return {
            "id": number,
            "created_at": stamp(at),
            "in_reply_to_id": await self._number(parent, found),
            "in_reply_to_account_id": await self._person(parent_author),
            "sensitive": read.flag(node, "sensitive") is True or bool(warning),
            "spoiler_text": warning,
            "visibility": visibility(node),
            "language": reading.language(node),
            "uri": iri,
            "url": page_of(node) or iri,
            "edited_at": stamp(edited) if edited is not None and edited > at else None,
            "content": reading.words(node),
            "filtered": await self.filters.matches(reader, iri, node) if reader else [],
            "reblog": None,
            "application": None,
            "account": await self.persons.account(author),
            "media_attachments": self.persons.pictures.attachments(node, number),
            "mentions": [await self.persons.mention(tag) for tag in tags(node, "Mention")],
            "tags": [self._tag(name) for name in hashtags(node)],
            "emojis": self.persons.pictures.emojis(node),
            "card": None,
            "poll": poll_entity(self.wing, iri, node, reader, number)
            if poll.is_poll(node)
            else None,
            "quote": await self._quote(node, reader, nested=nested),
            **self._reactions(iri, node, reader),
        }

    async def shown(self, iri: Iri, reader: Member | None) -> Entity:
        """The post or boost with an id; raises NotFound for what the reader may not see."""
        node = self.library.post(iri, reader)
        if node is None:
            raise NotFound
        shown = await self.status(iri, node, reader)
        if shown["account"] is None:
            raise NotFound
        return shown

    async def statuses(self, iris: list[Iri], reader: Member | None) -> list[Entity]:
        """Those posts of a list that the reader may see."""
        found = []
        for iri in iris:
            await asyncio.sleep(0)  # other requests may come between
            node = self.library.post(iri, reader)
            if node is None:
                continue
            entity = await self.status(iri, node, reader)
            if entity["account"] is not None:
                found.append(entity)
        return found

    async def notification(self, notice: Notice, reader: Member) -> Entity | None:
        """A notice; None where its post is gone."""
        told: Entity = {
            "id": str(notice.id),
            "type": notice.kind,
            "created_at": stamp(notice.at),
            "group_key": self.group_key(notice),
            "account": await self.persons.account(notice.actor),
        }
        if not notice.about:
            return told
        node = self.library.post(notice.about, reader)
        if node is None:
            return None
        return told | {"status": await self.status(Iri(notice.about), node, reader)}

    def group_key(self, notice: Notice, kinds: Collection[str] = GROUPED) -> str:
        """The name of the group of a notice: of some kinds all of a day about the same post."""
        if notice.kind not in GROUPED or notice.kind not in kinds:
            return f"ungrouped-{notice.id}"
        about = self.library.timelines.id_of(notice.about) if notice.about else 0
        return f"{notice.kind}-{about or 0}-{notice.at.date().toordinal()}"

    async def _quote(self, node: Node, reader: Member | None, *, nested: bool) -> Entity | None:
        """What a post quotes, and whether its author let it."""
        target = quote.quoted(node)
        if target is None:
            return None
        key: Entity = {"quoted_status_id": None} if nested else {"quoted_status": None}
        found = self.library.post(target, reader)
        author = read.iri(found, "attributedTo") if found is not None else None
        if found is None or author is None:
            is_here = self.wing.is_local(target)
            return {"state": "deleted" if is_here else "pending", **key}
        may = read.iri(node, "quoteAuthorization") is not None or "quote" not in node
        if not may and author != read.iri(node, "attributedTo"):
            return {"state": "pending", **key}
        if nested:
            at = moment(found, "published", self.wing.clock.now())
            return {"state": "accepted", "quoted_status_id": await self.library.id_of(target, at)}
        shown = await self.status(target, found, reader, nested=True)
        return {"state": "accepted", "quoted_status": shown}

    async def _boost(self, iri: Iri, node: Node, reader: Member | None) -> Entity:
        target = read.iri(node, "object") or iri
        inner = self.library.post(target, reader)
        at = moment(node, "published", self.wing.clock.now())
        if inner is None or "Announce" in read.types(inner):
            return {"id": await self.library.id_of(iri, at), "account": None}
        shown = await self.status(target, inner, reader)
        booster = read.iri(node, "actor") or iri
        return {
            **shown,
            "id": await self.library.id_of(iri, at),
            "created_at": stamp(at),
            "uri": iri,
            "url": iri,
            "edited_at": None,
            "account": await self.persons.account(booster),
            "reblog": shown,
        }

    def _reactions(self, iri: Iri, node: Node, reader: Member | None) -> Entity:
        """How often a post was answered, liked and boosted, and what the reader did with it.

        Those who are known are counted; of another server's post as many as it says, if more.
        """
        wing, local = self.wing, circle.place(self.wing, iri)
        told: Entity = {"replies_count": self.answers.count(iri, local)}
        kinds: tuple[tuple[str, str, Act, str], ...] = (
            ("reblogs_count", "reblogged", "announce", "shares"),
            ("favourites_count", "favourited", "like", "likes"),
        )
        for count, done, kind, key in kinds:
            people = [member for member, _ in self.library.acts_about(iri, kind, local)]
            actors = self.library.people(people) if local is not None else []
            edge: Any = kind
            said = read.node(node, key) if local is None else None
            known = len(people)
            if local is not None:  # a member's act is an edge too once it has arrived
                place = local[0].id, local[1].path, edge
                known = wing.edges.count(*place)
                known += sum(wing.edges.held(*place, each.webid) is None for each in actors)
            told[count] = max(known, (read.number(said, "totalItems") or 0) if said else 0)
            told[done] = reader is not None and reader.id in people
        told["bookmarked"] = bool(reader and wing.reader.about(reader.id, BOOKMARKS, iri))
        told["muted"] = reader is not None and self.library.is_quiet(reader, iri)
        if local is not None and reader is not None and local[0].id == reader.id:
            told["pinned"] = iri in pinned_by(wing, reader)
        return told

    async def _number(self, iri: Iri | None, node: Node | None) -> str | None:
        if iri is None or node is None:
            return None
        return await self.library.id_of(iri, moment(node, "published", self.wing.clock.now()))

    async def _person(self, iri: Iri | None) -> str | None:
        return None if iri is None else await self.persons.number(iri)

    def _tag(self, name: str) -> Entity:
        return {"name": name, "url": f"{self.wing.server}/tags/{name}"}
