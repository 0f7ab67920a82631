"""Pages of records with their blocks, lighter than resources, in every store."""

from __future__ import annotations

import asyncio

from tests.kit.stored import OpenStore, add_member, cid_of, document, record


def test_records_come_in_pages_by_key_with_their_blocks(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            bob = await store.write(lambda tx: add_member(tx, "bob"))
            keys = [f"a.b.c/{rkey}" for rkey in ("1", "2", "3")]
            for key in [*keys, "a.b.cd/1", "a.b.b/9"]:
                made = record(alice.id, f"/repo/{key}", key.encode())
                await store.write(lambda tx, made=made: tx.put_resource(made))
            await store.write(lambda tx: tx.put_resource(record(bob.id, "/repo/a.b.c/1")))
            await store.write(lambda tx: tx.put_resource(document(alice.id, "/data/a.b.c/4")))
            whole = [(key, cid_of(key.encode()), key.encode()) for key in keys]
            assert store.records(alice.id, "a.b.c/", after=None, limit=9) == whole
            assert store.records(alice.id, "a.b.c/", after=keys[0], limit=1) == whole[1:2]
            back = store.records(alice.id, "a.b.c/", after=keys[2], limit=9, reverse=True)
            assert back == whole[1::-1]
            assert store.records(alice.id, "a.b.c/", after=None, limit=1, reverse=True) == whole[2:]
            assert len(store.records(alice.id, "", after=None, limit=9)) == 5
            assert store.records(alice.id, "a.b.c/", after="z", limit=9) == []

    asyncio.run(story())
