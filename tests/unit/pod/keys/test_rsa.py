"""RSA and Ed25519 keys: round trips through their stored forms."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from pod.errors import Invalid
from pod.keys.ed25519 import Ed25519Key, verify_ed25519
from pod.keys.rsa import RsaKey, verify_rsa


def test_an_rsa_key_signs_the_same_after_being_stored() -> None:
    key = RsaKey.generate()
    again = RsaKey.from_private_pem(key.private_pem)
    assert again.public_pem == key.public_pem
    assert again.sign(b"message") == key.sign(b"message")
    assert verify_rsa(key.public_pem, b"message", again.sign(b"message"))
    assert not verify_rsa(key.public_pem, b"another", key.sign(b"message"))
    assert not verify_rsa(key.public_pem, b"message", b"junk")


def test_a_key_of_another_kind_is_no_rsa_key() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    private = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for text in (private, "", "-----BEGIN PRIVATE KEY-----"):
        with pytest.raises(Invalid):
            RsaKey.from_private_pem(text)
    for text in (public.decode(), "", "junk"):
        with pytest.raises(Invalid):
            verify_rsa(text, b"message", b"signature")


def test_an_ed25519_key_signs_the_same_after_being_stored() -> None:
    key = Ed25519Key.generate()
    again = Ed25519Key.from_bytes(key.secret_bytes)
    assert again.multikey == key.multikey
    assert key.multikey.startswith("z6Mk")
    assert verify_ed25519(key.multikey, b"message", again.sign(b"message"))
    assert not verify_ed25519(key.multikey, b"another", key.sign(b"message"))


@pytest.mark.parametrize(
    "text", ["", "z", "z0", "zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJwc"]
)
def test_what_is_no_ed25519_multikey_is_invalid(text: str) -> None:
    with pytest.raises(Invalid):
        verify_ed25519(text, b"message", b"signature")


def test_an_ed25519_secret_has_32_bytes() -> None:
    with pytest.raises(Invalid):
        Ed25519Key.from_bytes(b"short")
