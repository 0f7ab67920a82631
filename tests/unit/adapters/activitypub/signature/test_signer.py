"""The signer: every one who asks gets their own signature, whoever else gives up meanwhile."""

from __future__ import annotations

import asyncio

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from adapters.activitypub.signature.signer import Signer
from pod.keys.rsa import RsaKey

KEYS = [RsaKey.generate() for _ in range(2)]


def verify(key: RsaKey, message: bytes, signature: bytes) -> None:
    """Raises InvalidSignature where a key did not sign a message."""
    public = load_pem_public_key(key.public_pem.encode())
    assert isinstance(public, RSAPublicKey)
    public.verify(signature, message, PKCS1v15(), SHA256())


def test_each_gets_the_signature_of_their_own_message_by_their_own_key() -> None:
    async def run() -> list[bytes]:
        signer = Signer()
        return await asyncio.gather(
            *(signer.sign(KEYS[number % 2], b"%d" % number) for number in range(100))
        )

    for number, signature in enumerate(asyncio.run(run())):
        verify(KEYS[number % 2], b"%d" % number, signature)


def test_who_asks_as_others_are_answered_is_answered_too() -> None:
    async def one_after_another(signer: Signer, name: int) -> None:
        for number in range(20):
            message = b"%d/%d" % (name, number)
            verify(KEYS[0], message, await signer.sign(KEYS[0], message))

    async def run() -> None:
        signer = Signer()
        async with asyncio.timeout(30):
            await asyncio.gather(*(one_after_another(signer, name) for name in range(40)))

    asyncio.run(run())


def test_who_gives_up_keeps_nobody_else_from_an_answer() -> None:
    async def run() -> bytes:
        signer = Signer()
        asked = [asyncio.create_task(signer.sign(KEYS[0], b"%d" % n)) for n in range(50)]
        await asyncio.sleep(0)
        for task in asked[:49]:
            task.cancel()
        return await asked[49]

    verify(KEYS[0], b"49", asyncio.run(run()))
