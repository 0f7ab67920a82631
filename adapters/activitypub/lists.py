"""The lists that people take from server to server, as Mastodon's CSV files, both ways.

Spec: https://docs.joinmastodon.org/user/moving/#export (the files and their columns)
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from adapters.activitypub import people_lists
from adapters.activitypub.acts import Acts
from adapters.activitypub.addresses import address_of, find
from adapters.activitypub.bookmarks import mark, marked, unmark
from adapters.activitypub.federation import parse_domain
from adapters.activitypub.jsonld import read
from adapters.activitypub.lens.act import FOLLOWS, Act
from adapters.activitypub.moderation import Mute
from adapters.activitypub.ports import Imports
from adapters.activitypub.remote.webfinger import parse_address
from adapters.activitypub.shield import Shield
from adapters.activitypub.wing import Wing
from adapters.activitypub.wishes import Wish, wish_of
from pod.access.agent import Agent, Credential
from pod.errors import Invalid, PeerUnavailable, PodError, TooLarge
from pod.model.ids import Iri, parse_datetime, parse_language
from pod.model.member import Member
from pod.model.moderation import OTHERS, ImportRow, ImportState, ListKind
from pod.model.resource import ResourcePath

MAX_ROWS: Final = 20_000
MAX_BYTES: Final = 4 * 1024 * 1024
PACE_S: Final = 0.5
"""Between two lines: each may mean two requests to a server that has not met this one."""

_FAILED_SHOWN: Final = 200
_ADDRESS: Final = "Account address"
_TITLE: Final = "List name"
_COLUMNS: Final[dict[ListKind, tuple[str, ...]]] = {
    "following": ("Show boosts", "Notify on new posts", "Languages"),
    "mutes": ("Hide notifications", "Until"),
    "lists": (_TITLE,),
}
"""The further columns; Mastodon knows all but the end of a mute, and reads past that."""
_FOLLOWING: Final = (_ADDRESS, *_COLUMNS["following"])
_MUTES: Final = (_ADDRESS, *_COLUMNS["mutes"])
_ACTS: Final[dict[ListKind, Act]] = {
    "following": "follow",
    "blocks": "block",
    "mutes": "ignore",
    "domains": "domain",
}


class Lists:
    """Writes out lists, and takes in those that members bring, line by line."""

    def __init__(self, wing: Wing, imports: Imports, acts: Acts, shield: Shield) -> None:
        self._wing = wing
        self._imports = imports
        self._acts = acts
        self._shield = shield
        self._more = asyncio.Event()

    def export(self, member: Member, kind: ListKind) -> str:
        """A list as CSV. Actors who were never seen stand by their id."""
        match kind:
            case "domains":
                return _csv([[domain] for domain in self._shield.domains(member)])
            case "bookmarks":
                return _csv([[post] for post in marked(self._wing, member)])
            case "lists":
                found = people_lists.entries(self._wing, member)
                return _csv([[title, address_of(self._wing, iri)] for title, iri in found])
            case "following":
                rows = self._named(self._shield.listed(member, "follow"))
                return _csv(
                    [_FOLLOWING, *([name, *self._wished(member, iri)] for iri, name in rows)]
                )
            case "mutes":
                rows = self._named(self._shield.listed(member, "ignore"))
                told = [[name, *self._muted(member, iri)] for iri, name in rows]
                return _csv([_MUTES, *told])
        return _csv([[name] for _, name in self._named(self._shield.listed(member, "block"))])

    async def begin(
        self, member: Member, kind: ListKind, text: str, *, replaces: bool = False
    ) -> int:
        """Take in a list, in the background; returns how many lines it has.

        It is added to what is there or, if it ``replaces`` that, whatever it does not name goes
        once it is through. It takes the place of an earlier list of its kind that is not through
        yet. Raises Invalid for a line that is no address, id or domain, TooLarge.
        """
        # Each once, and as the last line says; but somebody may be in many lists of people.
        rows = {(at, more if kind == "lists" else ()): more for at, more in _read(kind, text)}
        if not rows:
            raise Invalid("The list is empty.")
        found = [
            ImportRow(member.id, kind, place, target, options)
            for place, ((target, _), options) in enumerate(rows.items())
        ]
        last = [ImportRow(member.id, kind, len(rows), OTHERS)] if replaces else []
        await self._imports.begin(member.id, kind, found + last)
        self._more.set()
        return len(found)

    def states(self, member: Member) -> list[ImportState]:
        """How far each list of a member has come."""
        return self._imports.states(member.id, failed=_FAILED_SHOWN)

    async def run(self) -> None:
        """Take in what waits, at a pace, until cancelled; a restart goes on where it was."""
        while True:
            self._more.clear()
            if await self.step():
                await asyncio.sleep(PACE_S)
            else:
                await self._more.wait()

    async def step(self) -> bool:
        """Take in one line; False where none waits."""
        row = self._imports.next()
        if row is None:
            return False
        try:
            settled = replace(row, state="done", told=await self._take(row))
        except PodError as err:
            settled = replace(row, state="failed", told=err.safe_text)
        await self._imports.settle(settled)
        return True

    async def _take(self, row: ImportRow) -> str:
        """Do what a line says; the id of what it is about."""
        member = self._wing.reader.member(row.member)
        if member is None or not member.is_active:
            raise PeerUnavailable("The account was at rest.")
        agent = Agent(Credential.SESSION, member.id, member.webid)
        if row.target == OTHERS:
            await self._drop_others(agent, member, row.kind)
            return ""
        if row.kind == "domains":
            await self._shield.block_domain(agent, member, row.target)
            return row.target
        if row.kind == "bookmarks":
            return await self._mark(agent, member, Iri(row.target))
        actor = await find(self._wing, row.target)
        match row.kind:
            case "following":
                wish = _wish(row.options)
                path = await self._acts.follow(agent, member, actor, lambda _: wish)
                return self._about(member, path) if path.startswith(FOLLOWS) else actor
            case "blocks":
                return self._about(member, await self._shield.block(agent, member, actor))
            case "mutes":
                hides, until = _mute(row.options)
                path = await self._shield.mute(
                    agent, member, actor, hide_notifications=hides, until=until
                )
                return self._about(member, path)
            case "lists":
                if actor != member.webid:
                    await self._acts.follow(agent, member, actor)
                await people_lists.join(self._wing, agent, member, row.options[0], actor)
                return actor

    async def _mark(self, agent: Agent, member: Member, post: Iri) -> Iri:
        """Mark a post, which is kept from now on if it is of another server."""
        if self._wing.local_object(post) is None:
            document = await self._wing.actors.document(post)
            author = read.author(document)
            if author is None or not read.same_origin(author, post):
                raise Invalid("This is not a post.")
            await self._wing.herald(lambda herald: herald.keep(document, author))
        await mark(self._wing, agent, member, post)
        return post

    async def _drop_others(self, agent: Agent, member: Member, kind: ListKind) -> None:
        """Take back what is there and stands on no line: by its id, nor by its address."""
        named, failed = set[tuple[str, str]](), set[tuple[str, str]]()
        for row in self._imports.rows(member.id, kind):
            title = row.options[0] if kind == "lists" and row.options else ""
            named |= {(title, row.target.lower()), (title, row.told)}
            if row.state == "failed":
                failed.add((title, row.target.rpartition("@")[2]))

        def stays(about: str, title: str = "") -> bool:
            """Who could not be asked, and is known by the id alone, might be on a line, too."""
            address = address_of(self._wing, Iri(about))
            might_be = address == about and (title, urlsplit(about).netloc) in failed
            return might_be or not named.isdisjoint({(title, about), (title, address.lower())})

        if kind == "lists":
            keeps = people_lists.keep_only
            await keeps(self._wing, agent, member, lambda title, iri: stays(iri, title))
            return
        for about in self._there(member, kind):
            await asyncio.sleep(0)  # requests come first
            if stays(about):
                continue
            match kind:
                case "following":
                    await self._acts.unfollow(agent, member, Iri(about))
                case "bookmarks":
                    await unmark(self._wing, agent, member, Iri(about))
                case _:
                    await self._shield.undo(agent, member, _ACTS[kind], about)

    def _there(self, member: Member, kind: ListKind) -> Sequence[str]:
        if kind == "domains":
            return self._shield.domains(member)
        if kind == "bookmarks":
            return list(marked(self._wing, member))
        return self._shield.listed(member, _ACTS[kind])

    def _about(self, member: Member, path: ResourcePath) -> str:
        found = self._wing.reader.resource(member.id, path)
        return found.subject or "" if found is not None else ""

    def _named(self, actors: Sequence[Iri]) -> list[tuple[Iri, str]]:
        return [(actor, address_of(self._wing, actor)) for actor in actors]

    def _wished(self, member: Member, actor: Iri) -> list[str]:
        wish = wish_of(self._wing, member, actor)
        return [_yes(wish.boosts), _yes(wish.notify), ", ".join(wish.languages)]

    def _muted(self, member: Member, actor: Iri) -> list[str]:
        mute = self._shield.mute_of(member, actor) or Mute()
        return [_yes(mute.hides_notifications), str(mute.told.get("endTime", ""))]


def _read(kind: ListKind, text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The lines of a list, with or without Mastodon's heading: target, and the other columns."""
    if len(text) > MAX_BYTES:
        raise TooLarge("A list may take at most 4 MiB.")
    columns = _COLUMNS.get(kind, ())
    heading: Sequence[str] = (_ADDRESS, *columns)
    for number, row in enumerate(csv.reader(io.StringIO(text.removeprefix("\ufeff")))):
        if number == 0 and row and (row[0].startswith("#") or row[0] in (_ADDRESS, _TITLE)):
            heading = row if kind != "lists" else heading
            continue
        if not row or not row[0].strip():
            continue
        if kind == "lists":
            row = [row[1] if len(row) > 1 else "", row[0]]
        if number > MAX_ROWS:
            raise TooLarge(f"A list may have at most {MAX_ROWS} lines.")
        named = dict(zip(heading, row, strict=False))
        yield _target(kind, row[0].strip()), tuple(named.get(name, "").strip() for name in columns)


def _target(kind: ListKind, text: str) -> str:
    if kind == "domains":
        return parse_domain(text)
    if kind == "bookmarks" or text.startswith("https://"):
        found = read.iri({"it": text}, "it")
        if found is None:
            raise Invalid(f"{text[:100]} is not an address.")
        return found
    return str(parse_address(text))


def _wish(options: Sequence[str]) -> Wish:
    boosts, notify, languages = (*options, "", "", "")[:3]
    named = [each.strip() for each in languages.split(",") if each.strip()]
    return Wish(_says(boosts, True), _says(notify, False), tuple(map(parse_language, named)))


def _mute(options: Sequence[str]) -> tuple[bool, datetime | None]:
    hides, until = (*options, "", "")[:2]
    return _says(hides, True), parse_datetime(until) if until else None


def _says(text: str, usual: bool) -> bool:
    return text.lower() not in ("false", "f", "0", "off", "no") if text else usual


def _csv(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def _yes(value: bool) -> str:
    return "true" if value else "false"
