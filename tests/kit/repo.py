"""Repository material for tests: keys, CIDs, and an independent tree (PyPI atmst)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256

import pytest
from hypothesis import strategies as st

from adapters.atproto.repo.mst import Tree
from pod.model.ids import Cid
from pod.records.cid import record_cid
from pod.transfer import Arrival

COLLECTIONS = ("app.bsky.feed.like", "app.bsky.feed.post", "app.bsky.graph.follow")


def cid_of(content: object) -> Cid:
    """Some record's CID."""
    return Cid(b"\x01\x71\x12\x20" + sha256(repr(content).encode()).digest())


def arrival(records: Mapping[str, bytes]) -> Arrival:
    """Records by key, as an import takes them."""
    blocks = {record_cid(block): block for block in records.values()}
    tree = Tree.build((key, record_cid(records[key])) for key in sorted(records, key=str.encode))
    return Arrival(tree.cid, None, tree.items, blocks.get)


keys = st.builds(
    "{}/{}".format, st.sampled_from(COLLECTIONS), st.integers(0, 400).map("3k{:04d}".format)
)
"""Keys of a small space, so that operations meet the same key again; some of them lie high."""

cids = st.integers(0, 50).map(cid_of)
contents = st.dictionaries(keys, cids, max_size=60)


class OtherTree:
    """atmst's tree over a set of blocks: the second opinion on every tree of ours.

    Tests that ask for it are skipped where it could not be built (no C compiler).
    """

    def __init__(
        self, root: bytes | None = None, blocks: Mapping[bytes, bytes] | None = None
    ) -> None:
        pytest.importorskip("atmst", reason="atmst is not here: installing it takes a C compiler")
        from atmst.blockstore import MemoryBlockStore
        from atmst.mst.node_store import NodeStore
        from atmst.mst.node_wrangler import NodeWrangler
        from cbrrr import CID

        self._cid = CID
        self._store = NodeStore(MemoryBlockStore(dict(blocks or {})))
        self._wrangler = NodeWrangler(self._store)
        self._root = CID(root) if root is not None else self._store.get_node(None).cid

    @property
    def root(self) -> bytes:
        return bytes(self._root)

    def put(self, key: str, cid: bytes) -> None:
        self._root = self._wrangler.put_record(self._root, key, self._cid(cid))

    def delete(self, key: str) -> None:
        self._root = self._wrangler.del_record(self._root, key)

    def revert(self, ops: Iterable[tuple[str, bytes | None]]) -> None:
        """Take back operations, given newest first as (key, state before)."""
        for key, prev in ops:
            if prev is None:
                self.delete(key)
            else:
                self.put(key, prev)


def other_root(items: Mapping[str, Cid]) -> bytes:
    """The root that atmst gives a set of records."""
    tree = OtherTree()
    for key, cid in items.items():
        tree.put(key, cid)
    return tree.root
