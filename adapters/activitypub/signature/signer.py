"""Signatures beside the event loop: many requests at a time, in threads.

Making an RSA signature takes 0.2 ms, in which OpenSSL lets the interpreter run others; handing over
each alone would cost about as much as it saves. Two threads, as each waits for the interpreter
after every signature; they begin with the first one.

Spec: https://swicg.github.io/activitypub-http-signature/
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from pod.keys.rsa import RsaKey

_AT_ONCE: Final = 16
"""What the first of a batch waits for: 3 ms."""

_THREADS: Final = 2
_BATCHES: Final = 3
"""One is handed over while the others are signed."""


class Signer:
    """Signs what is asked for, in order."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, "signatures")
        self._waiting: list[tuple[RsaKey, bytes, asyncio.Future[bytes]]] = []
        self._work: set[asyncio.Task[None]] = set()

    async def sign(self, key: RsaKey, message: bytes) -> bytes:
        """The key's ``rsa-sha256`` signature of a message."""
        signature: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, message, signature))
        if len(self._work) < _BATCHES:
            self._work.add(asyncio.create_task(self._sign_waiting()))
        return await signature

    async def _sign_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
            made = await loop.run_in_executor(self._threads, _signatures, batch)
            for (_, _, asked), signature in zip(batch, made, strict=True):
                if not asked.done():
                    asked.set_result(signature)
        # At once, not in a callback: whoever asks next must not count on what has ended.
        self._work -= {asyncio.current_task()}


def _signatures(batch: list[tuple[RsaKey, bytes, asyncio.Future[bytes]]]) -> list[bytes]:
    return [key.sign(message) for key, message, _ in batch]
