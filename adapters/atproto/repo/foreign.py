"""Trees out of node blocks that others wrote: strict, and whole or as a proof with hidden parts.

Spec: https://atproto.com/specs/repository#mst-structure
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NoReturn

import libipld

from adapters.atproto.repo.mst import EMPTY_ROOT, MAX_KEY_BYTES, Node, Tree, depth_of
from pod.errors import Invalid
from pod.model.ids import Cid
from pod.records.cid import is_cid

BlockOf = Callable[[Cid], bytes | None]
MAX_NODE_BYTES: Final = 2_000_000


class MissingNode(Invalid):
    """A node of a tree is not among the blocks."""


class _Hidden(Node):
    """A node of which only the CID is known; looking inside raises Invalid."""

    __slots__ = ()

    def __init__(self, height: int, cid: Cid) -> None:
        self.height = height
        self._cid = cid

    def __getattr__(self, name: str) -> NoReturn:
        raise Invalid("a node of the tree is missing")


def load_tree(root: Cid, block_of: BlockOf, *, partial: bool = False) -> Tree:
    """The tree under a root CID, every node checked to be the canonical one (Invalid).

    ``block_of`` gives blocks whose hashes were checked. With ``partial`` an absent node stays
    hidden until somebody looks inside; without, it is Invalid.
    """
    block = block_of(root)
    if block is None:
        raise Invalid("the root of the tree is missing")
    keys, _, trees = _decode(block)
    if not keys:
        if trees != [None]:
            raise Invalid("the root of the tree is an empty node")
        return Tree(EMPTY_ROOT)
    loader = _Loader(block_of, partial)
    return Tree(loader.node(root, depth_of(keys[0]), b"", None))


def index_of(root: Cid, block_of: BlockOf) -> Iterator[tuple[str, Cid]]:
    """Every key and record CID under a root, one after another: for trees of any size.

    Keys rise and each node lies one layer below its parent, or it is Invalid; MissingNode where
    one is not there. Whether the tree is
    the canonical one shows when it is built anew from what this gives.
    """
    keys, vals, links = _decode(_found(root, block_of))
    if not keys and links != [None]:
        raise Invalid("the root of the tree is an empty node")
    height = depth_of(keys[0]) if keys else 0
    last = b""
    stack = [(height, keys, vals, links, -1)]
    while stack:
        height, keys, vals, links, i = stack.pop()
        if i >= 0:
            if keys[i] <= last:
                raise Invalid("the keys of the tree are not in order")
            last = keys[i]
            yield _text(last), vals[i]
        if i + 1 < len(keys):
            stack.append((height, keys, vals, links, i + 1))
        link = links[i + 1]
        if link is not None:
            if height == 0:
                raise Invalid("the tree is too deep")
            stack.append((height - 1, *_decode(_found(link, block_of)), -1))


def _found(cid: Cid, block_of: BlockOf) -> bytes:
    block = block_of(cid)
    if block is None:
        raise MissingNode("a node of the tree is missing")
    return block


def _text(key: bytes) -> str:
    try:
        return key.decode()
    except UnicodeDecodeError as err:
        raise Invalid("a key of the tree is not text") from err


class _Loader:
    def __init__(self, block_of: BlockOf, partial: bool) -> None:
        self._block_of = block_of
        self._partial = partial

    def node(self, cid: Cid, height: int, low: bytes, high: bytes | None) -> Node:
        """The node of a CID, all of whose keys must lie between ``low`` and ``high``."""
        block = self._block_of(cid)
        if block is None:
            if self._partial:
                return _Hidden(height, cid)
            raise Invalid("a node of the tree is missing")
        keys, vals, links = _decode(block)
        if any(depth_of(key) != height for key in keys):
            raise Invalid("a key is on the wrong layer of the tree")
        if keys and (keys[0] <= low or (high is not None and keys[-1] >= high)):
            raise Invalid("the keys of the tree are not in order")
        bounds = [low, *keys, high]
        trees: list[Node | None] = []
        for i, link in enumerate(links):
            if link is not None and height == 0:
                raise Invalid("the tree is too deep")
            start, end = bounds[i], bounds[i + 1]
            trees.append(None if link is None else self.node(link, height - 1, start or b"", end))
        if not keys and trees == [None]:
            raise Invalid("the tree has an empty node")
        node = Node(height, tuple(keys), tuple(vals), tuple(trees))
        if node.cid != cid or node.block != block:
            raise Invalid("a node of the tree is not canonical")
        node.forget_block()
        return node


def _decode(block: bytes) -> tuple[list[bytes], list[Cid], list[Cid | None]]:
    """Keys, record CIDs and subtree CIDs of a node block (its form is checked by re-encoding)."""
    if len(block) > MAX_NODE_BYTES:
        raise Invalid("a node of the tree is too large")
    try:
        data = libipld.decode_dag_cbor(block)
        keys: list[bytes] = []
        vals: list[Cid] = []
        links = [_link(data["l"])]
        before = b""
        for entry in data["e"]:
            shared = entry["p"]
            key = before[:shared] + entry["k"]
            if not 0 <= shared <= len(before) or not before < key or len(key) > MAX_KEY_BYTES:
                raise Invalid("the keys of a node are not in order")
            value = _link(entry["v"])
            if value is None:
                raise Invalid("a record link of the tree is null")
            keys.append(key)
            vals.append(value)
            links.append(_link(entry["t"]))
            before = key
    except (ValueError, TypeError, KeyError, RecursionError) as err:
        raise Invalid("a node of the tree is malformed") from err
    return keys, vals, links


def _link(value: object) -> Cid | None:
    if value is None:
        return None
    if isinstance(value, bytes) and is_cid(value):
        return Cid(value)
    raise Invalid("a link of the tree is malformed")
