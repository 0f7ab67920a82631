"""Accounts of here and elsewhere: find them, what they posted, whom they follow.

Spec: https://docs.joinmastodon.org/methods/accounts/
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Final

from adapters.activitypub import moderation
from adapters.activitypub.addresses import find
from adapters.activitypub.mastodon.entities import Entities
from adapters.activitypub.mastodon.frame import NOBODY, Asked, Frame, Page
from adapters.activitypub.mastodon.library import Library
from adapters.activitypub.mastodon.lister import by
from adapters.activitypub.mastodon.paging import filled
from adapters.activitypub.mastodon.persons import Persons
from adapters.activitypub.mastodon.pictures import Entity
from adapters.activitypub.mastodon.ports import Listings
from adapters.activitypub.pins import pinned_by
from adapters.activitypub.shield import Shield, followers_of
from adapters.activitypub.wing import Wing
from pod.errors import NotFound, PodError
from pod.model.ids import Iri, MemberId

_MOST_ASKED: Final = 10
_MATCHES: Final = 400
"""How many people a word is looked up for."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """The endpoints about people."""

    wing: Wing
    library: Library
    entities: Entities
    persons: Persons
    shield: Shield
    listings: Listings

    def add(self, frame: Frame) -> None:
        """All routes."""
        at = "/api/v1/accounts"
        frame.add("GET", f"{at}/lookup", NOBODY, self.lookup)
        frame.add("GET", f"{at}/search", "read:accounts", self.search)
        frame.add("GET", f"{at}/familiar_followers", "read:follows", self.familiar)
        frame.add("GET", f"{at}/<id>", "read:accounts?", self.show)
        frame.add("GET", f"{at}/<id>/statuses", "read:statuses?", self.statuses)
        frame.add("GET", f"{at}/<id>/followers", "read:accounts?", self.followers)
        frame.add("GET", f"{at}/<id>/following", "read:accounts?", self.following)
        for name in ("identity_proofs", "endorsements"):
            frame.add("GET", f"{at}/<id>/{name}", "read:accounts?", self.nothing)
        frame.add("GET", at, "read:accounts?", self.several)
        frame.add("GET", "/api/v1/directory", NOBODY, self.directory)

    async def nothing(self, asked: Asked) -> list[Entity]:
        """Of known accounts, what nobody has here."""
        await self.library.known_actor(asked.path["id"])
        return []

    async def show(self, asked: Asked) -> Entity:
        """An account; of another server's the numbers are asked for."""
        iri, node = await self.library.known_actor(asked.path["id"])
        await self.persons.tallies.look(iri, node)
        return await self.persons.account(iri, node)

    async def several(self, asked: Asked) -> list[Entity]:
        """Some accounts by their ids."""
        found = []
        for number in asked.texts("id")[:40]:
            with suppress(NotFound):
                found.append(await self.library.known_actor(number))
        return [await self.persons.account(*each) for each in found]

    async def directory(self, asked: Asked) -> list[Entity]:
        """Members of this pod who want to be found, in the order in which they came."""
        limit, offset = asked.number("limit", 40, 80), asked.number("offset", 0, _MATCHES)
        found: list[Entity] = []
        for member in self.wing.reader.members(after=MemberId(0), limit=_MATCHES):
            node = await self.library.actor(member.webid) if member.is_active else {}
            if node.get("discoverable") is True:
                offset -= 1
                if offset < 0:
                    found.append(await self.persons.account(member.webid, node))
            if len(found) == limit:
                break
        return found

    async def lookup(self, asked: Asked) -> Entity:
        """The account with an address that is known already."""
        try:
            found = await self.find(asked.text("acct") or "", may_ask=asked.member is not None)
        except PodError as err:
            raise NotFound from err
        node = await self.library.actor(found)
        await self.persons.tallies.look(found, node)
        return await self.persons.account(found, node)

    async def search(self, asked: Asked) -> list[Entity]:
        """Accounts by address or by part of a name of those that are known."""
        found = await self.matching(
            asked.text("q") or "", asked.number("limit", 40, 80), asked.flag("resolve") is True
        )
        return [await self.persons.account(iri) for iri in found]

    async def matching(self, text: str, limit: int, resolve: bool) -> list[Iri]:
        """Actors by address or by part of a name."""
        wanted = text.strip().removeprefix("@").lower()
        if not wanted:
            return []
        found: list[Iri] = []
        if "@" in wanted or "://" in wanted:
            with suppress(PodError):
                found.append(await self.find(text, may_ask=resolve))
        words = [self.listings.found(word, limit=_MATCHES) for word in wanted.split()[:4]]
        found += [iri for iri in words[0] if all(iri in each for each in words)]
        return list(dict.fromkeys(found))[:limit]

    async def find(self, text: str, *, may_ask: bool) -> Iri:
        """The actor with an address or an id; raises what looking for one raises, and NotFound."""
        bare = text.strip().removeprefix("@")
        if "@" not in bare and "://" not in bare:
            for iri in self.listings.found(bare.lower(), limit=_MATCHES) if bare else ():
                member = self.wing.local_actor(iri)
                if member is not None and bare.lower() in (member.username, member.handle):
                    return iri
            raise NotFound
        found = await find(self.wing, bare)
        if self.wing.local_actor(found) is None:
            if not may_ask and self.wing.cache.get(found) is None:
                raise NotFound
            found = (await self.wing.actors.actor(found)).id
        return found

    async def statuses(self, asked: Asked) -> Page:
        """What an account posted, as far as it is known here."""
        iri, _ = await self.library.known_actor(asked.path["id"])
        if asked.flag("pinned"):
            local = self.wing.local_actor(iri)
            pinned = pinned_by(self.wing, local) if local is not None else []
            return Page(await self.entities.statuses(pinned, asked.member), None, None)

        async def show(item: tuple[int, Iri]) -> Entity | None:
            shown = await self.entities.statuses([item[1]], asked.member)
            return shown[0] if shown and _is_wanted(shown[0], asked) else None

        name = by(iri)
        return await filled(
            asked.span(), lambda span: self.listings.listed(name, span), lambda each: each[0], show
        )

    async def followers(self, asked: Asked) -> Page:
        """Who follows an account of this pod; of others' nothing is known."""
        iri, _ = await self.library.known_actor(asked.path["id"])
        local = self.wing.local_actor(iri)
        found = [each.actor for each in followers_of(self.wing, local)] if local else []
        found += [other.webid for other in self.library.followers(local)] if local else []
        return await self.persons.page(asked, list(dict.fromkeys(found)))

    async def following(self, asked: Asked) -> Page:
        """Whom an account of this pod follows."""
        iri, _ = await self.library.known_actor(asked.path["id"])
        local = self.wing.local_actor(iri)
        return await self.persons.page(
            asked, self.shield.listed(local, "follow") if local is not None else []
        )

    async def familiar(self, asked: Asked) -> list[Entity]:
        """Who of those whom the member follows follows some accounts, as far as is known here."""
        found = []
        for number in asked.texts("id")[:_MOST_ASKED]:
            iri = self.library.iri_of(number)
            local = self.wing.local_actor(iri)
            followers = islice(followers_of(self.wing, local), _MATCHES) if local else ()
            people = [each.actor for each in followers]
            people += [each.webid for each in self.library.followers(local)] if local else []
            friends = [each for each in people if moderation.follows(self.wing, asked.me, each)]
            shown = [await self.persons.account(each) for each in dict.fromkeys(friends)]
            found.append({"id": number, "accounts": shown})
        return found


def _is_wanted(entity: Entity, asked: Asked) -> bool:
    """Whether a post of an account is among those that are asked for."""
    answered = entity["in_reply_to_account_id"]
    if asked.flag("exclude_reblogs") and entity["reblog"] is not None:
        return False
    if asked.flag("exclude_replies") and answered not in (None, entity["account"]["id"]):
        return False
    if (tag := asked.text("tagged")) and tag.lower() not in [one["name"] for one in entity["tags"]]:
        return False
    return not asked.flag("only_media") or bool(entity["media_attachments"])
