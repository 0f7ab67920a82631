"""Moderation of single things: a record or a blob that was taken down is shown to nobody.

A taken-down record stays in its repository: what was signed cannot be unsaid, only not shown.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from pod.model.ids import Cid, MemberId
from pod.model.resource import ResourcePath
from pod.ports import Clock
from pod.records.cid import cid_text


class Takedowns(Protocol):
    """What was taken down. Reads cost next to nothing: they are in every reader's way."""

    def ref(self, member: MemberId, subject: str) -> str | None: ...
    def has_any(self, member: MemberId) -> bool: ...
    def subjects(self, member: MemberId) -> frozenset[str]: ...
    async def put(self, member: MemberId, subject: str, ref: str, at: datetime) -> None: ...
    async def lift(self, member: MemberId, subject: str) -> None: ...


class Moderation:
    """Takes things down and brings them back."""

    def __init__(self, takedowns: Takedowns, clock: Clock) -> None:
        self._takedowns = takedowns
        self._clock = clock

    def hides(self, member: MemberId, path: str) -> bool:
        """Whether the record at a path was taken down."""
        return self._takedowns.ref(member, path) is not None

    def hides_any(self, member: MemberId) -> bool:
        """Whether anything at all of a member was taken down."""
        return self._takedowns.has_any(member)

    def hidden(self, member: MemberId) -> frozenset[str]:
        """The paths and CIDs of a member that were taken down."""
        return self._takedowns.subjects(member)

    def hides_blob(self, member: MemberId, cid: Cid) -> bool:
        """Whether a blob was taken down."""
        return self.hides_any(member) and self.hides(member, cid_text(cid))

    def ref(self, member: MemberId, subject: ResourcePath | Cid | None) -> str | None:
        """The reference under which a record, a blob or (None) the account was taken down."""
        return self._takedowns.ref(member, _name(subject))

    async def set(
        self, member: MemberId, subject: ResourcePath | Cid | None, ref: str | None
    ) -> None:
        """Take something down under a reference, or (None) bring it back."""
        if ref is None:
            await self._takedowns.lift(member, _name(subject))
        else:
            await self._takedowns.put(member, _name(subject), ref, self._clock.now())


def _name(subject: ResourcePath | Cid | None) -> str:
    if subject is None:
        return ""
    return cid_text(subject) if isinstance(subject, bytes) else subject
