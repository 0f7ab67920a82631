"""Passwords and refresh grants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pod.access.agent import Credential
from pod.access.grant import AppPassword, RefreshGrant
from pod.errors import Conflict
from pod.model.ids import MemberId
from pod.model.member import Member
from storage.grants import StoredGrants
from storage.preferences import StoredPreferences
from tests.kit.stored import NOON, add_member, sql_store

GRACE = NOON + timedelta(hours=2)


@asynccontextmanager
async def grants_of(tmp_path: Path) -> AsyncIterator[tuple[StoredGrants, Member]]:
    async with sql_store(tmp_path / "pod.db") as store:
        yield StoredGrants(store), await store.write(add_member)


def grant(member: Member, name: str, app: str | None = None) -> RefreshGrant:
    expires = NOON + timedelta(days=90)
    return RefreshGrant(name, member.id, Credential.SESSION, expires, app_password=app)


def test_the_password_hash_is_the_last_one_set(tmp_path: Path) -> None:
    async def story() -> None:
        async with grants_of(tmp_path) as (grants, alice):
            assert grants.password_hash(alice.id) is None
            for encoded in ("$argon2id$one", "$argon2id$two"):
                await grants.set_password_hash(alice.id, encoded)
                assert grants.password_hash(alice.id) == encoded

    asyncio.run(story())


def test_a_used_grant_gives_the_same_successor_to_all_who_use_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with grants_of(tmp_path) as (grants, alice):
            first = grant(alice, "1")
            await grants.add_refresh_grant(first)
            successors = await asyncio.gather(
                *(
                    grants.rotate_refresh_grant("1", grant(alice, f"2-{n}"), grace_until=GRACE)
                    for n in range(4)
                )
            )
            assert successors == [grant(alice, "2-0")] * 4
            used = grants.refresh_grant("1")
            assert used == replace(first, next_id="2-0", expires_at=GRACE)
            assert grants.refresh_grant("2-1") is None

    asyncio.run(story())


def test_grace_never_lengthens_a_grant(tmp_path: Path) -> None:
    async def story() -> None:
        async with grants_of(tmp_path) as (grants, alice):
            soon = replace(grant(alice, "1"), expires_at=NOON + timedelta(minutes=1))
            await grants.add_refresh_grant(soon)
            await grants.rotate_refresh_grant("1", grant(alice, "2"), grace_until=GRACE)
            used = grants.refresh_grant("1")
            assert used is not None
            assert used.expires_at == soon.expires_at

    asyncio.run(story())


def test_a_revoked_grant_is_not_brought_back_by_the_one_before_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with grants_of(tmp_path) as (grants, alice):
            await grants.add_refresh_grant(grant(alice, "1"))
            await grants.rotate_refresh_grant("1", grant(alice, "2"), grace_until=GRACE)
            await grants.revoke_refresh_grant("2")
            assert grants.refresh_grant("2") is None
            again = await grants.rotate_refresh_grant("1", grant(alice, "3"), grace_until=GRACE)
            assert again is None
            assert grants.refresh_grant("3") is None

    asyncio.run(story())


def test_all_grants_of_a_member_can_be_revoked(tmp_path: Path) -> None:
    async def story() -> None:
        async with grants_of(tmp_path) as (grants, alice):
            bob = await grants._store.write(lambda tx: add_member(tx, "bob"))
            for made in (grant(alice, "1"), grant(alice, "2"), grant(bob, "3")):
                await grants.add_refresh_grant(made)
            await grants.revoke_refresh_grants(alice.id)
            assert grants.refresh_grant("1") is grants.refresh_grant("2") is None
            assert grants.refresh_grant("3") == grant(bob, "3")

    asyncio.run(story())


def test_expired_grants_are_dropped_and_others_stay(tmp_path: Path) -> None:
    async def story() -> None:
        async with grants_of(tmp_path) as (grants, alice):
            await grants.add_refresh_grant(replace(grant(alice, "1"), expires_at=NOON))
            await grants.add_refresh_grant(grant(alice, "2"))
            await grants.drop_expired(NOON)
            assert grants.refresh_grant("1") is None
            assert grants.refresh_grant("2") is not None

    asyncio.run(story())


def test_deleting_an_app_password_ends_its_sessions_alone(tmp_path: Path) -> None:
    async def story() -> None:
        async with grants_of(tmp_path) as (grants, alice):
            app = AppPassword(alice.id, "phone", "$hash", is_privileged=True, created_at=NOON)
            await grants.add_app_password(app)
            with pytest.raises(Conflict):
                await grants.add_app_password(app)
            assert grants.app_passwords(alice.id) == [app]
            assert grants.app_passwords(MemberId(99)) == []
            for made in (grant(alice, "1", "phone"), grant(alice, "2")):
                await grants.add_refresh_grant(made)
            await grants.delete_app_password(alice.id, "phone")
            assert grants.app_passwords(alice.id) == []
            assert grants.refresh_grant("1") is None
            assert grants.refresh_grant("2") == grant(alice, "2")

    asyncio.run(story())


def test_preferences_are_kept_as_they_were_given(tmp_path: Path) -> None:
    async def story() -> None:
        async with sql_store(tmp_path / "pod.db") as store:
            alice = await store.write(add_member)
            kept = StoredPreferences(store.database)
            assert kept.preferences(alice.id) is None
            for body in (b"[]", b'[{"a":1}]'):
                await kept.put_preferences(alice.id, body)
                assert kept.preferences(alice.id) == body

    asyncio.run(story())
