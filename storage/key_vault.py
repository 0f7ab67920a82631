"""Keys and other secrets, sealed at rest under a key that lies outside the database.

A copy of the database alone (a backup, a disk image) gives away no key of a member.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select

from pod.model.ids import MemberId
from storage.durable import write_file
from storage.members import Rows
from storage.statements import compiled, given, upsert
from storage.tables import key_vault

_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32
_SERVER: Final = 0
"""The owner of the server's own secrets; members count from 1."""

_GET: Final = compiled(
    select(key_vault.c.sealed).where(
        key_vault.c.owner == given("owner"), key_vault.c.purpose == given("purpose")
    )
)
_PUT: Final = upsert(key_vault)


class Seal:
    """Seals and opens with AES-256-GCM, each secret bound to its owner and purpose."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def open(cls, path: Path) -> Seal:
        """The seal whose key is the file at ``path``; made on first use, readable by us alone.

        Raises RuntimeError when the file is not such a key.
        """
        if not path.exists():
            write_file(path, secrets.token_bytes(_KEY_BYTES))
        key = path.read_bytes()
        if len(key) != _KEY_BYTES:
            raise RuntimeError(f"{path.name} is not a key of {_KEY_BYTES} bytes")
        return cls(key)

    def close_over(self, secret: bytes, bound_to: bytes) -> bytes:
        """The sealed form of a secret."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, bound_to)

    def reveal(self, sealed: bytes, bound_to: bytes) -> bytes:
        """The secret in a sealed form; raises InvalidTag (cryptography) if anything differs."""
        return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to)


class SecretReads(Rows):
    """Reads of sealed secrets."""

    _seal: Seal

    def secret(self, member: MemberId | None, purpose: str) -> bytes | None:
        """A key or password hash of a member, or (None) of the server."""
        owner = member or _SERVER
        row = self._execute(_GET, (owner, purpose)).fetchone()
        return None if row is None else self._seal.reveal(row[0], _bound_to(owner, purpose))


class SecretWrites(SecretReads):
    """Writes of sealed secrets within a transaction."""

    def put_secret(self, member: MemberId | None, purpose: str, secret: bytes) -> None:
        """Keep a secret of a member, or (None) of the server, in place of the one before."""
        owner = member or _SERVER
        sealed = self._seal.close_over(secret, _bound_to(owner, purpose))
        self._execute(_PUT, (owner, purpose, sealed))


def _bound_to(owner: int, purpose: str) -> bytes:
    return f"{owner} {purpose}".encode()
