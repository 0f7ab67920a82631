"""A member's passkeys: made on their account page, asked for at sign-in after the password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Final

import orjson

from pod.errors import Conflict, Invalid
from pod.keys.passkey import Site, check_assertion, new_public_key
from pod.model.ids import MemberId
from pod.oauth.ports import OAuthStore
from pod.ports import Clock, Store

PASSKEYS: Final = "passkeys"
MOST: Final = 20
_CHALLENGE_LIFE: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Passkey:
    """A credential: its id (base64url), what the member calls it, its key (DER in hex)."""

    id: str
    name: str
    public_key: str
    count: int
    made: str


def has_passkeys(store: Store, member: MemberId) -> bool:
    """Whether a member signs in with a passkey besides the password."""
    return bool(orjson.loads(store.secret(member, PASSKEYS) or b"[]"))


class Passkeys:
    """Keeps passkeys sealed beside the member's other secrets; each challenge is good once."""

    def __init__(self, store: Store, used: OAuthStore, clock: Clock, site: Site) -> None:
        self._store = store
        self._used = used
        self._clock = clock
        self.site = site

    def of(self, member: MemberId) -> list[Passkey]:
        """The passkeys of a member, in the order they were made."""
        kept = self._store.secret(member, PASSKEYS) or b"[]"
        return [Passkey(**each) for each in orjson.loads(kept)]

    async def add(
        self, member: MemberId, name: str, told: Mapping[str, str], challenge: str
    ) -> None:
        """Keep a credential that the member's browser has just made; Invalid or Conflict."""
        held = self.of(member)
        key = new_public_key(dict(told), self.site, challenge)
        ident = told.get("credential", "")
        if not ident or len(ident) > 1_400:
            raise Invalid("That passkey is not right.")
        if len(held) >= MOST or any(each.id == ident for each in held):
            raise Conflict("You have that passkey already, or too many.")
        await self._use(challenge)
        made = f"{self._clock.now():%d %B %Y}"
        await self._keep(member, [*held, Passkey(ident, name, key.hex(), 0, made)])

    async def remove(self, member: MemberId, ident: str) -> None:
        """Forget a passkey; an unknown one is no error."""
        await self._keep(member, [each for each in self.of(member) if each.id != ident])

    async def check(self, member: MemberId, told: Mapping[str, str], challenge: str) -> None:
        """Pass if one of the member's passkeys answered the challenge; raises Invalid."""
        held = self.of(member)
        shown = next((each for each in held if each.id == told.get("credential")), None)
        if shown is None:
            raise Invalid("That passkey is not one of yours.")
        count = check_assertion(
            dict(told), self.site, challenge, bytes.fromhex(shown.public_key), shown.count
        )
        await self._use(challenge)
        used = replace(shown, count=count)
        await self._keep(member, [used if each is shown else each for each in held])

    async def _use(self, challenge: str) -> None:
        until = self._clock.now() + _CHALLENGE_LIFE
        if not await self._used.use_once(f"passkey {challenge}", until):
            raise Invalid("That took too long. Please try again.")

    async def _keep(self, member: MemberId, held: list[Passkey]) -> None:
        packed = orjson.dumps([asdict(each) for each in held])
        await self._store.write(lambda tx: tx.put_secret(member, PASSKEYS, packed))
