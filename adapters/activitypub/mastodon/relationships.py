"""What is between a member and others: follows, blocks, mutes, blocked servers, requests to follow.

Spec: https://docs.joinmastodon.org/methods/accounts/#relationships, blocks, mutes, domain_blocks
and follow_requests
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from adapters.activitypub import moderation
from adapters.activitypub.acts import Acts
from adapters.activitypub.mastodon.frame import Asked, Frame, Page
from adapters.activitypub.mastodon.library import Library, stamp
from adapters.activitypub.mastodon.persons import Persons
from adapters.activitypub.mastodon.pictures import Entity
from adapters.activitypub.shield import Shield
from adapters.activitypub.social import Social
from adapters.activitypub.wing import Wing
from adapters.activitypub.wishes import Wish
from pod.errors import Invalid, NotFound, Unprocessable
from pod.model.ids import Iri, parse_language

_MOST_WORDS: Final = 2_000
_LONGEST_MUTE: Final = 10 * 365 * 86_400
_CATEGORIES: Final = ("spam", "legal", "violation", "other")


@dataclass(frozen=True, slots=True)
class Relationships:
    """The endpoints about what is between people."""

    wing: Wing
    library: Library
    persons: Persons
    acts: Acts
    social: Social
    shield: Shield

    def add(self, frame: Frame) -> None:
        """All routes."""
        at = "/api/v1/accounts"
        frame.add("GET", f"{at}/relationships", "read:follows", self.relationships)
        for name, scope in (
            ("follow", "write:follows"), ("unfollow", "write:follows"),
            ("remove_from_followers", "write:follows"), ("block", "write:blocks"),
            ("unblock", "write:blocks"), ("mute", "write:mutes"), ("unmute", "write:mutes"),
        ):  # fmt: skip
            frame.add("POST", f"{at}/<id>/{name}", scope, self._relating(name))
        frame.add("POST", f"{at}/<id>/note", "write:accounts", self._relating("note"))
        frame.add("POST", "/api/v1/reports", "write:reports", self.report)
        frame.add("GET", "/api/v1/follow_requests", "read:follows", self.requests)
        for name in ("authorize", "reject"):
            rule = f"/api/v1/follow_requests/<id>/{name}"
            frame.add("POST", rule, "write:follows", self._relating(name))
        frame.add("GET", "/api/v1/blocks", "read:blocks", self.blocks)
        frame.add("GET", "/api/v1/mutes", "read:mutes", self.mutes)
        frame.add("GET", "/api/v1/domain_blocks", "read:blocks", self.domains)
        frame.add("POST", "/api/v1/domain_blocks", "write:blocks", self.block_domain)
        frame.add("DELETE", "/api/v1/domain_blocks", "write:blocks", self.unblock_domain)

    async def relationships(self, asked: Asked) -> list[Entity]:
        """What is between the member and some accounts."""
        found = []
        for number in asked.texts("id")[:40]:
            try:
                iri = self.library.iri_of(number)
            except NotFound:
                continue
            found.append(await self.persons.relationship(asked.me, number, iri))
        return found

    def _relating(self, name: str) -> Callable[[Asked], Awaitable[Entity]]:
        """Change what is between the member and an account, and tell what is then."""

        async def relate(asked: Asked) -> Entity:
            iri, _ = await self.library.known_actor(asked.path["id"])
            await self._relate(name, asked, iri)
            return await self.persons.relationship(asked.me, asked.path["id"], iri)

        return relate

    async def _relate(self, name: str, asked: Asked, iri: Iri) -> None:
        member, agent = asked.me, asked.agent
        match name:
            case "follow":
                if moderation.blocks(self.wing, member, iri):
                    await self.shield.undo(agent, member, "block", iri)
                await self.acts.follow(agent, member, iri, _wished(asked))
            case "note":
                await self._note(asked, iri)
            case "unfollow":
                await self._undo(asked, iri)
            case "block":
                await self._undo(asked, iri)
                await self.shield.block(agent, member, iri)
                await self.library.timelines.part(member.id, iri)
            case "unblock":
                await self.shield.undo(agent, member, "block", iri)
            case "mute":
                hides = asked.flag("notifications") is not False
                seconds = asked.number("duration", 0, _LONGEST_MUTE)
                until = self.wing.clock.now() + timedelta(seconds=seconds) if seconds else None
                await self.shield.mute(agent, member, iri, hide_notifications=hides, until=until)
            case "unmute":
                await self.shield.undo(agent, member, "ignore", iri)
            case "authorize":
                await self.social.accept_follower(member, iri)
            case _:  # reject, remove_from_followers
                await self.social.reject_follower(member, iri)

    async def _note(self, asked: Asked, iri: Iri) -> None:
        """Write down words about somebody, which only the member reads."""
        text = (asked.text("comment") or "")[:_MOST_WORDS]
        notes, held = self.persons.notes, self.persons.notes.about(asked.me, iri)
        if text and held is not None:
            await notes.change(asked.agent, asked.me, held, {"note": text})
        elif text:
            await notes.add(asked.agent, asked.me, {"note": text}, iri)
        elif held is not None:
            await notes.drop(asked.agent, asked.me, held)

    async def _undo(self, asked: Asked, iri: Iri) -> None:
        await self.acts.unfollow(asked.agent, asked.me, iri)
        await self.library.timelines.part(asked.me.id, iri)

    async def report(self, asked: Asked) -> Entity:
        """Tell the administrator of an account and its posts, and its own server if wanted."""
        iri, _ = await self.library.known_actor(asked.text("account_id") or "")
        posts = [self.library.known(each, asked.me)[0] for each in asked.texts("status_ids")]
        comment, forward = asked.text("comment") or "", asked.flag("forward") is True
        flag = await self.shield.report(asked.me, iri, posts, comment, forward=forward)
        now = self.wing.clock.now()
        category = asked.text("category") or "other"
        return {
            "id": await self.library.id_of(flag, now),
            "action_taken": False,
            "action_taken_at": None,
            "category": category if category in _CATEGORIES else "other",
            "comment": comment,
            "forwarded": forward,
            "created_at": stamp(now),
            "status_ids": asked.texts("status_ids"),
            "rule_ids": None,
            "collections": [],
            "target_account": await self.persons.account(iri),
        }

    async def requests(self, asked: Asked) -> Page:
        """Who asks to follow."""
        return await self.persons.page(
            asked,
            [each.actor for each in self.social.requests(asked.me)],
        )

    async def blocks(self, asked: Asked) -> Page:
        """Whom the member blocks."""
        return await self.persons.page(asked, self.shield.listed(asked.me, "block"))

    async def mutes(self, asked: Asked) -> Page:
        """Whom the member mutes, and until when."""
        page = await self.persons.page(asked, self.shield.listed(asked.me, "ignore"))
        for account in page.items:
            mute = self.shield.mute_of(asked.me, account["uri"])
            until = mute.until if mute is not None else None
            account["mute_expires_at"] = stamp(until) if until is not None else None
        return page

    async def domains(self, asked: Asked) -> list[str]:
        """Which servers the member blocks."""
        return self.shield.domains(asked.me)

    async def block_domain(self, asked: Asked) -> Entity:
        """Block a server."""
        await self.shield.block_domain(asked.agent, asked.me, asked.text("domain") or "")
        return {}

    async def unblock_domain(self, asked: Asked) -> Entity:
        """Block it no more."""
        await self.shield.undo(asked.agent, asked.me, "domain", asked.text("domain") or "")
        return {}


def _wished(asked: Asked) -> Callable[[Wish], Wish]:
    """What a follow asks for beside itself; what it does not name stays. Raises Unprocessable."""
    try:
        languages = tuple(map(parse_language, asked.texts("languages")))
    except Invalid as err:
        raise Unprocessable("Validation failed: Languages is invalid") from err
    boosts, notify = asked.flag("reblogs"), asked.flag("notify")
    return lambda wish: Wish(
        wish.boosts if boosts is None else boosts,
        wish.notify if notify is None else notify,
        languages if "languages" in asked.fields else wish.languages,
    )
