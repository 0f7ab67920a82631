"""All that a member may do about the fediverse on a page: what is shown, and acts by name.

Spec: https://docs.joinmastodon.org/user/profile/ and https://docs.joinmastodon.org/user/moving/
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, cast

from adapters.activitypub.acts import Acts
from adapters.activitypub.addresses import address_of, find
from adapters.activitypub.deliver.rotation import rotate
from adapters.activitypub.jsonld import read
from adapters.activitypub.lens import html
from adapters.activitypub.lens.presence import MAX_FIELDS
from adapters.activitypub.lists import Lists
from adapters.activitypub.moderation import Mute
from adapters.activitypub.presence import Presences
from adapters.activitypub.shield import Shield, followers_of
from adapters.activitypub.social import Social
from adapters.activitypub.wing import Wing
from pod.access.agent import Agent
from pod.errors import Invalid, NotFound
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.moderation import ListKind
from pod.model.resource import Resource, ResourcePath

Form = Mapping[str, str]
Act = Callable[[Agent, Member, Form], Awaitable[str]]

SHOWN: Final = 200
"""How many of each list a page shows."""

FIELDS: Final = 4
"""How many fields of a profile are offered at least."""

MUTE_DAYS: Final = ("1", "3", "7", "30", "90")
"""How long a mute may last that is over by itself."""

LISTS: Final = ("following", "blocks", "mutes", "domains", "bookmarks", "lists")


class Desk:
    """Shows and does; each act answers in words for the member and raises PodErrors."""

    def __init__(
        self,
        wing: Wing,
        social: Social,
        acts: Acts,
        shield: Shield,
        presences: Presences,
        lists: Lists,
    ) -> None:
        self._wing = wing
        self._acts = acts
        self._social = social
        self._shield = shield
        self._presences = presences
        self._lists = lists

    def facts(self, member: Member) -> dict[str, Any]:
        """What the page shows."""
        shield = self._shield
        fields = self._presences.get(member).fields
        followers = followers_of(self._wing, member)
        return {
            "address": member.acct,
            "presence": self._presences.get(member),
            "fields": [*fields, *[("", "")] * max(1, FIELDS - len(fields))][:MAX_FIELDS],
            "requests": self._people(asked.actor for asked in self._social.requests(member)),
            "followers": self._people(each.actor for each in followers),
            "following": self._people(shield.listed(member, "follow")),
            "blocks": self._people(shield.listed(member, "block")),
            "mutes": self._mutes(member),
            "mute_days": MUTE_DAYS,
            "domains": shield.domains(member)[:SHOWN],
            "wants_tray": shield.wants_tray(member),
            "tray": [self._told(held) for held in shield.tray(member)],
            "lists": self._lists.states(member),
        }

    def export(self, member: Member, kind: str) -> str:
        """A list as CSV; raises NotFound."""
        return self._lists.export(member, _kind(kind))

    async def act(self, agent: Agent, member: Member, name: str, form: Form) -> str:
        """Do something by its name; raises NotFound for what cannot be done here."""
        acts: dict[str, Act] = {
            "accept": self._accept,
            "reject": self._reject,
            "follow": self._follow,
            "unfollow": self._unfollow,
            "block": self._block,
            "unblock": self._unblock,
            "mute": self._mute,
            "unmute": self._unmute,
            "domain": self._domain,
            "undomain": self._undomain,
            "tray": self._tray,
            "release": self._release,
            "dismiss": self._dismiss,
            "report": self._report,
            "presence": self._presence,
            "aliases": self._aliases,
            "move": self._move,
            "return": self._return,
            "import": self._import,
            "key": self._key,
        }
        if name not in acts:
            raise NotFound
        return await acts[name](agent, member, form)

    async def _accept(self, _: Agent, member: Member, form: Form) -> str:
        await self._social.accept_follower(member, _actor(form))
        return f"{self._name(form)} follows you now."

    async def _reject(self, _: Agent, member: Member, form: Form) -> str:
        await self._social.reject_follower(member, _actor(form))
        return f"{self._name(form)} does not follow you."

    async def _follow(self, agent: Agent, member: Member, form: Form) -> str:
        actor = await find(self._wing, form.get("who", ""))
        await self._acts.follow(agent, member, actor)
        return f"{form['who']} was asked."

    async def _unfollow(self, agent: Agent, member: Member, form: Form) -> str:
        await self._acts.unfollow(agent, member, _actor(form))
        return f"You do not follow {self._name(form)} any more."

    async def _block(self, agent: Agent, member: Member, form: Form) -> str:
        await self._shield.block(agent, member, await find(self._wing, form.get("who", "")))
        return f"{form['who']} is blocked."

    async def _unblock(self, agent: Agent, member: Member, form: Form) -> str:
        await self._shield.undo(agent, member, "block", _actor(form))
        return f"{self._name(form)} is not blocked any more."

    async def _mute(self, agent: Agent, member: Member, form: Form) -> str:
        hides, days = form.get("hide") == "yes", form.get("days", "")
        until = None
        if days:
            if days not in MUTE_DAYS:
                raise Invalid("Choose how long from the list.")
            until = self._wing.clock.now() + timedelta(days=int(days))
        actor = await find(self._wing, form.get("who", ""))
        await self._shield.mute(agent, member, actor, hide_notifications=hides, until=until)
        return f"{form['who']} is muted."

    async def _unmute(self, agent: Agent, member: Member, form: Form) -> str:
        await self._shield.undo(agent, member, "ignore", _actor(form))
        return f"{self._name(form)} is not muted any more."

    async def _domain(self, agent: Agent, member: Member, form: Form) -> str:
        await self._shield.block_domain(agent, member, form.get("domain", ""))
        return f"You hear nobody of {form['domain'].strip()} any more."

    async def _undomain(self, agent: Agent, member: Member, form: Form) -> str:
        await self._shield.undo(agent, member, "domain", form.get("domain", ""))
        return f"{form['domain']} is not blocked any more."

    async def _tray(self, agent: Agent, member: Member, form: Form) -> str:
        wanted = form.get("wanted") == "yes"
        await self._shield.set_tray(agent, member, wanted=wanted)
        return "Strangers wait here from now on." if wanted else "Strangers reach you at once."

    async def _release(self, agent: Agent, member: Member, form: Form) -> str:
        await self._shield.release(agent, member, ResourcePath(form.get("path", "")))
        return "It is in your inbox now."

    async def _dismiss(self, agent: Agent, member: Member, form: Form) -> str:
        await self._shield.dismiss(agent, member, ResourcePath(form.get("path", "")))
        return "It is gone."

    async def _report(self, _: Agent, member: Member, form: Form) -> str:
        actor = await find(self._wing, form.get("who", ""))
        posts = [Iri(line) for line in form.get("posts", "").split()]
        forward = form.get("forward") == "yes"
        comment = form.get("comment", "")
        await self._shield.report(member, actor, posts, comment, forward=forward)
        return "Thank you. The administrator will look at it."

    async def _presence(self, agent: Agent, member: Member, form: Form) -> str:
        rows = ((form.get(f"name{n}", ""), form.get(f"value{n}", "")) for n in range(MAX_FIELDS))
        fields = tuple((name.strip(), words.strip()) for name, words in rows if name.strip())
        tags = tuple(dict.fromkeys(tag.removeprefix("#") for tag in form.get("tags", "").split()))
        await self._presences.set(
            agent,
            member,
            lambda held: replace(
                held,
                is_locked=form.get("locked") == "yes",
                is_discoverable=form.get("discoverable") == "yes",
                is_indexable=form.get("indexable") == "yes",
                fields=fields,
                featured_tags=tags,
            ),
        )
        return "Your profile is changed."

    async def _aliases(self, agent: Agent, member: Member, form: Form) -> str:
        found = [await find(self._wing, line) for line in form.get("aliases", "").split()]
        await self._presences.set_aliases(agent, member, found)
        return "Your other accounts are noted. They may move here now."

    async def _move(self, agent: Agent, member: Member, form: Form) -> str:
        target = await find(self._wing, form.get("who", ""))
        await self._presences.move(agent, member, target)
        return f"Your followers are told that you are {form['who']} now."

    async def _return(self, agent: Agent, member: Member, _: Form) -> str:
        await self._presences.come_back(agent, member)
        return "You are here again. Followers who went stay where they are."

    async def _key(self, _: Agent, member: Member, __: Form) -> str:
        await rotate(self._wing, member)
        return "You have a new signing key. The servers of your followers are told."

    async def _import(self, _: Agent, member: Member, form: Form) -> str:
        kind = _kind(form.get("kind", ""))
        replaces = form.get("mode") == "overwrite"
        count = await self._lists.begin(member, kind, form.get("file", ""), replaces=replaces)
        return f"{count} lines are taken in, one after the other. This page tells how far they are."

    def _people(self, actors: Any) -> list[tuple[Iri, str]]:
        found = [actor for _, actor in zip(range(SHOWN), actors, strict=False)]
        return [(actor, address_of(self._wing, actor)) for actor in found]

    def _mutes(self, member: Member) -> list[tuple[Iri, str, Mute | None]]:
        listed = self._people(self._shield.listed(member, "ignore"))
        return [(actor, name, self._shield.mute_of(member, actor)) for actor, name in listed]

    def _told(self, held: Resource) -> dict[str, str]:
        """A waiting post, as words."""
        post = read.parse(held.body)
        author = read.author(post)
        return {
            "path": held.path,
            "author": address_of(self._wing, author) if author else "?",
            "words": html.plain(read.text(post, "content") or "")[:500],
        }

    def _name(self, form: Form) -> str:
        return address_of(self._wing, _actor(form))


def _actor(form: Form) -> Iri:
    actor = read.iri(dict(form), "actor")
    if actor is None:
        raise Invalid("This is not an account.")
    return actor


def _kind(name: str) -> ListKind:
    if name not in LISTS:
        raise NotFound
    return cast("ListKind", name)
