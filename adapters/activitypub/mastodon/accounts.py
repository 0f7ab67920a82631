"""Accounts: one's own and others', what is between them, and who asks to follow.

Spec: https://docs.joinmastodon.org/methods/accounts/ and the pages for blocks, mutes,
domain_blocks and follow_requests
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from adapters.activitypub import moderation
from adapters.activitypub.acts import Acts
from adapters.activitypub.addresses import find
from adapters.activitypub.lens.names import object_id
from adapters.activitypub.mastodon.entities import Entities, Entity, pinned_by
from adapters.activitypub.mastodon.frame import NOBODY, Asked, Frame, Page, ids_page
from adapters.activitypub.mastodon.library import Library
from adapters.activitypub.mastodon.ports import Media
from adapters.activitypub.moderation import AT_FOLLOWS
from adapters.activitypub.presence import Presences
from adapters.activitypub.shield import Shield, followers_of
from adapters.activitypub.social import Social
from adapters.activitypub.wing import Wing
from pod.errors import NotFound, PodError, Unprocessable
from pod.model.ids import Did, Iri, Nsid, Rkey
from pod.model.member import Member
from pod.model.profile import Profile
from pod.model.resource import ResourcePath
from pod.model.timeline import Span
from pod.read import NOTES_PREFIX, PROFILE_PATH, noun_of, record_of
from pod.records.lens import index as records
from pod.write import Delete, PutRecord

PROFILES: Final = Nsid("app.bsky.actor.profile")
MAX_PICTURE: Final = 8 * 1024 * 1024
_BOOSTS: Final = "/repo/app.bsky.feed.repost/"


@dataclass(frozen=True, slots=True)
class Accounts:
    """The endpoints about people."""

    wing: Wing
    library: Library
    entities: Entities
    acts: Acts
    social: Social
    shield: Shield
    presences: Presences
    media: Media

    def add(self, frame: Frame) -> None:
        """All routes."""
        at = "/api/v1/accounts"
        frame.add("GET", f"{at}/verify_credentials", "profile", self.mine)
        frame.add("PATCH", f"{at}/update_credentials", "write:accounts", self.change,
                  form=2 * MAX_PICTURE)  # fmt: skip
        frame.add("GET", f"{at}/relationships", "read:follows", self.relationships)
        frame.add("GET", f"{at}/lookup", NOBODY, self.lookup)
        frame.add("GET", f"{at}/search", "read:accounts", self.search)
        frame.add("GET", f"{at}/familiar_followers", "read:follows", self.familiar)
        frame.add("GET", f"{at}/<id>", "read:accounts?", self.show)
        frame.add("GET", f"{at}/<id>/statuses", "read:statuses?", self.statuses)
        frame.add("GET", f"{at}/<id>/followers", "read:accounts?", self.followers)
        frame.add("GET", f"{at}/<id>/following", "read:accounts?", self.following)
        for name in ("lists", "featured_tags", "identity_proofs"):
            frame.add("GET", f"{at}/<id>/{name}", "read:accounts?", self.nothing)
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

    async def mine(self, asked: Asked) -> Entity:
        """Who the token is of."""
        return await self.entities.own_account(asked.me)

    async def nothing(self, asked: Asked) -> list[Entity]:
        """Of known accounts, what nobody has here."""
        await self.library.known_actor(asked.path["id"])
        return []

    async def show(self, asked: Asked) -> Entity:
        """An account."""
        return await self.entities.account(*await self.library.known_actor(asked.path["id"]))

    async def lookup(self, asked: Asked) -> Entity:
        """The account with an address that is known already."""
        try:
            found = await self.find(asked.text("acct") or "", may_ask=asked.member is not None)
        except PodError as err:
            raise NotFound from err
        return await self.entities.account(found)

    async def search(self, asked: Asked) -> list[Entity]:
        """Accounts by address or by part of a name of those that are known."""
        found = await self.matching(
            asked.text("q") or "", asked.number("limit", 40, 80), asked.flag("resolve") is True
        )
        return [await self.entities.account(iri) for iri in found]

    async def matching(self, text: str, limit: int, resolve: bool) -> list[Iri]:
        """Actors by address or by part of a name."""
        wanted = text.strip().removeprefix("@").lower()
        if not wanted:
            return []
        found: list[Iri] = []
        if "@" in wanted or "://" in wanted:
            with suppress(PodError):
                found.append(await self.find(text, may_ask=resolve))
        everybody = self.library.members()
        found += [member.webid for member in everybody if wanted in member.acct.lower()]
        for iri, body in self.wing.cache.page(after="", limit=1_000):
            is_actor = b'"inbox"' in body
            if is_actor and wanted in self.wing.actors.handle(iri).lower().removeprefix("@"):
                found.append(iri)
        return list(dict.fromkeys(found))[:limit]

    async def find(self, text: str, *, may_ask: bool) -> Iri:
        """The actor with an address or an id; raises what looking for one raises, and NotFound."""
        bare = text.strip().removeprefix("@")
        if "@" not in bare and "://" not in bare:
            for member in self.library.members():
                if bare in (member.username, member.handle, member.acct):
                    return member.webid
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
        local = self.wing.local_actor(iri)
        span = asked.span()
        if asked.flag("pinned"):
            pinned = pinned_by(self.wing, local) if local is not None else None
            shown = await self.entities.statuses([pinned] if pinned else [], asked.member)
            return ids_page(shown)
        found = self._posts(local) if local is not None else [
            each.iri for each in self.library.timelines.heard_of(iri, limit=200)
        ]  # fmt: skip
        return ids_page(await self._chosen(found, span, asked))

    async def _chosen(self, found: Sequence[Iri], span: Span, asked: Asked) -> list[Entity]:
        shown = []
        for entity in await self.entities.statuses(list(found), asked.member):
            if asked.flag("exclude_reblogs") and entity["reblog"] is not None:
                continue
            if asked.flag("exclude_replies") and entity["in_reply_to_id"] is not None:
                continue
            if asked.flag("only_media") and not entity["media_attachments"]:
                continue
            shown.append(entity)
        by_id = {int(entity["id"]): entity for entity in shown}
        return [by_id[each] for each in span.cut(list(by_id))]

    def _posts(self, member: Member) -> list[Iri]:
        reader = self.wing.reader
        found = []
        for prefix in (NOTES_PREFIX, _BOOSTS):
            rows = reader.resources(member.id, prefix, after=None, limit=400, reverse=True)
            found += [object_id(member, row.path, row.generation) for row in rows]
        for prefix in ("/data/social/announce/", "/data/social/note/"):
            rows = reader.resources(member.id, prefix, after=None, limit=200, reverse=True)
            name = "/notes/" if prefix.endswith("note/") else prefix
            found += [member.url(ResourcePath(name + row.path.rpartition("/")[2])) for row in rows]
        return found

    async def followers(self, asked: Asked) -> Page:
        """Who follows an account of this pod; of others' nothing is known."""
        iri, _ = await self.library.known_actor(asked.path["id"])
        local = self.wing.local_actor(iri)
        found = [each.actor for each in followers_of(self.wing, local)] if local else []
        found += [
            other.webid
            for other in self.library.members()
            if local and self.wing.reader.about(other.id, AT_FOLLOWS, local.did)
        ]
        return await self._people(asked, found)

    async def following(self, asked: Asked) -> Page:
        """Whom an account of this pod follows."""
        iri, _ = await self.library.known_actor(asked.path["id"])
        local = self.wing.local_actor(iri)
        return await self._people(asked, self.followed(local) if local is not None else [])

    def followed(self, member: Member) -> list[Iri]:
        """Whom a member follows, on the fediverse and on this pod."""
        found = self.shield.listed(member, "follow")
        rows = self.wing.reader.resources(member.id, AT_FOLLOWS, after=None, limit=1_000)
        for row in rows:
            other = self.wing.reader.member_by_did(Did(row.subject or ""))
            if other is not None:
                found.append(other.webid)
        return found

    async def familiar(self, asked: Asked) -> list[Entity]:
        """Nobody tells who of one's friends follows whom."""
        return [{"id": number, "accounts": []} for number in asked.texts("id")]

    async def relationships(self, asked: Asked) -> list[Entity]:
        """What is between the member and some accounts."""
        found = []
        for number in asked.texts("id")[:40]:
            try:
                iri = self.library.iri_of(number)
            except NotFound:
                continue
            found.append(await self.entities.relationship(asked.me, number, iri))
        return found

    def _relating(self, name: str) -> Callable[[Asked], Awaitable[Entity]]:
        """Change what is between the member and an account, and tell what is then."""

        async def relate(asked: Asked) -> Entity:
            iri, _ = await self.library.known_actor(asked.path["id"])
            await self._relate(name, asked, iri)
            return await self.entities.relationship(asked.me, asked.path["id"], iri)

        return relate

    async def _relate(self, name: str, asked: Asked, iri: Iri) -> None:
        member, agent = asked.me, asked.agent
        match name:
            case "follow":
                if moderation.blocks(self.wing, member, iri):
                    await self.shield.undo(agent, member, "block", iri)
                await self.acts.do(agent, member, "follow", iri)
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
        held = self.acts.held(asked.me, "follow", iri)
        ops = [Delete(path, missing_ok=True) for path in held]
        await self.wing.write.apply(asked.agent, asked.me.id, ops)
        await self.library.timelines.part(asked.me.id, iri)

    async def requests(self, asked: Asked) -> Page:
        """Who asks to follow."""
        return await self._people(asked, [each.actor for each in self.social.requests(asked.me)])

    async def blocks(self, asked: Asked) -> Page:
        """Whom the member blocks."""
        return await self._people(asked, self.shield.listed(asked.me, "block"))

    async def mutes(self, asked: Asked) -> Page:
        """Whom the member mutes."""
        return await self._people(asked, self.shield.listed(asked.me, "ignore"))

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

    async def _people(self, asked: Asked, actors: Sequence[Iri]) -> Page:
        """A page of accounts by their short ids."""
        span, now = asked.span(40, 80), self.wing.clock.now()
        by_id = {int(await self.library.id_of(actor, now)): actor for actor in actors}
        chosen = span.cut(list(by_id))
        shown = [await self.entities.account(by_id[number]) for number in chosen]
        return Page(shown, max(chosen, default=None), min(chosen, default=None))

    async def change(self, asked: Asked) -> Entity:
        """Change the member's own profile."""
        await self._change_record(asked)
        fields = asked.fields.get("fields_attributes")
        rows = list(fields.values()) if isinstance(fields, dict) else fields
        locked, found = asked.flag("locked"), asked.flag("discoverable")
        indexable = asked.flag("indexable")
        if rows is not None or {locked, found, indexable} != {None}:
            await self.presences.set(
                asked.agent,
                asked.me,
                lambda held: replace(
                    held,
                    is_locked=held.is_locked if locked is None else locked,
                    is_discoverable=held.is_discoverable if found is None else found,
                    is_indexable=held.is_indexable if indexable is None else indexable,
                    fields=held.fields if rows is None else _rows(rows),
                ),
            )
        return await self.entities.own_account(asked.me)

    async def _change_record(self, asked: Asked) -> None:
        resource = self.wing.reader.resource(asked.me.id, PROFILE_PATH)
        noun = noun_of(resource) if resource is not None else Profile()
        before = noun if isinstance(noun, Profile) else Profile()
        after = before
        if (name := asked.text("display_name")) is not None:
            after = replace(after, name=name or None)
        if (note := asked.text("note")) is not None:
            after = replace(after, description=note or None)
        if (bot := asked.flag("bot")) is not None:
            rest = tuple(label for label in after.labels if label != "bot")
            after = replace(after, labels=(*rest, "bot") if bot else rest)
        for key, place in (("avatar", "avatar"), ("header", "banner")):
            if key in asked.files:
                after = replace(after, **{place: await self._picture(asked, key)})
        if after == before:
            return
        source = record_of(resource) if resource is not None else None
        op = PutRecord(
            PROFILES,
            Rkey("self"),
            records.put(PROFILES, after, source),
        )
        await self.wing.write.apply(asked.agent, asked.me.id, [op])

    async def _picture(self, asked: Asked, key: str) -> Any:
        file = asked.files[key]
        row = await self.media.keep(asked.me.id, file.read(), file.content_type)
        if row.media_type not in ("image/png", "image/jpeg"):
            raise Unprocessable("A picture of a profile is a PNG or JPEG")
        found = self.wing.presented(asked.me).names.blob(asked.me, row.cid)
        if found is None:
            raise Unprocessable("The picture could not be kept")
        return found


def _rows(told: Any) -> tuple[tuple[str, str], ...]:
    rows = [row for row in told if isinstance(row, dict)]
    return tuple(
        (str(row["name"]), str(row.get("value", ""))) for row in rows if str(row.get("name", ""))
    )
