"""Confirmation by mail: a code that only the holder of an address gets, good for a quarter hour.

There is one code for each member and purpose; a new one takes the place of the one before.
"""

from __future__ import annotations

import hmac
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from secrets import token_bytes
from typing import Final, Protocol

from pod.errors import Invalid
from pod.model.ids import MemberId
from pod.model.member import Member
from pod.ports import Clock

LIFE: Final = timedelta(minutes=15)


class Purpose(StrEnum):
    """What a code is good for."""

    CONFIRM_EMAIL = "confirm_email"
    UPDATE_EMAIL = "update_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105  a purpose, not a password
    DELETE_ACCOUNT = "delete_account"
    PLC_OPERATION = "plc_operation"


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail, in plain text. ``code`` is the code in it, for those that carry one."""

    to: str
    subject: str
    text: str
    code: str | None = None


class Mailbox(Protocol):
    """Where letters are put in."""

    async def send(self, letter: Letter) -> None:
        """Send a letter; raises PeerUnavailable when it cannot be sent."""
        ...


@dataclass(frozen=True, slots=True)
class Sent:
    """A code, whom it was sent to, and when."""

    member: MemberId
    code: str
    at: datetime


class Codes(Protocol):
    """Codes that wait to be shown."""

    def sent(self, member: MemberId, purpose: Purpose) -> Sent | None: ...
    def find(self, purpose: Purpose, code: str) -> Sent | None: ...
    async def put(self, member: MemberId, purpose: Purpose, code: str, at: datetime) -> None: ...
    async def drop(self, member: MemberId, purpose: Purpose | None = None) -> None:
        """Forget the code for a purpose, or (None) all codes of a member."""
        ...


_LETTERS: Final = {
    Purpose.CONFIRM_EMAIL: (
        "Confirm your email address",
        "To confirm that this is the email address of {handle}, enter this code:",
    ),
    Purpose.UPDATE_EMAIL: (
        "Change your email address",
        "To change the email address of {handle}, enter this code:",
    ),
    Purpose.RESET_PASSWORD: (
        "Choose a new password",
        "To choose a new password for {handle}, enter this code:",
    ),
    Purpose.DELETE_ACCOUNT: (
        "Delete your account",
        "To delete the account {handle} and all that is in it, for ever, enter this code:",
    ),
    Purpose.PLC_OPERATION: (
        "Change your identity",
        """Somebody asks this server to sign a change of the identity of {handle}, as when you move
to another server. Whoever has this code can take the account away. Enter it only if you asked for
this:""",
    ),
}
_END: Final = "It is good for 15 minutes. If you did not ask for this, do nothing.\n"


class Confirmations:
    """Sends codes and checks them."""

    def __init__(self, codes: Codes, mailbox: Mailbox, clock: Clock) -> None:
        self._codes = codes
        self._mailbox = mailbox
        self._clock = clock

    async def send(self, member: Member, purpose: Purpose) -> None:
        """Mail a fresh code; Invalid if the member has no address, PeerUnavailable."""
        if member.email is None:
            raise Invalid("account does not have an email address")
        code = new_code().upper()
        await self._codes.put(member.id, purpose, code, self._clock.now())
        subject, words = _LETTERS[purpose]
        text = f"{words.format(handle=member.handle)}\n\n    {code}\n\n{_END}"
        await self._mailbox.send(Letter(member.email, subject, text, code))

    def check(self, member: MemberId, purpose: Purpose, code: str) -> None:
        """Pass, or raise Invalid (``InvalidToken``, ``ExpiredToken``)."""
        sent = self._codes.sent(member, purpose)
        shown = code.upper().encode()
        if sent is None or not hmac.compare_digest(sent.code.encode(), shown):
            raise Invalid("Token is invalid", name="InvalidToken")
        self._check_age(sent)

    def holder(self, purpose: Purpose, code: str) -> MemberId:
        """Whoever was sent a code; raises Invalid (``InvalidToken``, ``ExpiredToken``)."""
        sent = self._codes.find(purpose, code.upper())
        if sent is None:
            raise Invalid("Token is invalid", name="InvalidToken")
        self._check_age(sent)
        return sent.member

    async def drop(self, member: MemberId, purpose: Purpose | None = None) -> None:
        """Forget a code that was used, or (None) all codes of a member."""
        await self._codes.drop(member, purpose)

    def _check_age(self, sent: Sent) -> None:
        if self._clock.now() - sent.at > LIFE:
            raise Invalid("Token is expired", name="ExpiredToken")


def new_code() -> str:
    """50 random bits in base32, as ``xxxxx-xxxxx``."""
    text = b32encode(token_bytes(10)).decode().lower()[:10]
    return f"{text[:5]}-{text[5:]}"
