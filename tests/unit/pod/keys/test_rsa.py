"""RSA and Ed25519 keys: round trips through their stored forms."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)

from pod.errors import Invalid
from pod.keys import multibase
from pod.keys.ed25519 import Ed25519Key
from pod.keys.rsa import RsaKey


def test_an_rsa_key_signs_the_same_after_being_stored() -> None:
    key = RsaKey.generate()
    again = RsaKey.from_private_pem(key.private_pem)
    assert again.public_pem == key.public_pem
    assert again.sign(b"message") == key.sign(b"message")
    public = load_pem_public_key(key.public_pem.encode())
    assert isinstance(public, RSAPublicKey)
    public.verify(again.sign(b"message"), b"message", PKCS1v15(), SHA256())


def test_a_key_of_another_kind_is_no_rsa_key() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    private = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for text in (private, "", "-----BEGIN PRIVATE KEY-----"):
        with pytest.raises(Invalid):
            RsaKey.from_private_pem(text)


def test_an_ed25519_key_signs_the_same_after_being_stored() -> None:
    key = Ed25519Key.generate()
    again = Ed25519Key.from_bytes(key.secret_bytes)
    assert again.multikey == key.multikey
    assert key.multikey.startswith("z6Mk")
    public = Ed25519PublicKey.from_public_bytes(multibase.decode(key.multikey)[2:])
    public.verify(again.sign(b"message"), b"message")


def test_an_ed25519_secret_has_32_bytes() -> None:
    with pytest.raises(Invalid):
        Ed25519Key.from_bytes(b"short")
