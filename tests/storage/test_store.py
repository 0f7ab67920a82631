"""What every store does, whichever it is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from pod.errors import NotFound
from pod.model.ids import MemberId
from pod.model.resource import Annotation, Complement, Override, ResourcePath
from pod.ports import Tx
from tests.kit.stored import (
    NOON,
    OpenStore,
    add_member,
    blob,
    change,
    cid_of,
    document,
    head,
    record,
    rev_of,
)

POST = ResourcePath("/repo/app.bsky.feed.post/3a")


def test_a_long_work_is_a_write_like_any_other(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            heard: list[int] = []
            store.subscribe(lambda changes: heard.extend(c.seq for c in changes))

            def fails(tx: Tx) -> None:
                change(tx, alice.id)
                raise LookupError

            with pytest.raises(LookupError):
                await store.write_long(fails)
            works = [store.write, store.write_long, store.write, store.write_long]
            made = await asyncio.gather(*(w(lambda tx: change(tx, alice.id)) for w in works))
            assert [c.seq for c in made] == heard == [1, 2, 3, 4]

    asyncio.run(story())


def test_a_resource_comes_back_as_it_was_put(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            kept = Complement(
                (Annotation("rdf", b"<a>"), Annotation("as2", b"\0\xff")),
                (Override("as2", b"html", cid_of(b"x")),),
                7,
            )
            put = replace(record(alice.id, subject="at://did:plc:b/c/d"), complement=kept)
            await store.write(lambda tx: tx.put_resource(put))
            assert store.resource(alice.id, put.path) == put
            assert store.resource(MemberId(alice.id + 1), put.path) is None
            later = record(alice.id, body=b"\xa1\x61a\x01", rev=2)
            await store.write(lambda tx: tx.put_resource(later))
            assert store.resource(alice.id, put.path) == later

    asyncio.run(story())


def test_a_complement_is_replaced_alone(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            put = record(alice.id)
            kept = Complement((Annotation("rdf", b"<a>"),), (), 1)
            await store.write(lambda tx: tx.put_resource(put))
            await store.write(lambda tx: tx.put_complement(alice.id, put.path, kept))
            assert store.resource(alice.id, put.path) == replace(put, complement=kept)
            with pytest.raises(NotFound):
                await store.write(
                    lambda tx: tx.put_complement(alice.id, ResourcePath("/repo/a/b"), kept)
                )

    asyncio.run(story())


def test_a_deletion_leaves_a_tombstone_that_outlives_the_next_birth(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            first, second = record(alice.id, body=b"\x01"), record(alice.id, body=b"\x02")
            await store.write(lambda tx: tx.put_resource(first))
            await store.write(lambda tx: tx.delete_resource(alice.id, POST, at=NOON))
            assert store.resource(alice.id, POST) is None
            left = store.tombstone(alice.id, POST)
            assert left is not None
            assert (left.body, left.cid, left.generation, left.deleted_at) == (
                b"\x01", first.cid, 1, NOON,
            )  # fmt: skip
            await store.write(lambda tx: tx.put_resource(replace(second, generation=2)))
            assert store.tombstone(alice.id, POST) == left
            await store.write(lambda tx: tx.delete_resource(alice.id, POST, at=NOON))
            again = store.tombstone(alice.id, POST)
            assert again is not None
            assert (again.body, again.generation) == (b"\x02", 2)
            with pytest.raises(NotFound):
                await store.write(lambda tx: tx.delete_resource(alice.id, POST, at=NOON))

    asyncio.run(story())


def test_resources_come_in_pages_in_either_direction(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            bob = await store.write(lambda tx: add_member(tx, "bob"))
            names = ["/repo/a/1", "/repo/a/2", "/repo/a/3", "/repo/a.b/1", "/repo/a/é", "/repo/b/1"]
            for path in names:
                await store.write(lambda tx, path=path: tx.put_resource(record(alice.id, path)))
            await store.write(lambda tx: tx.put_resource(record(bob.id, "/repo/a/9")))

            def page(**given: object) -> list[str]:
                return [r.path for r in store.resources(alice.id, "/repo/a/", **given)]

            everything = ["/repo/a/1", "/repo/a/2", "/repo/a/3", "/repo/a/é"]
            assert page(after=None, limit=9) == everything
            assert page(after=None, limit=9, reverse=True) == everything[::-1]
            assert page(after="/repo/a/1", limit=2) == everything[1:3]
            assert page(after="/repo/a/3", limit=9, reverse=True) == ["/repo/a/2", "/repo/a/1"]
            assert page(after="/repo/", limit=1) == ["/repo/a/1"]
            assert page(after="/repo/z", limit=1, reverse=True) == ["/repo/a/é"]

    asyncio.run(story())


def test_containers_are_the_next_segments_that_hold_something(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            for path in ["/data/", "/data/a/b/c", "/data/a/d", "/data/a-/x", "/data/e/", "/data/f"]:
                await store.write(lambda tx, path=path: tx.put_resource(document(alice.id, path)))
            assert store.containers(alice.id, "/data/") == ["a-/", "a/", "e/"]
            assert store.containers(alice.id, "/data/a/") == ["b/"]
            assert store.containers(alice.id, "/") == ["data/"]
            assert store.containers(alice.id, "/data/e/") == []

    asyncio.run(story())


def test_the_record_index_holds_public_records_only(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            public = [record(alice.id, f"/repo/c/{n:05}", b"%d" % n) for n in range(4100)]
            other = [
                record(alice.id, "/spaces/t/s/c/1"),
                document(alice.id, "/repo/.acl"),
                document(alice.id, "/data/a"),
            ]

            def put(tx: Tx) -> None:
                for resource in [*other, *public]:
                    tx.put_resource(resource)

            await store.write(put)
            index = [(r.path[len("/repo/") :], r.cid) for r in public]
            assert list(store.record_index(alice.id)) == index
            assert store.count_records(alice.id) == len(public)
            wanted = [public[7].cid, cid_of(b"nothing"), other[0].cid, other[1].cid]
            assert store.record_blocks(alice.id, wanted) == {public[7].cid: b"7"}

    asyncio.run(story())


def test_relations_are_found_by_their_subject(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            likes = [record(alice.id, f"/repo/like/{n}", subject="at://x") for n in "ba"]
            other = [record(alice.id, "/repo/like/c", subject="at://y"), record(alice.id)]
            repost = record(alice.id, "/repo/repost/a", subject="at://x")

            def put(tx: Tx) -> None:
                for resource in [*likes, *other, repost]:
                    tx.put_resource(resource)

            await store.write(put)
            found = store.about(alice.id, "/repo/like/", "at://x")
            assert found == ["/repo/like/a", "/repo/like/b"]

    asyncio.run(story())


def test_the_log_is_read_from_a_cursor(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            bob = await store.write(lambda tx: add_member(tx, "bob"))
            assert store.head_seq() == 0
            assert store.oldest_frame() is None
            one = await store.write(lambda tx: change(tx, alice.id, frame=None))
            two = await store.write(lambda tx: change(tx, bob.id))
            three = await store.write(lambda tx: change(tx, alice.id, frame=b"3"))
            assert [one.seq, two.seq, three.seq] == [1, 2, 3]
            assert store.head_seq() == 3
            assert store.changes(after=0, limit=9) == [one, two, three]
            assert store.changes(after=1, limit=1) == [two]
            assert store.changes(after=0, limit=9, member=alice.id) == [one, three]
            assert store.frames(after=0, limit=9) == [(2, b"frame"), (3, b"3")]
            assert store.frames(after=2, limit=9) == [(3, b"3")]
            assert store.oldest_frame() == (2, NOON)

    asyncio.run(story())


def test_a_change_must_carry_the_next_number(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            first = await store.write(lambda tx: change(tx, alice.id))
            for wrong in (1, 3):
                with pytest.raises(ValueError, match="next"):
                    await store.write(lambda tx, n=wrong: tx.append(replace(first, seq=n)))
            assert store.head_seq() == 1

    asyncio.run(story())


def test_the_repository_head_is_the_last_one_put(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            assert store.repo(alice.id) is None
            for n in (1, 2):
                await store.write(lambda tx, n=n: tx.put_repo(head(alice.id, n)))
            assert store.repo(alice.id) == head(alice.id, 2)

    asyncio.run(story())


def test_references_tell_which_blobs_are_in_use(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            a, b, c = (blob(alice.id, body) for body in (b"a", b"b", b"c"))

            def put(tx: Tx) -> None:
                for held in (a, b, c):
                    tx.put_blob(held)
                tx.put_resource(record(alice.id, rev=1))
                tx.put_resource(record(alice.id, "/repo/x/2", rev=2))
                tx.put_resource(document(alice.id, "/data/d"))
                tx.set_blob_refs(alice.id, POST, [a.cid, a.cid])
                tx.set_blob_refs(alice.id, ResourcePath("/repo/x/2"), [a.cid, b.cid])
                tx.set_blob_refs(alice.id, ResourcePath("/data/d"), [c.cid])

            await store.write(put)
            assert store.blob(alice.id, a.cid) == a
            assert store.blob_paths(alice.id, a.cid) == [POST, "/repo/x/2"]
            public = sorted([a.cid, b.cid])
            assert store.repo_blobs(alice.id, since=None, after=None, limit=9) == public
            assert store.repo_blobs(alice.id, since=None, after=public[0], limit=9) == public[1:]
            assert store.repo_blobs(alice.id, since=None, after=None, limit=1) == public[:1]
            assert store.repo_blobs(alice.id, since=rev_of(1), after=None, limit=9) == public
            assert store.repo_blobs(alice.id, since=rev_of(2), after=None, limit=9) == []
            await store.write(lambda tx: tx.set_blob_refs(alice.id, POST, []))
            assert store.blob_paths(alice.id, a.cid) == ["/repo/x/2"]
            path = ResourcePath("/repo/x/2")
            await store.write(lambda tx: tx.delete_resource(alice.id, path, at=NOON))
            assert store.blob_paths(alice.id, a.cid) == []

    asyncio.run(story())


def test_idle_blobs_are_old_and_nobody_refers_to_them(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            bob = await store.write(lambda tx: add_member(tx, "bob"))
            used, idle = blob(alice.id, b"used"), blob(alice.id, b"idle")
            young, bobs = (
                blob(alice.id, b"young", at=NOON + timedelta(hours=1)),
                blob(bob.id, b"idle"),
            )

            def put(tx: Tx) -> None:
                for held in (used, idle, young, bobs):
                    tx.put_blob(held)
                tx.put_resource(record(alice.id))
                tx.set_blob_refs(alice.id, POST, [used.cid])

            await store.write(put)
            assert store.idle_blobs(before=NOON, limit=9) == []
            before = NOON + timedelta(minutes=1)
            assert store.idle_blobs(before=before, limit=9) == [idle, bobs]
            await store.write(lambda tx: tx.delete_blob(alice.id, idle.cid))
            assert store.blob(alice.id, idle.cid) is None
            assert store.blob_is_held(idle.cid)
            await store.write(lambda tx: tx.delete_blob(bob.id, idle.cid))
            assert not store.blob_is_held(idle.cid)

    asyncio.run(story())


def test_bytes_used_follow_every_write(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(add_member)
            held = blob(alice.id, b"12345")
            steps = [
                (lambda tx: tx.put_resource(record(alice.id, body=b"123")), 3),
                (lambda tx: tx.put_resource(record(alice.id, body=b"1")), 1),
                (lambda tx: tx.put_blob(held), 6),
                (lambda tx: tx.put_blob(held), 6),
                (lambda tx: tx.delete_resource(alice.id, POST, at=NOON), 5),
                (lambda tx: tx.delete_blob(alice.id, held.cid), 0),
                (lambda tx: tx.delete_blob(alice.id, held.cid), 0),
            ]
            for step, expected in steps:
                await store.write(step)
                assert store.bytes_used(alice.id) == expected
            assert store.bytes_used(MemberId(99)) == 0

    asyncio.run(story())


def test_the_latest_changes_of_a_member_come_newest_first(open_store: OpenStore) -> None:
    async def story() -> None:
        async with open_store() as store:
            alice = await store.write(lambda tx: add_member(tx, "alice"))
            bob = await store.write(lambda tx: add_member(tx, "bob"))
            for member in (alice, bob, alice, alice):
                await store.write(lambda tx, id_=member.id: change(tx, id_))
            found = store.recent_changes(alice.id, limit=2)
            assert [(c.seq, c.member, c.frame) for c in found] == [
                (4, alice.id, None),
                (3, alice.id, None),
            ]

    asyncio.run(story())
