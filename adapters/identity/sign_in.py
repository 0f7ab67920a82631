"""Signing a person in: password, then a code if they asked for one, with limits on guessing.

Spec: https://cheatsheetseries.owasp.org/cheatsheets/Authentication_Cheat_Sheet.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from adapters.http.throttle import Limit, Throttle
from pod.account import PASSWORD
from pod.errors import Unauthenticated
from pod.model.ids import Did, Handle
from pod.model.member import Member, Standing
from pod.passkeys import Passkeys
from pod.ports import Reader
from pod.second_factor import SecondFactor

GUESSES: Final = Limit(10, 300)
"""Wrong or right, for each account: an attacker gets no more, from however many addresses."""

MAX_PASSWORD: Final = 512
WRONG: Final = "That name and password do not match."
_AWAY: Final = frozenset({Standing.DELETED, Standing.TAKENDOWN, Standing.SUSPENDED})


class Passwords(Protocol):
    """Slow hashing, away from the event loop."""

    async def hash(self, password: str) -> str: ...
    async def verify(self, encoded: str | None, password: str) -> bool:
        """Whether a password is right; None (nobody of that name) is never, and takes as long."""
        ...


class SignIn:
    """Checks what people show of themselves. All refusals of a name and password read the same."""

    def __init__(
        self,
        reader: Reader,
        passwords: Passwords,
        factor: SecondFactor,
        passkeys: Passkeys,
        throttle: Throttle,
    ) -> None:
        self._reader = reader
        self._passwords = passwords
        self._factor = factor
        self._passkeys = passkeys
        self._throttle = throttle

    def find(self, name: str) -> Member | None:
        """The member whom a handle, DID or email address names."""
        name = name.strip().removeprefix("@")
        if name.startswith("did:"):
            return self._reader.member_by_did(Did(name))
        if "@" in name:
            return self._reader.member_by_email(name.lower())
        return self._reader.member_by_handle(Handle(name.lower()))

    async def member(self, name: str, password: str) -> Member:
        """Who signs in; raises Unauthenticated or Throttled. A code may still be wanted."""
        member = self.find(name)
        if member is not None and member.standing in _AWAY:
            member = None
        self._throttle.take(f"sign-in {name if member is None else member.did}"[:300], GUESSES)
        encoded = None if member is None else self._reader.secret(member.id, PASSWORD)
        is_right = await self._passwords.verify(
            encoded.decode() if encoded else None, password[:MAX_PASSWORD]
        )
        if member is None or not is_right:
            raise Unauthenticated(WRONG)
        return member

    async def again(self, member: Member, password: str) -> None:
        """Pass if the member, who is signed in, knows the password; raises Unauthenticated."""
        if (await self.member(member.did, password)).id != member.id:
            raise Unauthenticated(WRONG)

    def wants_more(self, member: Member) -> bool:
        """Whether a code or a passkey is wanted besides the password."""
        return self._factor.is_on(member.id) or bool(self._passkeys.of(member.id))

    def takes_codes(self, member: Member) -> bool:
        """Whether a code will do."""
        return self._factor.is_on(member.id)

    def known_passkeys(self, member: Member) -> str:
        """The ids of the member's passkeys, for their browser."""
        return " ".join(each.id for each in self._passkeys.of(member.id))

    async def passkey(self, member: Member, told: Mapping[str, str], challenge: str) -> None:
        """Pass if a passkey of the member answered; raises Invalid or Throttled."""
        self._throttle.take(f"code {member.did}", GUESSES)
        await self._passkeys.check(member.id, told, challenge)

    async def code(self, member: Member, code: str) -> None:
        """Pass if the code is right; raises Unauthenticated or Throttled."""
        self._throttle.take(f"code {member.did}", GUESSES)
        if not self._factor.is_on(member.id):
            raise Unauthenticated("That code is not right.")
        await self._factor.check(member.id, code)
