"""What is between a member and others: follows, blocks, mutes, blocked servers, requests to follow.

Spec: https://docs.joinmastodon.org/methods/accounts/#relationships, blocks, mutes, domain_blocks
and follow_requests
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from adapters.activitypub import moderation
from adapters.activitypub.acts import Acts
from adapters.activitypub.mastodon.frame import Asked, Frame, Page
from adapters.activitypub.mastodon.library import Library
from adapters.activitypub.mastodon.persons import Persons
from adapters.activitypub.mastodon.pictures import Entity
from adapters.activitypub.shield import Shield
from adapters.activitypub.social import Social
from adapters.activitypub.wing import Wing
from adapters.activitypub.wishes import Wish
from pod.errors import Invalid, NotFound, Unprocessable
from pod.model.ids import Iri, parse_language


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
                await self.shield.mute(agent, member, iri, hide_notifications=hides)
            case "unmute":
                await self.shield.undo(agent, member, "ignore", iri)
            case "authorize":
                await self.social.accept_follower(member, iri)
            case _:  # reject, remove_from_followers
                await self.social.reject_follower(member, iri)

    async def _undo(self, asked: Asked, iri: Iri) -> None:
        await self.acts.unfollow(asked.agent, asked.me, iri)
        await self.library.timelines.part(asked.me.id, iri)

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
        """Whom the member mutes."""
        return await self.persons.page(asked, self.shield.listed(asked.me, "ignore"))

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
