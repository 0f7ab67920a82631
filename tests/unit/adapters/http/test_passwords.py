"""Passwords: the right one is taken, and what is no hash is never right."""

from __future__ import annotations

import asyncio

import pytest

from adapters.http.passwords import Passwords
from pod.settings import Hashing

CHEAP = Hashing(time_cost=1, memory_kib=8, workers=2)


def answers(*asked: tuple[str | None, str]) -> list[bool]:
    """What `Passwords.verify` says, all asked at once."""

    async def run() -> list[bool]:
        passwords = Passwords(CHEAP)
        try:
            return await asyncio.gather(*(passwords.verify(*one) for one in asked))
        finally:
            passwords.close()

    return asyncio.run(run())


def hashed(password: str) -> str:
    async def run() -> str:
        passwords = Passwords(CHEAP)
        try:
            return await passwords.hash(password)
        finally:
            passwords.close()

    return asyncio.run(run())


@pytest.mark.parametrize("password", ["correct horse", "", "pässwörd", "x" * 512])
def test_the_right_password_is_taken_and_another_is_not(password: str) -> None:
    encoded = hashed(password)
    assert answers((encoded, password), (encoded, password + "x")) == [True, False]


def test_the_same_password_hashes_differently_each_time() -> None:
    assert hashed("same") != hashed("same")
    assert "same" not in hashed("same")


@pytest.mark.parametrize("encoded", [None, "", "nonsense", "$argon2id$v=19$m=8,t=1,p=1$AA$AA"])
def test_what_is_no_hash_is_never_right(encoded: str | None) -> None:
    assert answers((encoded, ""), (encoded, "anything")) == [False, False]


def test_a_hash_made_at_another_cost_still_verifies() -> None:
    encoded = hashed("moved")

    async def run() -> bool:
        dearer = Passwords(Hashing(time_cost=2, memory_kib=16, workers=1))
        try:
            return await dearer.verify(encoded, "moved")
        finally:
            dearer.close()

    assert asyncio.run(run())
