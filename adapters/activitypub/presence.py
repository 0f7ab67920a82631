"""How a member is presented to the fediverse: what they choose beside their profile, and moving.

What the profile record has no field for is kept as its complement; a change of it is a change of
the actor, of which followers hear.

Spec: https://docs.joinmastodon.org/spec/activitypub/#profile and
https://swicg.github.io/activitypub-data-portability/#move
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import orjson

from adapters.activitypub.lens import presence, profile
from adapters.activitypub.lens.act import folder
from adapters.activitypub.lens.published import COMPLEMENT, Put, View
from adapters.activitypub.receive.move import says_also
from adapters.activitypub.wing import Wing
from adapters.activitypub.writing import act_of
from pod.access.agent import Agent
from pod.errors import Conflict, Forbidden, Invalid, Throttled, TooLarge
from pod.model.ids import Iri, Nsid, Rkey
from pod.model.member import Member
from pod.model.presence import Presence
from pod.model.profile import Profile
from pod.model.resource import EMPTY, Annotation, Complement, Override, Version
from pod.read import PROFILE_PATH, noun_of, record_of
from pod.records.cbor import encode
from pod.records.cid import record_cid
from pod.records.lens import index as records
from pod.write import Annotate, Op, PutRecord

COLLECTION: Final = Nsid("app.bsky.actor.profile")
SELF: Final = Rkey("self")
COOL_DOWN: Final = timedelta(days=30)
"""How long after a move the next one may come."""

MAX_ALIASES: Final = 20


class Presences:
    """Reads and changes what members choose; each method raises what writing raises."""

    def __init__(self, wing: Wing) -> None:
        self._wing = wing

    def get(self, member: Member) -> Presence:
        """What a member chose."""
        return presence.get(self._wing.presented(member).annotation)

    async def set(
        self, agent: Agent, member: Member, change: Callable[[Presence], Presence]
    ) -> None:
        """Choose otherwise; raises Invalid for what no actor can show."""
        before = self._wing.presented(member).annotation
        await self._write(agent, member, self._put(member, before, change(presence.get(before))))

    async def update(self, agent: Agent, member: Member, view: View) -> None:
        """Take an edited actor document; raises Conflict for what it cannot hold.

        Properties that are left out stay as they are.
        """
        presented = self._wing.presented(member)
        resource = presented.resource
        noun = noun_of(resource) if resource is not None else None
        before = noun if isinstance(noun, Profile) else Profile()
        keys = await self._wing.actor_keys(member)
        whole = {**profile.get(before, presented, keys), **view}
        put = profile.put(whole, before, presented, keys)
        record = records.put(COLLECTION, put.noun, record_of(resource) if resource else None)
        held = presented.complement
        complement = _beside(put, record_cid(encode(record)), held)
        expect = Version(resource.cid, held.revision) if resource else None
        op = PutRecord(COLLECTION, SELF, record, "put", expect, complement=complement)
        await self._wing.write.apply(agent, member.id, [op])

    async def set_aliases(self, agent: Agent, member: Member, aliases: Sequence[Iri]) -> None:
        """Say which other accounts a member has: those may move here. Raises Invalid."""
        if len(aliases) > MAX_ALIASES:
            raise Invalid(f"There may be at most {MAX_ALIASES} aliases.")
        found = tuple(dict.fromkeys(each for each in aliases if each != member.webid))
        await self.set(agent, member, lambda held: replace(held, aliases=found))

    async def move(self, agent: Agent, member: Member, target: Iri) -> Iri:
        """Move a member's followers to another account, which must name this one as its alias.

        Raises Conflict where it does not or where the member has moved already, Throttled within
        30 days of the last move, PeerUnavailable, Gone and Invalid for what cannot be found.
        """
        if self.get(member).moved_to is not None:
            raise Conflict("You have moved already. Return first, to move again.")
        self._check_cool_down(member)
        try:
            found = await says_also(self._wing, target, member.webid)
        except (Forbidden, TooLarge) as err:
            raise Invalid("The new account cannot be asked.") from err
        if found == member.webid:
            raise Invalid("This is the account that you have.")
        before = self._wing.presented(member).annotation
        after = self._put(member, before, replace(presence.get(before), moved_to=found))
        document = act_of(self._wing, member, "move", member.webid, more={"target": found})
        await self._write(agent, member, after, document)
        return found

    async def come_back(self, agent: Agent, member: Member) -> None:
        """Be here again after a move; followers who went stay where they are."""
        await self.set(agent, member, lambda held: replace(held, moved_to=None))

    def _put(self, member: Member, before: View, chosen: Presence) -> View:
        return presence.put(before, chosen, self._wing.presented(member).names.tag_url)

    def _check_cool_down(self, member: Member) -> None:
        moves = self._wing.reader.resources(
            member.id, folder("move"), after=None, limit=1, reverse=True
        )
        for last in moves:
            wait = last.created_at + COOL_DOWN - self._wing.clock.now()
            if wait > timedelta(0):
                raise Throttled(
                    "You moved less than 30 days ago.", retry_after_s=int(wait.total_seconds()) + 1
                )

    async def _write(self, agent: Agent, member: Member, after: View, *also: Op) -> None:
        presented = self._wing.presented(member)
        held = presented.complement
        annotations = [item for item in held.annotations if item.view != COMPLEMENT]
        if after:
            annotations.append(Annotation(COMPLEMENT, orjson.dumps(after)))
        complement = Complement(tuple(annotations), held.overrides)
        op: Op
        if presented.resource is None:
            record: dict[str, Any] = {"$type": COLLECTION}
            op = PutRecord(COLLECTION, SELF, record, "create", complement=complement)
        else:
            expect = Version(presented.resource.cid, held.revision)
            op = Annotate(PROFILE_PATH, complement, expect)
        await self._wing.write.apply(agent, member.id, [op, *also])


def _beside(put: Put, cid: Any, before: Complement = EMPTY) -> Complement:
    """The complement after a put: other views' notes stay, ours are replaced."""
    annotations = [item for item in before.annotations if item.view != COMPLEMENT]
    overrides = [item for item in before.overrides if item.view != COMPLEMENT]
    if put.annotation:
        annotations.append(Annotation(COMPLEMENT, orjson.dumps(put.annotation)))
    if put.override:
        overrides.append(Override(COMPLEMENT, orjson.dumps(put.override), cid))
    return Complement(tuple(annotations), tuple(overrides))
