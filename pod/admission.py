"""Whether somebody may sign up with an invitation."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from pod.errors import Invalid
from pod.model.ids import Did
from pod.model.invite import ADMIN, Invite
from pod.ports import Reader, Tx


class InviteBook(Protocol):
    """What sign-up asks of the invitations."""

    def invite(self, code: str) -> Invite | None: ...
    def take(self, tx: Tx, code: str, did: Did, at: datetime) -> None:
        """Use one in the transaction of a sign-up; Invalid (``InvalidInviteCode``)."""
        ...


def check_invite(invites: InviteBook, reader: Reader, code: str | None) -> None:
    """Invalid (``InvalidInviteCode``) unless somebody may sign up with a code now."""
    if not code:
        raise Invalid("No invite code provided", name="InvalidInviteCode")
    found = invites.invite(code)
    owner = None
    if found is not None and found.for_account != ADMIN:
        owner = reader.member_by_did(Did(found.for_account))
    if found is None or not found.is_open or (owner is not None and not owner.is_active):
        raise Invalid("Provided invite code not available", name="InvalidInviteCode")
