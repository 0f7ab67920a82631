"""Secrets at rest."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from storage.key_vault import Seal
from tests.kit.stored import add_member, sql_store

SECRET = b"a very private signing key"


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_what_is_sealed_comes_back_and_only_where_it_belongs(secret: bytes, place: bytes) -> None:
    seal = Seal(bytes(32))
    sealed = seal.close_over(secret, place)
    assert seal.reveal(sealed, place) == secret
    assert sealed != seal.close_over(secret, place)
    for wrong, bound_to in [
        (sealed, place + b"x"),
        (sealed[:-1] + bytes([sealed[-1] ^ 1]), place),
        (bytes([sealed[0] ^ 1]) + sealed[1:], place),
    ]:
        with pytest.raises(InvalidTag):
            seal.reveal(wrong, bound_to)
    with pytest.raises(InvalidTag):
        Seal(bytes(31) + b"\1").reveal(sealed, place)


def test_the_key_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "seal.key"
    sealed = Seal.open(path).close_over(SECRET, b"")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Seal.open(path).reveal(sealed, b"") == SECRET
    assert [file.name for file in tmp_path.iterdir()] == ["seal.key"]


def test_a_cut_key_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "seal.key").write_bytes(b"short")
    with pytest.raises(RuntimeError, match="not a key"):
        Seal.open(tmp_path / "seal.key")


def test_no_secret_lies_open_in_the_database(tmp_path: Path) -> None:
    async def story() -> None:
        async with sql_store(tmp_path / "pod.db") as store:
            alice = await store.write(add_member)
            bob = await store.write(lambda tx: add_member(tx, "bob"))
            await store.write(lambda tx: tx.put_secret(alice.id, "repo-key", SECRET))
        assert SECRET not in (tmp_path / "pod.db").read_bytes()
        with sqlite3.connect(tmp_path / "pod.db") as connection:
            connection.execute("UPDATE key_vault SET owner = ?", (bob.id,))
        connection.close()
        async with sql_store(tmp_path / "pod.db") as store:
            assert store.secret(alice.id, "repo-key") is None
            with pytest.raises(InvalidTag):
                store.secret(bob.id, "repo-key")

    asyncio.run(story())
