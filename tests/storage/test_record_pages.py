"""Pages of records with their blocks, lighter than resources, in every store."""

from __future__ import annotations

import asyncio

from pod.model.resource import ResourcePath
from tests.kit.stored import NOON, OpenStore, add_member, cid_of, document, record


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


def test_many_resources_are_put_at_once_and_their_bytes_counted(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            old = record(alice.id, "/repo/a.b.c/1", b"old bytes")
            await store.write(lambda tx: tx.put_resource(old))
            made = [record(alice.id, f"/repo/a.b.c/{n}", b"%d" % n) for n in range(1, 4)]
            await store.write(lambda tx: tx.put_resources(made, replaced_bytes=old.size))
            await store.write(lambda tx: tx.put_resources([], replaced_bytes=0))
            assert store.resources(alice.id, "/repo/", after=None, limit=9) == made
            assert store.bytes_used(alice.id) == 3

    asyncio.run(story())


def test_what_is_buried_below_a_prefix_tells_how_often_it_was_born(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            paths = ["/repo/a.b.c/1", "/repo/a.b.c/2", "/spaces/t/s/a.b.c/1"]
            for generation, path in enumerate(paths, 1):
                made = record(alice.id, path, generation=generation)
                await store.write(lambda tx, made=made: tx.put_resource(made))
                await store.write(
                    lambda tx, path=path: tx.delete_resource(alice.id, ResourcePath(path), at=NOON)
                )
            assert store.buried(alice.id, paths[0], paths[1]) == {paths[0]: 1, paths[1]: 2}
            assert store.buried(alice.id, paths[1], paths[2]) == {paths[1]: 2, paths[2]: 3}

    asyncio.run(story())
