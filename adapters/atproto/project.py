"""The repository projection: records as a signed tree, with the event that tells of each commit.

Trees are derived from the record index and live in memory while a repository is in use.

Spec: https://atproto.com/specs/sync
"""

from __future__ import annotations

import asyncio
import gc
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

from adapters.atproto.firehose.frames import account_frame, commit_frame, identity_frame, sync_frame
from adapters.atproto.repo.car import car_bytes
from adapters.atproto.repo.commit import sign_commit
from adapters.atproto.repo.mst import Tree
from pod.errors import Conflict, Invalid, TooLarge
from pod.keys.curves import SigningKey
from pod.model.change import RecordOp, RepoHead
from pod.model.ids import Cid, MemberId, Tid
from pod.model.member import Member
from pod.ports import Projected, Reader, Store
from pod.records.cid import record_cid
from pod.records.tid import TidClock

MAX_OPS: Final = 200
MAX_BLOCKS_BYTES: Final = 2_000_000
LARGE: Final = 2_000
"""Records from which on a repository is not read on the event loop."""
_VERSIONS_KEPT: Final = 8

Index = Callable[[], Iterable[tuple[str, Cid]]]


class _Hot:
    """A repository in use: its latest trees by root CID, each with its number of records.

    Older trees stay for a while since a commit may be taken back with its transaction.
    """

    def __init__(self) -> None:
        self.size = 0
        self.trees: dict[Cid, tuple[Tree, int]] = {}

    def keep(self, tree: Tree, size: int) -> None:
        self.size = size
        self.trees.pop(tree.cid, None)
        self.trees[tree.cid] = tree, size
        if len(self.trees) > _VERSIONS_KEPT:
            del self.trees[next(iter(self.trees))]


class MemoryProjection:
    """Implements `pod.ports.RepoProjection`.

    ``max_records`` bounds the records of all repositories kept in memory (about 300 bytes each).
    """

    def __init__(
        self,
        signer: Callable[[MemberId], SigningKey],
        tid: TidClock,
        *,
        max_records: int = 1_000_000,
    ) -> None:
        self._signer = signer
        self._tid = tid
        self._max_records = max_records
        self._records = 0
        self._hot: OrderedDict[MemberId, _Hot] = OrderedDict()
        self._working: dict[MemberId, asyncio.Future[None]] = {}

    def commit(
        self, member: Member, head: RepoHead | None, ops: Sequence[RecordOp], *, index: Index
    ) -> Projected:
        """The next commit on top of ``head``; see the port. Invalid if ops share a key."""
        if len(ops) > MAX_OPS:
            raise TooLarge(f"a commit may hold {MAX_OPS} changes at most")
        keys = [op.key for op in ops]
        if len(set(keys)) != len(keys):
            raise Invalid("two changes of one commit concern the same record")
        tree, size = (Tree(), 0) if head is None else self._load(member, head, index)
        for op in ops:
            tree = _apply(tree, op)
        rev = self._tid.next(after=None if head is None else head.rev)
        nodes = tree.diff(keys)
        block = sign_commit(member.did, rev, tree.cid, self._signer(member.id))
        after = RepoHead(member.id, record_cid(block), rev, tree.cid, block)
        sent = {after.commit: block}
        for node in nodes:
            sent[node.cid] = node.block
        for op in ops:
            if op.block is not None and op.cid is not None:
                sent[op.cid] = op.block
        blocks = car_bytes(after.commit, sent.items())
        for node in nodes:
            node.forget_block()
        if len(blocks) > MAX_BLOCKS_BYTES:
            raise TooLarge("the changes are too large for one commit")
        size += sum((op.cid is not None) - (op.prev is not None) for op in ops)
        self._keep(member.id, tree, size)
        return Projected(after, commit_frame(member.did, after, head, ops, blocks))

    def adopt(self, member: Member, data: Cid, *, after: Tid | None) -> RepoHead:
        """A new head over a whole tree at once; see the port."""
        self.forget(member.id)
        rev = self._tid.next(after=after)
        block = sign_commit(member.did, rev, data, self._signer(member.id))
        return RepoHead(member.id, record_cid(block), rev, data, block)

    async def prepare(self, member: Member, store: Store) -> None:
        """Bring the tree of a large repository into memory in a thread; see the port."""
        if member.id in self._hot or not is_large(store, member):
            return
        working = self._working.get(member.id)
        if working is None:
            working = asyncio.ensure_future(self._build_cold(member, store))
            self._working[member.id] = working
            working.add_done_callback(lambda _: self._working.pop(member.id))
        await asyncio.shield(working)

    async def _build_cold(self, member: Member, store: Store) -> None:
        tree, size = await asyncio.to_thread(_build, store, member)
        self._keep(member.id, tree, size)

    def forget(self, member: MemberId) -> None:
        """Drop a repository's trees from memory."""
        former = self._hot.pop(member, None)
        self._records -= 0 if former is None else former.size

    def hot(self, head: RepoHead) -> Tree | None:
        """The tree of a repository at its head if it is in memory."""
        hot = self._hot.get(head.member)
        known = None if hot is None else hot.trees.get(head.data)
        return None if known is None else known[0]

    def tree(self, member: Member, head: RepoHead, index: Index) -> Tree:
        """The tree of a repository at its head, built from the index if it is not in memory.

        Raises Conflict if the records do not give the tree that the head signs.
        """
        return self._load(member, head, index)[0]

    def _load(self, member: Member, head: RepoHead, index: Index) -> tuple[Tree, int]:
        hot = self._hot.get(member.id)
        if hot is not None and (known := hot.trees.get(head.data)) is not None:
            self._hot.move_to_end(member.id)
            return known
        items = list(index())
        tree = Tree.build(items)
        if tree.cid != head.data:
            raise Conflict("the records do not match the signed repository")
        self._keep(member.id, tree, len(items))
        return tree, len(items)

    def identity_frame(self, member: Member, seq: int, at: datetime) -> bytes:
        """The event that says: this identity changed."""
        return identity_frame(member.did, member.handle, seq=seq, at=at)

    def account_frame(self, member: Member, seq: int, at: datetime) -> bytes:
        """The event that tells the account's standing."""
        return account_frame(member.did, member.standing, seq=seq, at=at)

    def sync_frame(self, member: Member, head: RepoHead, seq: int, at: datetime) -> bytes:
        """The event that tells the repository's state."""
        return sync_frame(member.did, head.rev, head.commit, head.block, seq=seq, at=at)

    def _keep(self, member: MemberId, tree: Tree, size: int) -> None:
        hot = self._hot.setdefault(member, _Hot())
        self._hot.move_to_end(member)
        self._records += size - hot.size
        hot.keep(tree, size)
        while self._records > self._max_records and len(self._hot) > 1:
            _, coldest = self._hot.popitem(last=False)
            self._records -= coldest.size


def is_large(store: Reader, member: Member) -> bool:
    """Whether a repository takes longer to read than others should wait for."""
    return any(islice(store.record_index(member.id), LARGE, None))


def _build(store: Store, member: Member) -> tuple[Tree, int]:
    size = 0

    def counted(items: Iterable[tuple[str, Cid]]) -> Iterable[tuple[str, Cid]]:
        nonlocal size
        for size, item in enumerate(items, 1):  # noqa: B007  the last number is what is wanted
            yield item

    # Nodes make no cycles. Left to the collector, they would hold up the loop each time that it
    # goes through all of them: so it looks away, and then takes them for what stays.
    gc.disable()
    try:
        with store.snapshot() as reader:
            tree = Tree.build(counted(reader.record_index(member.id)))
    finally:
        gc.freeze()
        gc.enable()
    return tree, size


def _apply(tree: Tree, op: RecordOp) -> Tree:
    """The tree after one op, which must find the record as it says it was (Conflict)."""
    if tree.get(op.key) != op.prev:
        raise Conflict("the record is not in the state that the change expects")
    return tree.delete(op.key) if op.cid is None else tree.put(op.key, op.cid)
