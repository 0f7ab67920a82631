"""RSA keys of ActivityPub actors: what every fediverse server can verify."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from pod.errors import Invalid


class RsaKey:
    """A private RSA key of ours; keep the object, loading one is dear."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self._key: Final = key
        self.public_pem: Final = (
            key.public_key()
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            .decode("ascii")
        )

    @classmethod
    def generate(cls) -> RsaKey:
        """A fresh key of 2048 bits (about 60 ms)."""
        return cls(rsa.generate_private_key(public_exponent=65537, key_size=2048))

    @classmethod
    def from_private_pem(cls, pem: str) -> RsaKey:
        """A key that we once generated ourselves: its consistency is not checked again."""
        try:
            key = load_pem_private_key(
                pem.encode(), password=None, unsafe_skip_rsa_key_validation=True
            )
        except (ValueError, TypeError, UnsupportedAlgorithm) as err:
            raise Invalid("not an RSA private key") from err
        if not isinstance(key, rsa.RSAPrivateKey):
            raise Invalid("not an RSA private key")
        return cls(key)

    @property
    def private_pem(self) -> str:
        """PKCS#8 PEM, for the key vault only."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(
            "ascii"
        )

    def sign(self, message: bytes) -> bytes:
        """RSASSA-PKCS1-v1_5 over SHA-256, the ``rsa-sha256`` of HTTP signatures."""
        return self._key.sign(message, PKCS1v15(), SHA256())
