"""The key ring: every key of the pod, made once, sealed by the store, kept as ready objects.

A repository key exists from an account's first moment; the RSA key of an actor costs about 60 ms
to make and is made when first needed.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Final, TypeVar

from pod.errors import NotFound
from pod.keys.curves import Curve, SigningKey
from pod.keys.ed25519 import Ed25519Key
from pod.keys.rsa import RsaKey
from pod.keys.token_key import TokenKey
from pod.model.ids import Did, MemberId
from pod.ports import Store, Tx

REPO: Final = "repo-key"
ACTOR_RSA: Final = "actor-rsa"
PREVIOUS_RSA: Final = "actor-rsa-previous"
ACTOR_ED25519: Final = "actor-ed25519"
ROTATION: Final = "rotation-key"
SESSIONS: Final = "session-secret"
OAUTH: Final = "oauth-secret"
TOKENS: Final = "token-key"
RESERVED: Final = "reserved "
"""What stands before the name of a key that waits for its account."""

KEPT: Final = 4_096

K = TypeVar("K")
V = TypeVar("V")


class KeyRing:
    """Hands out signers. All methods are cheap after the first use of a key."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._repo: dict[MemberId, SigningKey] = {}
        self._rsa: dict[MemberId | None, RsaKey] = {}
        self._ed25519: dict[MemberId, Ed25519Key] = {}
        self._tokens: tuple[TokenKey, ...] = ()
        self._making = asyncio.Lock()

    async def open(self) -> None:
        """Make the server's own secrets, the first time."""

        async def ensure(purpose: str, secret: bytes) -> None:
            if self._store.secret(None, purpose) is None:
                await self._store.write(lambda tx: tx.put_secret(None, purpose, secret))

        await ensure(ROTATION, SigningKey.generate_k256().secret_bytes)
        await ensure(SESSIONS, secrets.token_bytes(32))
        await ensure(OAUTH, secrets.token_bytes(32))
        await ensure(TOKENS, SigningKey.generate_p256().secret_bytes)

    def rotation_key(self) -> SigningKey:
        """The server's rotation key for did:plc operations."""
        return SigningKey.from_bytes(self._secret(None, ROTATION))

    def session_secret(self) -> bytes:
        """The secret under which session tokens are signed."""
        return self._secret(None, SESSIONS)

    def oauth_secret(self) -> bytes:
        """The secret under which the tokens of apps are made."""
        return self._secret(None, OAUTH)

    def token_key(self) -> TokenKey:
        """The key under which the server signs what others verify by its key set."""
        return self.token_keys()[0]

    def token_keys(self) -> tuple[TokenKey, ...]:
        """The keys of the key set: the one that signs, then the one that did before it."""
        if not self._tokens:
            kept = self._secret(None, TOKENS)
            parts = [kept[at : at + 32] for at in range(0, len(kept), 32)]
            keys = (SigningKey.from_bytes(part, Curve.P256) for part in parts)
            self._tokens = tuple(TokenKey(key) for key in keys)
        return self._tokens

    async def rotate_token_key(self) -> None:
        """Sign with a new key from now on; what the last one signed stays good."""
        kept = SigningKey.generate_p256().secret_bytes + self._secret(None, TOKENS)[:32]
        await self._store.write(lambda tx: tx.put_secret(None, TOKENS, kept))
        self._tokens = ()

    def repo_key(self, member: MemberId) -> SigningKey:
        """The key that signs a member's commits; raises NotFound for nobody."""
        key = self._repo.get(member)
        if key is None:
            key = SigningKey.from_bytes(self._secret(member, REPO))
            _keep(self._repo, member, key)
        return key

    async def reserve(self, did: Did | None) -> SigningKey:
        """A repository key for an account that is to come, the same again for the same DID.

        `reserved` finds it by the DID, or by itself (did:key).
        """
        known = None if did is None else self.reserved(did)
        if known is not None:
            return known
        key = SigningKey.generate_k256()
        name = RESERVED + (did or key.did_key)
        await self._store.write(lambda tx: tx.put_secret(None, name, key.secret_bytes))
        return key

    def reserved(self, name: str) -> SigningKey | None:
        """The key that was reserved for a DID, or that has this did:key."""
        secret = self._store.secret(None, RESERVED + name)
        return None if secret is None else SigningKey.from_bytes(secret)

    def forget(self, member: MemberId) -> None:
        """Drop the keys of a member who left from memory."""
        self._repo.pop(member, None)
        self._rsa.pop(member, None)
        self._ed25519.pop(member, None)

    def prime(self, member: MemberId, key: SigningKey) -> None:
        """Hand over the key of a member who is being made: their first commit needs it."""
        _keep(self._repo, member, key)

    async def actor_key(self, member: MemberId | None) -> RsaKey:
        """The RSA key of a member's actor, or (None) of the server's own actor."""
        key = self._rsa.get(member)
        if key is not None:
            return key
        async with self._making:
            stored = self._store.secret(member, ACTOR_RSA)
            if stored is not None:
                key = await asyncio.to_thread(RsaKey.from_private_pem, stored.decode())
            else:
                key = await asyncio.to_thread(RsaKey.generate)
                pem = key.private_pem.encode()
                await self._store.write(lambda tx: tx.put_secret(member, ACTOR_RSA, pem))
            _keep(self._rsa, member, key)
        return key

    async def previous_actor_key(self, member: MemberId) -> RsaKey | None:
        """The RSA key that a member's actor had before the present one, if it had another."""
        stored = self._store.secret(member, PREVIOUS_RSA)
        if stored is None:
            return None
        return await asyncio.to_thread(RsaKey.from_private_pem, stored.decode())

    async def rotate_actor_keys(self, member: MemberId | None) -> None:
        """New keys for a member's actor, or (None) the server's; the old RSA key is kept beside."""
        old = await self.actor_key(member)
        async with self._making:
            new = await asyncio.to_thread(RsaKey.generate)
            proof = Ed25519Key.generate()

            def work(tx: Tx) -> None:
                tx.put_secret(member, PREVIOUS_RSA, old.private_pem.encode())
                tx.put_secret(member, ACTOR_RSA, new.private_pem.encode())
                if member is not None:
                    tx.put_secret(member, ACTOR_ED25519, proof.secret_bytes)

            await self._store.write(work)
            _keep(self._rsa, member, new)
            if member is not None:
                _keep(self._ed25519, member, proof)

    async def proof_key(self, member: MemberId) -> Ed25519Key:
        """The Ed25519 key that an actor lists as its assertion method."""
        key = self._ed25519.get(member)
        if key is None:
            stored = self._store.secret(member, ACTOR_ED25519)
            key = Ed25519Key.from_bytes(stored) if stored else Ed25519Key.generate()
            if stored is None:
                made = key.secret_bytes
                await self._store.write(lambda tx: tx.put_secret(member, ACTOR_ED25519, made))
            _keep(self._ed25519, member, key)
        return key

    def _secret(self, member: MemberId | None, purpose: str) -> bytes:
        found = self._store.secret(member, purpose)
        if found is None:
            raise NotFound(f"There is no {purpose}.")
        return found


def _keep(cache: dict[K, V], name: K, key: V) -> None:
    if len(cache) >= KEPT:
        cache.pop(next(iter(cache)))
    cache[name] = key
