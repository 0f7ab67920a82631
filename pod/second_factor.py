"""The second factor: codes of an authenticator app, which a member may ask for at sign-in."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from pod.errors import Invalid, Unauthenticated
from pod.keys.totp import STEP_S, matching_step, new_secret
from pod.model.ids import MemberId
from pod.oauth.ports import OAuthStore
from pod.passkeys import has_passkeys
from pod.ports import Clock, Store

TOTP: Final = "totp"
_PENDING: Final = "totp-pending"
_OFF: Final = b""
_REMEMBERED: Final = timedelta(seconds=3 * STEP_S)


class SecondFactor:
    """Turns codes on and off, and checks them; each code is good once."""

    def __init__(self, store: Store, used: OAuthStore, clock: Clock) -> None:
        self._store = store
        self._used = used
        self._clock = clock

    def is_on(self, member: MemberId) -> bool:
        """Whether a member signs in with a code besides the password."""
        return bool(self._store.secret(member, TOTP))

    async def begin(self, member: MemberId) -> bytes:
        """A new secret for the member's authenticator; nothing changes until `confirm`."""
        secret = new_secret()
        await self._store.write(lambda tx: tx.put_secret(member, _PENDING, secret))
        return secret

    def pending(self, member: MemberId) -> bytes | None:
        """The secret that waits to be confirmed."""
        return self._store.secret(member, _PENDING) or None

    async def confirm(self, member: MemberId, code: str) -> None:
        """Turn codes on, once the authenticator shows the right one; raises Invalid."""
        secret = self.pending(member)
        if secret is None or not await self._is_right(member, secret, code):
            raise Invalid("That code is not right.")
        await self._store.write(lambda tx: tx.put_secret(member, TOTP, secret))
        await self._store.write(lambda tx: tx.put_secret(member, _PENDING, _OFF))

    async def turn_off(self, member: MemberId) -> None:
        """Sign in with the password alone from now on."""
        await self._store.write(lambda tx: tx.put_secret(member, TOTP, _OFF))

    async def check(self, member: MemberId, code: str | None) -> None:
        """Pass, or raise Unauthenticated: ``AuthFactorTokenRequired`` where a code is missing."""
        secret = self._store.secret(member, TOTP)
        if not secret:
            if has_passkeys(self._store, member):
                text = "This account has passkeys: use an app password, or sign in on the web."
                raise Unauthenticated(text, name="AuthFactorTokenRequired")
            return
        if not code:
            text = "A sign in code from your authenticator app is required."
            raise Unauthenticated(text, name="AuthFactorTokenRequired")
        if not await self._is_right(member, secret, code):
            raise Unauthenticated("That code is not right.")

    async def _is_right(self, member: MemberId, secret: bytes, code: str) -> bool:
        now = self._clock.now()
        step = matching_step(secret, code, now)
        return step is not None and await self._used.use_once(
            f"totp {member} {step}", now + _REMEMBERED
        )
