"""Actors as Mastodon's accounts, and what is between them and a member.

Spec: https://docs.joinmastodon.org/entities/Account/, https://docs.joinmastodon.org/entities/Relationship/
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.activitypub import moderation
from adapters.activitypub.addresses import address_of
from adapters.activitypub.federation import domain_iri, domain_of
from adapters.activitypub.jsonld import read
from adapters.activitypub.jsonld.read import Node
from adapters.activitypub.lens import html
from adapters.activitypub.lens.act import FOLLOWS
from adapters.activitypub.mastodon.frame import Asked, Page
from adapters.activitypub.mastodon.library import Library, follows, moment, stamp
from adapters.activitypub.mastodon.nodes import page_of
from adapters.activitypub.mastodon.pictures import Entity, Pictures
from adapters.activitypub.mastodon.settings import posting_of
from adapters.activitypub.mastodon.tallies import Tallies
from adapters.activitypub.moderation import AT_FOLLOWS, BLOCKS, DOMAINS
from adapters.activitypub.papers import Papers
from adapters.activitypub.wing import Wing
from adapters.activitypub.wishes import wish_of
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.profile import Profile
from pod.read import NOTES_PREFIX, noun_of

Introduce = Callable[[Iri, str, str], Awaitable[None]]
"""Lets somebody be found, by address and name."""


@dataclass(frozen=True, slots=True)
class Persons:
    """Makes entities of people."""

    wing: Wing
    library: Library
    pictures: Pictures
    notes: Papers
    tallies: Tallies
    introduce: Introduce

    async def account(self, iri: Iri, node: Node | None = None) -> Entity:
        """An account, with the one that it has moved to."""
        node = node if node is not None else await self.library.actor(iri)
        target = read.iri(node, "movedTo")
        shown = await self._account(iri, node)
        if target is None or target == iri:
            return shown
        return {**shown, "moved": await self._account(target, await self.library.actor(target))}

    async def _account(self, iri: Iri, node: Node) -> Entity:
        wing, local = self.wing, self.wing.local_actor(iri)
        now = wing.clock.now()
        acct = local.acct if local is not None else address_of(wing, iri)
        name = read.text(node, "preferredUsername") or acct.partition("@")[0]
        avatar = self.pictures.picture(node, "icon")
        header = self.pictures.picture(node, "image")
        since = moment(node, "published", now)
        counts = self._counts(iri, local)
        if local is None:
            await self.introduce(iri, acct, read.text(node, "name") or "")
        return {
            "id": await self.library.id_of(iri, since),
            "username": name,
            "acct": acct,
            "display_name": read.text(node, "name") or "",
            "locked": read.flag(node, "manuallyApprovesFollowers") is True,
            "bot": bool(read.types(node) & {"Service", "Application"}),
            "discoverable": read.flag(node, "discoverable") is not False,
            "indexable": read.flag(node, "indexable") is True,
            "group": "Group" in read.types(node),
            "created_at": stamp(since.replace(hour=0, minute=0, second=0, microsecond=0)),
            "note": html.clean(read.text(node, "summary") or ""),
            "url": page_of(node) or iri,
            "uri": iri,
            "avatar": avatar,
            "avatar_static": avatar,
            "header": header,
            "header_static": header,
            "hide_collections": False,
            "noindex": read.flag(node, "indexable") is not True,
            "emojis": self.pictures.emojis(node),
            "roles": [],
            "fields": [
                {
                    "name": read.text(part, "name") or "",
                    "value": html.clean(read.text(part, "value") or ""),
                    "verified_at": None,
                }
                for part in read.nodes(node, "attachment")
                if "PropertyValue" in str(part.get("type"))
            ],
            **counts,
        }

    async def own_account(self, member: Member) -> Entity:
        """The account of the member themselves, with what only they see."""
        shown = await self.account(member.webid)
        presented = self.wing.presented(member)
        noun = noun_of(presented.resource) if presented.resource is not None else None
        words = noun.description if isinstance(noun, Profile) else None
        source = {
            **posting_of(self.wing, member),
            "attribution_domains": [],
            "hide_collections": False,
            "discoverable": shown["discoverable"],
            "indexable": shown["indexable"],
            "note": words or "",
            "fields": [{**part, "value": html.plain(part["value"])} for part in shown["fields"]],
            "follow_requests_count": len(self.wing.followers.waiting(member.id, limit=1_000)),
        }
        role = {"id": "-99", "name": "", "permissions": "0", "color": "", "highlighted": False}
        return {**shown, "source": source, "role": role}

    async def relationship(self, member: Member, number: str, actor: Iri) -> Entity:
        """What is between a member and an actor."""
        wing, about = self.wing, self.wing.reader.about
        follower = wing.followers.get(member.id, actor)
        has_asked = moderation.follows(wing, member, actor)
        is_following = has_asked and follows(wing, member, actor)
        wish = wish_of(wing, member, actor)
        is_followed = moderation.is_follower(wing, member, actor)
        host = domain_iri(domain_of(actor))
        note = self.notes.about(member, actor)
        return {
            "id": number,
            "following": is_following,
            "showing_reblogs": has_asked and wish.boosts,
            "notifying": has_asked and wish.notify,
            "languages": list(wish.languages) or None,
            "followed_by": is_followed,
            "blocking": bool(about(member.id, BLOCKS, actor)),
            "blocked_by": moderation.is_blocked_by(wing, member, actor),
            "muting": moderation.mute_of(wing, member, actor) is not None,
            "muting_notifications": moderation.mutes(wing, member, actor),
            "requested": has_asked and not is_following,
            "requested_by": follower is not None and not is_followed,
            "domain_blocking": bool(about(member.id, DOMAINS, host)),
            "endorsed": False,
            "note": read.text(note.body, "note") or "" if note is not None else "",
        }

    async def mention(self, tag: Node) -> Entity:
        """Somebody who is named in a post."""
        href = read.iri(tag, "href") or Iri("")
        acct = address_of(self.wing, href)
        return {
            "id": await self.number(href),
            "username": acct.partition("@")[0],
            "url": href,
            "acct": acct,
        }

    async def page(self, asked: Asked, actors: Sequence[Iri]) -> Page:
        """A page of accounts, the last of the list first; ids in ``Link`` are places in it."""
        chosen = asked.span(40, 80).cut(list(range(1, len(actors) + 1)))
        shown = [await self.account(actors[place - 1]) for place in chosen]
        return Page(shown, max(chosen, default=None), min(chosen, default=None))

    async def number(self, iri: Iri) -> str:
        """The short id of an actor."""
        at = moment(await self.library.actor(iri), "published", self.wing.clock.now())
        return await self.library.id_of(iri, at)

    def _counts(self, iri: Iri, local: Member | None) -> Mapping[str, Any]:
        if local is None:
            last = self.library.timelines.heard_of(iri, limit=1)
            at = last[0].at.date().isoformat() if last else None
            return {**self.tallies.known(iri), "last_status_at": at}
        log, reader = self.wing.log, self.wing.reader
        last_one = reader.resources(local.id, NOTES_PREFIX, after=None, limit=1, reverse=True)
        return {
            "followers_count": self.library.count_followers(local),
            "following_count": log.count(local.id, FOLLOWS) + log.count(local.id, AT_FOLLOWS),
            "statuses_count": log.count(local.id, NOTES_PREFIX),
            "last_status_at": last_one[0].created_at.date().isoformat() if last_one else None,
        }
