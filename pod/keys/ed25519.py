"""Ed25519 keys as Multikeys: for RFC 9421 signatures and object integrity proofs.

Spec: https://www.w3.org/TR/controller-document/#Multikey
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
)

from pod.errors import Invalid
from pod.keys import multibase

_PREFIX: Final = b"\xed\x01"


class Ed25519Key:
    """A private Ed25519 key of ours."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key: Final = key
        self.multikey: Final = multibase.encode(_PREFIX + key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> Ed25519Key:
        """A fresh key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_bytes(cls, secret: bytes) -> Ed25519Key:
        """A key from its 32 secret bytes; Invalid if there are not 32."""
        try:
            return cls(Ed25519PrivateKey.from_private_bytes(secret))
        except ValueError as err:
            raise Invalid("a private key has 32 bytes") from err

    @property
    def secret_bytes(self) -> bytes:
        """The 32 secret bytes, for the key vault only."""
        return self._key.private_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The 64 byte signature over ``message``."""
        return self._key.sign(message)
