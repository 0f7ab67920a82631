"""Passwords: argon2id in a bounded pool of threads, so that sign-ins cannot stall the server.

Spec: RFC 9106, https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from secrets import token_urlsafe

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pod.settings import Hashing


class Passwords:
    """Hashes and verifies; as many at a time as the settings allow, the others wait their turn."""

    def __init__(self, hashing: Hashing) -> None:
        self._hasher = PasswordHasher(
            time_cost=hashing.time_cost,
            memory_cost=hashing.memory_kib,
            parallelism=hashing.parallelism,
        )
        self._pool = ThreadPoolExecutor(hashing.workers, thread_name_prefix="passwords")

    async def hash(self, password: str) -> str:
        """The encoded hash of a password, with its salt and cost."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._hasher.hash, password)

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Whether a password is the one that was hashed.

        Where there is no hash, because there is nobody of that name, it takes as long to say no.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._is_right, encoded, password)

    def close(self) -> None:
        """Let the running ones finish and end the threads."""
        self._pool.shutdown()

    @cached_property
    def _decoy(self) -> str:
        return self._hasher.hash(token_urlsafe())

    def _is_right(self, encoded: str | None, password: str) -> bool:
        try:
            return self._hasher.verify(encoded or self._decoy, password)
        except (VerificationError, InvalidHashError):
            return False
