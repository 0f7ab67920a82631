"""A security key made of a key and a counter, and what a browser says of it."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pod.keys.passkey import Site
from tests.kit.apps import b64

SITE = Site("https://pods.example")
CHALLENGE = "c" * 43
KEY = ec.generate_private_key(ec.SECP256R1())


def der(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    """The public key of a private one."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def told(
    kind: str, /, count: int = 1, flags: int = 1, key: Any = KEY, site: Site = SITE, **client: Any
) -> dict[str, str]:
    """What a good authenticator answers; ``client`` replaces what the browser adds."""
    said = {"type": kind, "challenge": CHALLENGE, "origin": site.origin} | client
    client_data = json.dumps({k: v for k, v in said.items() if v is not None}).encode()
    data = sha256(site.id.encode()).digest() + bytes([flags]) + count.to_bytes(4, "big")
    signed = data + sha256(client_data).digest()
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(signed, PKCS1v15(), SHA256())
    else:
        signature = key.sign(signed, ec.ECDSA(SHA256()))
    return {
        "client_data": b64(client_data),
        "authenticator_data": b64(data),
        "signature": b64(signature),
        "public_key": b64(der(key)),
    }
