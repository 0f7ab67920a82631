"""Fills the lists that are the same for everybody: public posts by hashtag, people by words.

Spec: https://docs.joinmastodon.org/methods/timelines/#public, #tag
"""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from typing import Final

from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import act, circle
from adapters.activitypub.mastodon.library import Library, moment, own_id
from adapters.activitypub.mastodon.nodes import hashtags, visibility
from adapters.activitypub.mastodon.ports import Listings
from adapters.activitypub.wing import Wing
from pod.model.change import Change
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.profile import Profile
from pod.model.resource import ResourcePath
from pod.model.timeline import Listed
from pod.read import NOTES_PREFIX, PROFILE_PATH, noun_of

EVERYWHERE: Final = "public"
HERE: Final = "public:local"
ELSEWHERE: Final = "public:remote"

_POSTED: Final = (
    NOTES_PREFIX,
    "/repo/app.bsky.feed.repost/",
    circle.CIRCLE,
    act.folder("announce"),
)
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
                found: list[Listed] = []
                for change in changes:
                    found += await self._take(change)
                if found:
                    await self._listings.enlist(*found)
                self._seq = changes[-1].seq
                if found or self._seq - self._saved > _SAVED_EVERY:
                    await self._listings.move(self._seq)
                    self._saved = self._seq

    async def fetch(self, iri: Iri) -> Node:
        """A post of another server that somebody looks at, kept from now on.

        It is no news: no public timeline shows it. Raises what fetching raises, and Invalid.
        """
        post = await self._library.fetch(iri)
        author, own = read.author(post), read.id_of(post)
        if author is not None and own is not None:
            names = [name for name in self._names(post, ELSEWHERE, author) if name[0] in "@>"]
            at = moment(post, "published", self._wing.clock.now())
            await self._listings.enlist(Listed(own, at, tuple(names)))
        return post

    async def heard(self, post: Node, author: Iri, at: datetime) -> None:
        """A post or boost of another server came, or its new state."""
        iri = Iri(post["id"])
        is_quiet = self._wing.federation.silences(author)
        names = [by(author)] if is_quiet else self._names(post, ELSEWHERE, author)
        await self._listings.enlist(Listed(iri, at, tuple(names)))

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

    async def _take(self, change: Change) -> list[Listed]:
        member = self._wing.reader.member(change.member)
        if member is None:
            return []
        paths = [op.path for op in change.ops]
        if change.kind in ("account", "identity") or PROFILE_PATH in paths:
            await self._introduce(member)
        found = []
        for op in change.ops if member.is_active else ():
            if op.path.startswith(_POSTED) and op.action != "delete":
                await asyncio.sleep(0)  # requests come first
                found += self._posted(member, op.path, change)
        return found

    async def _introduce(self, member: Member) -> None:
        if not member.is_active:
            self._known.pop(member.webid, None)
            await self._listings.describe(member.webid, ())
            return
        resource = self._wing.reader.resource(member.id, PROFILE_PATH)
        noun = noun_of(resource) if resource is not None else None
        name = noun.name if isinstance(noun, Profile) else None
        await self.introduce(member.webid, member.acct, name or "")

    def _posted(self, member: Member, path: ResourcePath, change: Change) -> list[Listed]:
        """A post or boost of a member; what they brought along is no news."""
        resource = self._wing.reader.resource(member.id, path)
        if resource is None:
            return []
        iri = own_id(member, path, resource.generation)
        post = self._library.post(iri, member)
        if post is None:
            return []
        if change.kind == "sync":
            at = moment(post, "published", change.at)
            return [Listed(iri, at, (by(member.webid),))]
        return [Listed(iri, change.at, tuple(self._names(post, HERE, member.webid)))]

    def _names(self, post: Node, place: str, author: Iri) -> list[str]:
        names = [by(author)]
        parent, seen_by = read.iri(post, "inReplyTo"), visibility(post)
        if parent is not None:
            names.append(to(parent) if seen_by in ("public", "unlisted") else aside(parent))
        if "Announce" not in read.types(post) and seen_by == "public":
            names += [f"#{name}" for name in hashtags(post)]
            if not self._library.answers_others(post):
                names += [EVERYWHERE, place]
        return names


def by(author: Iri) -> str:
    """The name of the list of what somebody posted and boosted."""
    return f"@{author}"


def to(iri: Iri) -> str:
    """The name of the list of answers to a post that everybody may see."""
    return f">{iri}"


def aside(iri: Iri) -> str:
    """The name of the list of answers to a post that are for some."""
    return f">>{iri}"


def _words_of(name: str) -> list[str]:
    return _WORD.findall(name.lower())[:_MOST_WORDS]
