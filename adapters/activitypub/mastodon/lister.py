"""Fills the lists that are the same for everybody: public posts by hashtag, people by words.

Spec: https://docs.joinmastodon.org/methods/timelines/#public, #tag
"""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from typing import Final

from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens.names import object_id
from adapters.activitypub.mastodon.library import Library
from adapters.activitypub.mastodon.nodes import hashtags, visibility
from adapters.activitypub.mastodon.ports import Listings
from adapters.activitypub.wing import Wing
from pod.model.change import Change
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.profile import Profile
from pod.model.resource import ResourcePath
from pod.read import NOTES_PREFIX, PROFILE_PATH, noun_of

EVERYWHERE: Final = "public"
HERE: Final = "public:local"
ELSEWHERE: Final = "public:remote"

_PAGE: Final = 100
_SAVED_EVERY: Final = 1_000
"""After how many changes with nothing to list the cursor is written down: replays do no harm."""

_WORD: Final = re.compile(r"\w{1,64}")
_MOST_WORDS: Final = 12
_REMEMBERED: Final = 10_000


class Lister:
    """Reads the change log, and takes what came from elsewhere."""

    def __init__(self, wing: Wing, listings: Listings, library: Library) -> None:
        self._wing = wing
        self._listings = listings
        self._library = library
        self._seq = listings.cursor()
        self._saved = self._seq
        self._turn = asyncio.Lock()
        self._known: dict[Iri, frozenset[str]] = {}

    async def catch_up(self) -> None:
        """Look at all changes that were not yet looked at."""
        async with self._turn:
            while changes := self._wing.reader.changes(after=self._seq, limit=_PAGE):
                has_listed = False
                for change in changes:
                    await asyncio.sleep(0)  # requests come first
                    has_listed |= await self._take(change)
                self._seq = changes[-1].seq
                if has_listed or self._seq - self._saved > _SAVED_EVERY:
                    await self._listings.move(self._seq)
                    self._saved = self._seq

    async def heard(self, post: Node, author: Iri, at: datetime) -> None:
        """A post of another server came, or its new state."""
        if not self._wing.federation.silences(author):
            await self._list(Iri(post["id"]), post, at, ELSEWHERE)

    async def introduce(self, iri: Iri, address: str, name: str) -> None:
        """Let somebody be found by their address and by the words of their name."""
        words = frozenset([address.lower(), *_words_of(name)])
        if self._known.get(iri) == words:
            return
        if self._listings.words(iri) != words:
            await self._listings.describe(iri, words)
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[iri] = words

    async def _take(self, change: Change) -> bool:
        member = self._wing.reader.member(change.member)
        if member is None:
            return False
        paths = [op.path for op in change.ops]
        if change.kind in ("account", "identity") or PROFILE_PATH in paths:
            await self._introduce(member)
        if not member.is_active or change.kind == "sync":
            return False
        has_listed = False
        for op in change.ops:
            if op.path.startswith(NOTES_PREFIX) and op.action != "delete":
                has_listed |= await self._take_post(member, op.path, change.at)
        return has_listed

    async def _introduce(self, member: Member) -> None:
        if not member.is_active:
            self._known.pop(member.webid, None)
            await self._listings.describe(member.webid, ())
            return
        resource = self._wing.reader.resource(member.id, PROFILE_PATH)
        noun = noun_of(resource) if resource is not None else None
        name = noun.name if isinstance(noun, Profile) else None
        await self.introduce(member.webid, member.acct, name or "")

    async def _take_post(self, member: Member, path: ResourcePath, at: datetime) -> bool:
        resource = self._wing.reader.resource(member.id, path)
        if resource is None:
            return False
        iri = object_id(member, path, resource.generation)
        post = self._library.post(iri, None)
        return post is not None and await self._list(iri, post, at, HERE)

    async def _list(self, iri: Iri, post: Node, at: datetime, place: str) -> bool:
        if visibility(post) != "public":
            return False
        names = [f"#{name}" for name in hashtags(post)]
        if not self._library.answers_others(post):
            names += [EVERYWHERE, place]
        await self._listings.enlist(iri, at, names)
        return True


def _words_of(name: str) -> list[str]:
    return _WORD.findall(name.lower())[:_MOST_WORDS]
