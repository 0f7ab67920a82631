"""Whatever is written, in whatever groups and with whatever failures, both stores hold the same."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pod.errors import PodError
from pod.model.change import Change
from pod.model.ids import Handle, MemberId
from pod.model.member import Standing
from pod.model.resource import Annotation, Complement, Override, ResourcePath
from pod.ports import Store, Tx
from storage.engine import Database
from storage.in_memory import MemoryStore
from storage.key_vault import Seal
from storage.migrate import upgrade
from storage.store import SqlStore
from tests.kit.stored import (
    NOON,
    add_member,
    blob,
    change,
    cid_of,
    document,
    head,
    record,
    rev_of,
)

MEMBERS = [MemberId(1), MemberId(2)]
members = st.sampled_from(MEMBERS)
numbers = st.integers(1, 4)
bodies = st.sampled_from([b"", b"\xa0", b"\xa1\x61a\x01", b"\xf6" * 3000])
paths = st.sampled_from(
    [
        "/repo/a/1",
        "/repo/a/2",
        "/repo/a.b/1",
        "/repo/b/é",
        "/spaces/t/s/a/1",
        "/data/x/y",
        "/data/x",
    ]
)
subjects = st.sampled_from([None, "at://x", "at://y"])
complements = st.builds(
    Complement,
    st.lists(st.builds(Annotation, st.sampled_from(["rdf", "as2"]), bodies)).map(tuple),
    st.lists(st.builds(Override, st.just("as2"), bodies, bodies.map(cid_of))).map(tuple),
    numbers,
)
blobs = st.builds(
    lambda member, body, n: blob(member, body, at=NOON + timedelta(minutes=n)),
    members,
    bodies,
    numbers,
)

Op = Callable[[Tx], object]


class Broken(Exception):
    """A work that goes wrong."""


def _fail(tx: Tx) -> None:
    raise Broken


def _put(member: MemberId, path: str, body: bytes, n: int, subject: str | None) -> Op:
    made = record(member, path, body, rev=n, generation=n, subject=subject)
    if path.startswith("/data/"):
        made = replace(document(member, path, body), generation=n)
    return lambda tx: tx.put_resource(made)


def _delete(member: MemberId, path: str, n: int) -> Op:
    at = NOON + timedelta(days=n)
    return lambda tx: tx.delete_resource(member, ResourcePath(path), at=at)


ops = st.one_of(
    st.builds(_put, members, paths, bodies, numbers, subjects),
    st.builds(_delete, members, paths, numbers),
    st.builds(
        lambda m, p, c: lambda tx: tx.put_complement(m, ResourcePath(p), c),
        members,
        paths,
        complements,
    ),
    st.builds(
        lambda m, p, b: lambda tx: tx.set_blob_refs(m, ResourcePath(p), [cid_of(x, 85) for x in b]),
        members,
        paths,
        st.lists(bodies),
    ),
    st.builds(lambda b: lambda tx: tx.put_blob(b), blobs),
    st.builds(lambda b: lambda tx: tx.delete_blob(b.member, b.cid), blobs),
    st.builds(
        lambda m, f, n: lambda tx: change(tx, m, frame=f, rev=n),
        members,
        st.none() | bodies,
        numbers,
    ),
    st.builds(lambda m, n: lambda tx: tx.put_repo(head(m, n)), members, numbers),
    st.builds(lambda m, s: lambda tx: tx.set_standing(m, s), members, st.sampled_from(Standing)),
    st.builds(lambda m, n: lambda tx: tx.set_handle(m, Handle(f"h{n}.test")), members, numbers),
    st.builds(lambda n: lambda tx: add_member(tx, f"m{n}"), numbers),
    st.builds(
        lambda m, n, b: lambda tx: tx.put_secret(m, f"key-{n}", b),
        st.none() | members,
        numbers,
        bodies,
    ),
    st.just(_fail),
)
works = st.lists(ops, min_size=1, max_size=5)


def seen(store: Store) -> object:
    """All that a store answers."""
    everybody = [None, *MEMBERS]
    path_list = ["/repo/a/1", "/repo/a/2", "/repo/a.b/1", "/repo/b/é", "/data/x/y", "/data/x"]
    cids = [cid_of(b, codec) for b in (b"", b"\xa0", b"\xa1\x61a\x01") for codec in (0x71, 0x55)]
    return [
        store.members(after=MemberId(0), limit=99),
        [store.secret(m, f"key-{n}") for m in everybody for n in range(1, 5)],
        store.changes(after=0, limit=99),
        store.changes(after=1, limit=2),
        store.frames(after=1, limit=2),
        store.head_seq(),
        store.oldest_frame(),
        store.idle_blobs(before=NOON + timedelta(minutes=3), limit=3),
        [store.blob_is_held(cid) for cid in cids],
        [store.all_about("/repo/a", "at://x", limit=limit) for limit in (1, 9)],
        [
            [
                store.repo(m),
                store.resources(m, "/", after=None, limit=99),
                store.resources(m, "/repo/", after="/repo/a/1", limit=2),
                store.resources(m, "/repo/", after="/repo/a/2", limit=2, reverse=True),
                [store.containers(m, prefix) for prefix in ("/", "/repo/", "/data/")],
                list(store.record_index(m)),
                store.record_blocks(m, cids),
                store.count_records(m),
                store.about(m, "/repo/a", "at://x"),
                [store.tombstone(m, ResourcePath(path)) for path in path_list],
                [(store.blob(m, cid), store.blob_paths(m, cid)) for cid in cids],
                store.repo_blobs(m, since=None, after=None, limit=2),
                store.repo_blobs(m, since=rev_of(2), after=cids[1], limit=9),
                store.bytes_used(m),
                store.changes(after=0, limit=9, member=m),
            ]
            for m in MEMBERS
        ],
    ]


class StoresAgree(RuleBasedStateMachine):
    """The store on disk against the one in memory."""

    @initialize()
    def open(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "pod.db"
        upgrade(path)
        self.database = Database(path)
        self.sql = SqlStore(self.database, Seal(bytes(32)))
        self.memory = MemoryStore()
        self.heard: list[list[Change]] = [[], []]
        for store, heard in zip((self.sql, self.memory), self.heard, strict=True):
            store.subscribe(heard.extend)
        self._write([[lambda tx: [add_member(tx, name) for name in ("a", "b")]]])

    @rule(group=st.lists(works, min_size=1, max_size=4), is_long=st.booleans())
    def write(self, group: list[list[Op]], is_long: bool) -> None:
        self._write(group, is_long=is_long)

    def _write(self, group: list[list[Op]], *, is_long: bool = False) -> None:
        def work_of(work: list[Op]) -> Callable[[Tx], list[object]]:
            return lambda tx: [op(tx) for op in work]

        async def both() -> list[list[object]]:
            return [
                await asyncio.gather(
                    *(
                        (store.write_long if is_long and n == 1 else store.write)(work_of(work))
                        for n, work in enumerate(group)
                    ),
                    return_exceptions=True,
                )
                for store in (self.sql, self.memory)
            ]

        sql, memory = self.loop.run_until_complete(both())
        for one, other in zip(sql, memory, strict=True):
            if isinstance(one, Exception):
                assert isinstance(one, Broken | PodError), repr(one)
                assert type(one) is type(other)
                assert str(one) == str(other)
            else:
                assert one == other

    @invariant()
    def agree(self) -> None:
        if hasattr(self, "sql"):
            assert seen(self.sql) == seen(self.memory)
            assert self.heard[0] == self.heard[1] == self.memory.changes(after=0, limit=999)

    def teardown(self) -> None:
        if hasattr(self, "sql"):
            self.loop.run_until_complete(self.database.close())
            self.folder.cleanup()
            self.loop.close()


TestStoresAgree = StoresAgree.TestCase
TestStoresAgree.settings = settings(stateful_step_count=12)
