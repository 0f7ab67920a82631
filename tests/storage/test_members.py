"""What every store does with members: their names, secrets and departure."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pod.errors import Conflict, NotFound
from pod.model.ids import Did, Handle, MemberId
from pod.model.member import Member, Standing
from pod.model.resource import ResourcePath
from pod.ports import Tx
from tests.kit.stored import (
    NOON,
    OpenStore,
    add_member,
    blob,
    change,
    head,
    record,
)

POST = ResourcePath("/repo/app.bsky.feed.post/3a")


def test_a_new_member_is_found_by_every_name(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            made = await store.write(lambda tx: add_member(tx, email="alice@mail.test"))
            assert made.standing is Standing.ACTIVE
            assert store.member(made.id) == made
            assert store.member_by_did(made.did) == made
            assert store.member_by_handle(made.handle) == made
            assert store.member_by_origin(made.origin) == made
            assert store.member_by_email("alice@mail.test") == made
            assert store.member_by_handle(Handle("bob.test")) is None

    asyncio.run(story())


@pytest.mark.parametrize("column", ["did", "handle", "origin", "email"])
def test_no_two_members_share_a_name(open_store: OpenStore, column: str) -> None:
    async def story() -> None:
        async with open_store() as store:
            first = await store.write(lambda tx: add_member(tx, "alice", "alice@mail.test"))
            second = replace(
                first,
                did=first.did + "2",
                handle="two." + first.handle,
                origin=first.origin + ":2",
                email="two@mail.test",
            )
            clash = replace(second, **{column: getattr(first, column)})

            def add(tx: Tx) -> Member:
                return tx.add_member(
                    clash.did, clash.handle, clash.origin, email=clash.email, at=NOON
                )

            with pytest.raises(Conflict) as raised:
                await store.write(add)
            assert raised.value.name == f"{column.capitalize()}NotAvailable"
            assert store.members(after=MemberId(0), limit=9) == [first]

    asyncio.run(story())


def test_members_come_in_pages_by_id(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            made = await store.write(lambda tx: [add_member(tx, name) for name in "dcba"])
            assert store.members(after=MemberId(0), limit=2) == made[:2]
            assert store.members(after=made[1].id, limit=9) == made[2:]

    asyncio.run(story())


def test_handle_and_standing_change_alone(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            bob = await store.write(lambda tx: add_member(tx, "bob"))
            await store.write(lambda tx: tx.set_handle(alice.id, Handle("a.example.com")))
            await store.write(lambda tx: tx.set_standing(alice.id, Standing.SUSPENDED))
            now = store.member(alice.id)
            assert now == replace(
                alice, handle=Handle("a.example.com"), standing=Standing.SUSPENDED
            )
            with pytest.raises(Conflict):
                await store.write(lambda tx: tx.set_handle(bob.id, Handle("a.example.com")))
            await store.write(lambda tx: tx.set_handle(bob.id, bob.handle))
            with pytest.raises(NotFound):
                await store.write(lambda tx: tx.set_standing(MemberId(99), Standing.ACTIVE))

    asyncio.run(story())


def test_secrets_are_kept_apart_by_owner_and_purpose(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            for owner, purpose, secret in [
                (alice.id, "repo-key", b"1"),
                (alice.id, "actor-rsa", b"2"),
                (None, "repo-key", b"3"),
                (alice.id, "repo-key", b"4"),
            ]:
                await store.write(lambda tx, *, a=(owner, purpose, secret): tx.put_secret(*a))
            assert store.secret(alice.id, "repo-key") == b"4"
            assert store.secret(alice.id, "actor-rsa") == b"2"
            assert store.secret(None, "repo-key") == b"3"
            assert store.secret(None, "actor-rsa") is None

    asyncio.run(story())


def test_an_erased_member_keeps_nothing_but_names_that_lead_to_nobody_else(
    open_store: OpenStore,
) -> None:
    def begin(tx: Tx) -> tuple[Member, Member]:
        alice, bob = add_member(tx, "alice", "alice@mail.test"), add_member(tx, "bob")
        for member in (alice, bob):
            tx.put_secret(member.id, "key", b"secret")
            tx.put_repo(head(member.id))
            tx.put_resource(record(member.id))
            tx.put_blob(blob(member.id))
            tx.set_blob_refs(member.id, POST, [blob(member.id).cid])
            change(tx, member.id)
        return alice, bob

    def end(tx: Tx, member: Member) -> list[bytes]:
        last = change(tx, member.id)
        return list(tx.erase_member(member.id, before=last.seq))

    async def story() -> None:
        async with open_store() as store:
            alice, bob = await store.write(begin)
            assert await store.write(lambda tx: end(tx, alice)) == [blob(alice.id).cid]
            gone = store.member_by_did(alice.did)
            assert gone is not None
            assert (gone.standing, gone.email) == (Standing.DELETED, None)
            assert store.resource(alice.id, POST) is None
            assert store.secret(alice.id, "key") is None
            assert store.repo(alice.id) is None
            assert store.blob_paths(alice.id, blob(alice.id).cid) == []
            assert store.bytes_used(alice.id) == 0
            assert [c.seq for c in store.changes(after=0, limit=9)] == [2, 3]
            assert store.resource(bob.id, POST) is not None
            assert store.blob_is_held(blob(bob.id).cid)
            with pytest.raises(Conflict):
                await store.write(lambda tx: replace_did(tx, alice))
            back = await store.write(lambda tx: add_member(tx, "alice", "new@mail.test"))
            assert (back.id, back.standing) == (alice.id, Standing.ACTIVE)
            assert store.member_by_email("new@mail.test") == back

    def replace_did(tx: Tx, member: Member) -> Member:
        return tx.add_member(
            Did("did:plc:other"), member.handle, member.origin, email=None, at=NOON
        )

    asyncio.run(story())


def test_an_email_address_is_changed_confirmed_and_nobody_elses(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(lambda tx: add_member(tx, "alice", "a@mail.test"))
            bob = await store.write(lambda tx: add_member(tx, "bob", "b@mail.test"))
            await store.write(lambda tx: tx.set_email(alice.id, "new@mail.test", is_confirmed=True))
            changed = store.member(alice.id)
            assert changed == replace(alice, email="new@mail.test", email_confirmed=True)
            with pytest.raises(Conflict):
                await store.write(
                    lambda tx: tx.set_email(bob.id, "new@mail.test", is_confirmed=False)
                )
            assert store.member(bob.id) == bob

    asyncio.run(story())
