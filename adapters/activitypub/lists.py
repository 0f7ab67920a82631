"""The lists that people take from server to server, as Mastodon's CSV files, both ways.

Spec: https://docs.joinmastodon.org/user/moving/#export (the files and their columns)
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from adapters.activitypub.acts import Acts
from adapters.activitypub.addresses import address_of, find, parse_address
from adapters.activitypub.federation import parse_domain
from adapters.activitypub.ports import Imports
from adapters.activitypub.shield import Shield
from adapters.activitypub.wing import Wing
from pod.access.agent import Agent, Credential
from pod.errors import Invalid, PeerUnavailable, PodError, TooLarge
from pod.model.ids import Iri
from pod.model.member import Member
from pod.model.moderation import ImportRow, ImportState, ListKind

MAX_ROWS: Final = 20_000
MAX_BYTES: Final = 4 * 1024 * 1024
PACE_S: Final = 0.5
"""Between two lines: each may mean two requests to a server that has not met this one."""

_FAILED_SHOWN: Final = 200
_ADDRESS: Final = "Account address"
_FOLLOWING: Final = (_ADDRESS, "Show boosts", "Notify on new posts", "Languages")
_MUTES: Final = (_ADDRESS, "Hide notifications")


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
        if kind == "domains":
            return _csv([[domain] for domain in self._shield.domains(member)])
        if kind == "following":
            rows = self._named(self._shield.listed(member, "follow"))
            return _csv([_FOLLOWING, *([name, "true", "false", ""] for _, name in rows)])
        if kind == "mutes":
            muted = self._named(self._shield.listed(member, "ignore"))
            mutes = ((self._shield.mute_of(member, iri), name) for iri, name in muted)
            told = ([name, _yes(mute.hides_notifications)] for mute, name in mutes if mute)
            return _csv([_MUTES, *told])
        return _csv([[name] for _, name in self._named(self._shield.listed(member, "block"))])

    async def begin(self, member: Member, kind: ListKind, text: str) -> int:
        """Take in a list, in the background; returns how many lines it has.

        It is added to what is there, and takes the place of an earlier list of its kind that is
        not through yet. Raises Invalid for a line that is no address or domain, TooLarge.
        """
        rows = list(dict.fromkeys(_read(kind, text)))
        if not rows:
            raise Invalid("The list is empty.")
        found = [
            ImportRow(member.id, kind, place, target, option)
            for place, (target, option) in enumerate(rows)
        ]
        await self._imports.begin(member.id, kind, found)
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
            await self._take(row)
            settled = replace(row, state="done")
        except PodError as err:
            settled = replace(row, state="failed", told=err.safe_text)
        await self._imports.settle(settled)
        return True

    async def _take(self, row: ImportRow) -> None:
        member = self._wing.reader.member(row.member)
        if member is None or not member.is_active:
            raise PeerUnavailable("The account was at rest.")
        agent = Agent(Credential.SESSION, member.id, member.webid)
        if row.kind == "domains":
            await self._shield.block_domain(agent, member, row.target)
            return
        actor = await find(self._wing, row.target)
        match row.kind:
            case "following":
                await self._acts.do(agent, member, "follow", actor)
            case "blocks":
                await self._shield.block(agent, member, actor)
            case "mutes":
                await self._shield.mute(agent, member, actor, hide_notifications=row.option)

    def _named(self, actors: Sequence[Iri]) -> list[tuple[Iri, str]]:
        return [(actor, address_of(self._wing, actor)) for actor in actors]


def _read(kind: ListKind, text: str) -> Iterator[tuple[str, bool]]:
    """The lines of a list, with or without Mastodon's heading: target, and what a mute hides."""
    if len(text) > MAX_BYTES:
        raise TooLarge("A list may take at most 4 MiB.")
    heading: list[str] = []
    for number, row in enumerate(csv.reader(io.StringIO(text.removeprefix("\ufeff")))):
        if number == 0 and row and (row[0].startswith("#") or row[0] == _ADDRESS):
            heading = row
            continue
        if not row or not row[0].strip():
            continue
        if number > MAX_ROWS:
            raise TooLarge(f"A list may have at most {MAX_ROWS} lines.")
        named = dict(zip(heading, row, strict=False))
        hides = named.get(_MUTES[1], row[1] if kind == "mutes" and len(row) > 1 else "true")
        yield _target(kind, row[0].strip()), hides.strip().lower() != "false"


def _target(kind: ListKind, text: str) -> str:
    if kind == "domains":
        return parse_domain(text)
    return text if text.startswith("https://") else "@".join(parse_address(text))


def _csv(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def _yes(value: bool) -> str:
    return "true" if value else "false"
