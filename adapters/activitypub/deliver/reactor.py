"""The reactor that turns public changes into activities, each once, at a durable cursor.

Activity ids follow from the change (``/outbox/{rev}-{op index}``), so a replay posts nothing twice.

Spec: https://www.w3.org/TR/activitypub/#server-to-server-interactions
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from adapters.activitypub import files
from adapters.activitypub.deliver import besides, crossing
from adapters.activitypub.deliver.account import told_of_account
from adapters.activitypub.deliver.audience import audience
from adapters.activitypub.deliver.outgoing import outgoing
from adapters.activitypub.jsonld.context import ACTOR, with_context, without_context
from adapters.activitypub.lens import act, circle, index
from adapters.activitypub.lens.published import COMPLEMENT, View, buried
from adapters.activitypub.moderation import AT_FOLLOWS
from adapters.activitypub.wing import Wing
from pod.model.change import Change, ChangeOp
from pod.model.ids import Iri
from pod.model.member import Member, Standing
from pod.model.peer import Outgoing
from pod.model.resource import EMPTY
from pod.read import PROFILE_PATH

_PAGE: Final = 100
_NAME: Final = re.compile(rb"@|did:|://")
"""How every name of somebody, or of something of theirs, shows in the bytes of a record."""

Relate = Callable[[Wing, Member, ChangeOp], Awaitable[None]]
"""Makes what is between members of this pod what a change says; safe to repeat."""


class Reactor:
    """Reads the change log and fills the delivery queue.

    Of an imported repository only what it took away is told: the rest is not news.
    """

    def __init__(self, wing: Wing, relate: Relate) -> None:
        self._wing = wing
        self._relate = relate

    async def catch_up(self) -> None:
        """Turn all changes that are not yet turned; safe to repeat, and to stop at any await."""
        wing = self._wing
        while changes := wing.reader.changes(after=wing.queue.cursor(), limit=_PAGE):
            members = {change.member for change in changes}
            followed = {member: wing.followers.count(member) > 0 for member in members}
            due: list[Outgoing] = []
            for change in changes:
                due += await self._turn(change, is_followed=followed[change.member])
                await files.forget(wing, change)
            await self._relate_here(changes)
            await wing.queue.enqueue(due, wing.clock.now(), cursor=changes[-1].seq)
            if any(self._is_gone(change) for change in changes):
                await wing.farewells.finish()

    async def _turn(self, change: Change, *, is_followed: bool) -> list[Outgoing]:
        member = self._wing.reader.member(change.member)
        if member is None or change.kind in ("account", "identity"):
            return await told_of_account(self._wing, member, change) if member else []
        if not member.is_active:
            return []
        found: list[Outgoing] = []
        for place, op in enumerate(change.ops):
            if change.kind == "sync" and op.action != "delete":
                continue
            await asyncio.sleep(0)  # requests come first
            if not is_followed and not self._names_anybody(member, op):
                continue
            activity_id = f"{member.origin}/outbox/{change.rev}-{place}"
            errand = crossing.errand(self._wing, member, op, activity_id)
            found += [errand] if errand is not None else []
            if errand is None or op.action != "create":
                found += await self.tell(member, op, activity_id)
        return found

    async def tell(self, member: Member, op: ChangeOp, activity_id: str) -> list[Outgoing]:
        """What an op causes, for all whom it concerns."""
        found: list[Outgoing] = []
        await self._wing.look_at(member, op.path)
        await besides.keep_told(self._wing, member, op)
        if op.path == PROFILE_PATH and not _is_for_other_views(op):
            await besides.tell_pins(self._wing, member, activity_id)
            actor = await self._wing.actor_view(member)
            activity = with_context(index.update_actor(actor, activity_id), ACTOR)
        else:
            activity = activity_of(self._wing, member, op, activity_id) or {}
        if activity and not op.path.startswith(AT_FOLLOWS):  # those here are told by the record
            more = besides.others(self._wing, member, op)
            found += await self._outgoing(member, activity, more)
        wish = besides.quote_request(self._wing, member, op)
        found += await self._outgoing(member, wish[0], [wish[1]]) if wish is not None else []
        return found

    async def _outgoing(
        self, member: Member, activity: View, more: Sequence[Iri]
    ) -> list[Outgoing]:
        """The activity for all whom it addresses, and ``more``."""
        addressed = {**activity, "bto": list(more)} if more else activity
        inboxes, actors = audience(self._wing, member, addressed)
        if not inboxes and not actors:
            return []
        return [await outgoing(self._wing, member, activity, inboxes, actors)]

    async def _relate_here(self, changes: Sequence[Change]) -> None:
        for change in changes:
            member = self._wing.reader.member(change.member)
            for op in change.ops if member is not None else ():
                assert member is not None
                await self._relate(self._wing, member, op)

    def _is_gone(self, change: Change) -> bool:
        member = self._wing.reader.member(change.member)
        return member is not None and member.standing is Standing.DELETED

    def _names_anybody(self, member: Member, op: ChangeOp) -> bool:
        """Whether an op may concern anybody but followers: one without a name in it cannot."""
        reader = self._wing.reader
        if op.path == PROFILE_PATH:
            return False
        if op.action == "delete":
            tombstone = reader.tombstone(member.id, op.path)
            is_named = tombstone is not None and _NAME.search(tombstone.body) is not None
            return is_named or bool(besides.others(self._wing, member, op))
        resource = reader.resource(member.id, op.path)
        if resource is None:
            return False
        return resource.complement != EMPTY or _NAME.search(resource.body) is not None


def activity_of(wing: Wing, member: Member, op: ChangeOp, activity_id: str) -> View | None:
    """The activity, as a document, that one op causes; None where nobody is told.

    It tells of the present state: what was created and deleted since is only told as deleted.
    """
    if _is_for_other_views(op):
        return None
    if (post := besides.gated(op)) is not None:
        op = ChangeOp("update", post, None, None)
    if op.path.startswith("/repo/"):
        activity = _of_record(wing, member, op, activity_id)
        return index.document(activity) if activity is not None else None
    if op.path.startswith(circle.CIRCLE):
        activity = _of_circle(wing, member, op, activity_id)
        return index.document(activity) if activity is not None else None
    if op.path.startswith(act.SOCIAL):
        return _of_document(wing, member, op, activity_id)
    return None


def _is_for_other_views(op: ChangeOp) -> bool:
    """Whether all that changed are facts that AS2 does not show."""
    return op.cid == op.prev and COMPLEMENT not in op.views


def _of_record(wing: Wing, member: Member, op: ChangeOp, activity_id: str) -> View | None:
    if op.action == "delete":
        tombstone = wing.reader.tombstone(member.id, op.path)
        if tombstone is None:
            return None
        view = index.get(wing.published(member, buried(tombstone)))
        deleted_at = tombstone.deleted_at.isoformat().replace("+00:00", "Z")
        return index.delete(view, activity_id, deleted_at) if view is not None else None
    resource = wing.reader.resource(member.id, op.path)
    view = index.get(wing.published(member, resource)) if resource is not None else None
    if view is None:
        return None
    if op.action == "create":
        return index.create(view, activity_id)
    return None if index.is_activity(view) else index.update(view, activity_id)


def _of_circle(wing: Wing, member: Member, op: ChangeOp, activity_id: str) -> View | None:
    """What those hear of a post whom it is for."""
    if op.action == "delete":
        tombstone = wing.reader.tombstone(member.id, op.path)
        view = circle.get(member, tombstone) if tombstone is not None else None
        if tombstone is None or view is None:
            return None
        deleted_at = tombstone.deleted_at.isoformat().replace("+00:00", "Z")
        return index.delete(without_context(view), activity_id, deleted_at)
    resource = wing.reader.resource(member.id, op.path)
    view = circle.get(member, resource) if resource is not None else None
    if view is None:
        return None
    tell = index.create if op.action == "create" else index.update
    return tell(without_context(view), activity_id)


def _of_document(wing: Wing, member: Member, op: ChangeOp, activity_id: str) -> View | None:
    if op.action == "delete":
        tombstone = wing.reader.tombstone(member.id, op.path)
        undone = act.get(member, tombstone) if tombstone is not None else None
        return index.document(index.undo(undone, activity_id)) if undone is not None else None
    resource = wing.reader.resource(member.id, op.path)
    return act.get(member, resource) if op.action == "create" and resource is not None else None
