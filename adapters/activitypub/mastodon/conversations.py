"""Conversations: direct messages by thread, from what the member wrote and what came to them.

Spec: https://docs.joinmastodon.org/methods/conversations/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import circle
from adapters.activitypub.mastodon.entities import Entities
from adapters.activitypub.mastodon.frame import Asked, Frame, Page
from adapters.activitypub.mastodon.library import Library
from adapters.activitypub.mastodon.nodes import tags, visibility
from adapters.activitypub.mastodon.pictures import Entity
from adapters.activitypub.moderation import INBOX, WAITING
from adapters.activitypub.wing import Wing
from pod.errors import Invalid, NotFound, TooLarge
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.timeline import Span

_LOOKED_AT: Final = 400
"""How many of the newest messages, of each side, are looked at."""


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a thread begins, its newest message and the number of that, and who is in it."""

    root: Iri
    last: Iri
    number: int
    people: tuple[Iri, ...]


@dataclass(frozen=True, slots=True)
class Conversations:
    """The endpoints about direct messages; what was read and put away is kept as markers."""

    wing: Wing
    library: Library
    entities: Entities

    def add(self, frame: Frame) -> None:
        """All routes."""
        at = "/api/v1/conversations"
        frame.add("GET", at, "read:statuses", self.all)
        frame.add("DELETE", f"{at}/<id>", "write:conversations", self.remove)
        frame.add("POST", f"{at}/<id>/read", "write:conversations", self.read)

    async def all(self, asked: Asked) -> Page:
        """The member's conversations, by their newest message."""
        threads = [
            each for each in await self._threads(asked.me) if each.number > self._gone(asked, each)
        ]
        by_number = {each.number: each for each in threads}
        chosen = asked.span(20, 40).cut(list(by_number))
        shown = [await self._shown(asked, by_number[number]) for number in chosen]
        return Page(shown, max(chosen, default=None), min(chosen, default=None))

    async def remove(self, asked: Asked) -> Entity:
        """Put a conversation away, until somebody says something in it."""
        thread = await self._thread(asked)
        await self._mark(asked, "gone", thread)
        return {}

    async def read(self, asked: Asked) -> Entity:
        """A conversation was read."""
        thread = await self._thread(asked)
        await self._mark(asked, "read", thread)
        return await self._shown(asked, thread)

    async def _thread(self, asked: Asked) -> Thread:
        root = self.library.iri_of(asked.path["id"])
        found = [each for each in await self._threads(asked.me) if each.root == root]
        if not found:
            raise NotFound
        return found[0]

    async def _threads(self, member: Member) -> list[Thread]:
        """All threads of direct messages."""
        found: dict[Iri, Thread] = {}
        now = self.wing.clock.now()
        for iri, node in self._messages(member):
            root = self.library.root(iri, member)
            number = int(await self.library.id_of(iri, now))
            held = found.get(root)
            others = tuple(each for each in _people(node) if each != member.webid)
            people = tuple(dict.fromkeys([*(held.people if held else ()), *others]))
            newest = (iri, number) if held is None or number > held.number else (
                held.last, held.number
            )  # fmt: skip
            found[root] = Thread(root, *newest, people)
        return list(found.values())

    def _messages(self, member: Member) -> list[tuple[Iri, Node]]:
        """Direct messages that the member wrote or got."""
        found: dict[Iri, Node] = {}
        for folder in (circle.CIRCLE, INBOX):
            rows = self.wing.reader.resources(
                member.id, folder, after=None, limit=_LOOKED_AT, reverse=True
            )
            for row in rows:
                if row.path.startswith(WAITING):
                    continue
                try:
                    node = read.parse(row.body)
                except (Invalid, TooLarge):
                    continue
                iri = read.id_of(node)
                if iri is not None and "attributedTo" in node and visibility(node) == "direct":
                    found[iri] = node
        for notice in self.library.timelines.notices(member.id, Span(_LOOKED_AT)):
            about = Iri(notice.about)
            if notice.kind == "mention" and about not in found and self.wing.is_local(about):
                post = self.library.post(about, member)
                if post is not None and visibility(post) == "direct":
                    found[about] = post
        return [(iri, node) for iri, node in found.items() if self.library.post(iri, member)]

    async def _shown(self, asked: Asked, thread: Thread) -> Entity:
        marker = self.library.timelines.marker(asked.me.id, f"read {thread.root}")
        node = self.library.post(thread.last, asked.me) or {}
        is_own = read.author(node) == asked.me.webid
        was_read = marker is not None and int(marker.last_id) >= thread.number
        persons = self.entities.persons
        return {
            "id": await self.library.id_of(thread.root, self.wing.clock.now()),
            "unread": not (is_own or was_read),
            "accounts": [await persons.account(each) for each in thread.people],
            "last_status": await self.entities.status(thread.last, node, asked.me),
        }

    def _gone(self, asked: Asked, thread: Thread) -> int:
        marker = self.library.timelines.marker(asked.me.id, f"gone {thread.root}")
        return int(marker.last_id) if marker is not None else -1

    async def _mark(self, asked: Asked, kind: str, thread: Thread) -> None:
        name, last = f"{kind} {thread.root}", str(thread.number)
        await self.library.timelines.mark(asked.me.id, name, last, self.wing.clock.now())


def _people(node: Node) -> list[Iri]:
    named = [read.iri(tag, "href") for tag in tags(node, "Mention")]
    found = [read.author(node), *named]
    return [each for each in found if each is not None]
