"""The Merkle search tree as a persistent value: immutable nodes, shared between versions.

A node's block and CID are computed when first asked for. A node without a CID is therefore new
since its tree was last sealed: a commit learns its new blocks without comparing trees.

Spec: https://atproto.com/specs/repository#mst-structure
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from adapters.atproto.repo.drisl import LINK, NULL, head
from pod.errors import Conflict, Invalid, NotFound
from pod.model.ids import Cid
from pod.records.cid import record_cid

Span = tuple[bytes, bytes]
"""A range of keys: from the first up to the second, which is outside."""

EVERY_KEY: Final = (b"", b"\xff")
MAX_KEY_BYTES: Final = 1024
_ENTRY: Final = [b"\xa4\x61k" + head(2, n) for n in range(MAX_KEY_BYTES + 1)]
_PREFIX: Final = [b"\x61p" + head(0, n) + b"\x61t" for n in range(MAX_KEY_BYTES + 1)]
_VALUE: Final = b"\x61v" + LINK
_LEAF_VALUE: Final = NULL + _VALUE


def depth_of(key: bytes) -> int:
    """The layer that a key lives on: leading zero bits of its SHA-256, in pairs."""
    digest = sha256(key).digest()
    if digest[0] >= 64:
        return 0
    return (256 - int.from_bytes(digest, "big").bit_length()) // 2


def shared_prefix(one: bytes, other: bytes) -> int:
    """How many leading bytes two keys share."""
    size = min(len(one), len(other))
    from_bytes = int.from_bytes
    differ = from_bytes(one[:size], "big") ^ from_bytes(other[:size], "big")
    return size - (differ.bit_length() + 7) // 8


class Node:
    """One node: ``trees[i]`` lies before ``keys[i]``, so there is one more tree than keys."""

    __slots__ = ("_block", "_cid", "height", "keys", "trees", "vals")

    def __init__(
        self,
        height: int,
        keys: tuple[bytes, ...],
        vals: tuple[Cid, ...],
        trees: tuple[Node | None, ...],
    ) -> None:
        self.height = height
        self.keys = keys
        self.vals = vals
        self.trees = trees
        self._block: bytes | None = None
        self._cid: Cid | None = None

    @classmethod
    def known_as(cls, height: int, cid: Cid) -> Node:
        """A stand-in for a node of which only the CID is wanted."""
        node = cls(height, (), (), (None,))
        node._cid = cid
        return node

    @property
    def cid(self) -> Cid:
        """CID of the block; seals the node and all below it."""
        cid = self._cid
        if cid is None:
            self._block = self._encode()
            cid = self._cid = record_cid(self._block)
        return cid

    @property
    def block(self) -> bytes:
        """The node's canonical DAG-CBOR: kept since the CID was computed, or encoded again."""
        return self._encode() if self._block is None else self._block

    def forget_block(self) -> None:
        """Keep only the CID; the block is encoded again when it is wanted."""
        self._block = None

    def _encode(self) -> bytes:
        trees = self.trees
        parts = [b"\xa2\x61e" + head(4, len(self.keys))]
        before = b""
        index = 1
        for key, val in zip(self.keys, self.vals, strict=True):
            shared = shared_prefix(before, key) if before else 0
            tree = trees[index]
            index += 1
            suffix = key[shared:]
            parts += (_ENTRY[len(suffix)], suffix, _PREFIX[shared])
            if tree is None:
                parts += (_LEAF_VALUE, val)
            else:
                parts += (LINK, tree.cid, _VALUE, val)
            before = key
        first = trees[0]
        parts.append(b"\x61l" + NULL if first is None else b"\x61l" + LINK + first.cid)
        return b"".join(parts)


EMPTY_ROOT: Final = Node(0, (), (), (None,))


def _node(
    height: int,
    keys: tuple[bytes, ...],
    vals: tuple[Cid, ...],
    trees: tuple[Node | None, ...],
) -> Node | None:
    """A node, or None where it would hold nothing at all."""
    if not keys and trees[0] is None:
        return None
    return Node(height, keys, vals, trees)


def _split(node: Node | None, key: bytes) -> tuple[Node | None, Node | None]:
    """What lies before and after a key that is not there; whole nodes are reused."""
    if node is None:
        return None, None
    keys, trees = node.keys, node.trees
    i = bisect_left(keys, key)
    left, right = _split(trees[i], key)
    if right is None and i == len(keys):
        return node, None
    if left is None and i == 0:
        return None, node
    height, vals = node.height, node.vals
    return (
        _node(height, keys[:i], vals[:i], (*trees[:i], left)),
        _node(height, keys[i:], vals[i:], (right, *trees[i + 1 :])),
    )


def _merge(left: Node | None, right: Node | None) -> Node | None:
    """One node out of two of the same height, of which all keys of the first come first."""
    if left is None:
        return right
    if right is None:
        return left
    middle = _merge(left.trees[-1], right.trees[0])
    return Node(
        left.height,
        left.keys + right.keys,
        left.vals + right.vals,
        (*left.trees[:-1], middle, *right.trees[1:]),
    )


def _raise_to(node: Node | None, height: int) -> Node | None:
    """Put empty nodes on top of a node until it has the height."""
    while node is not None and node.height < height:
        node = Node(node.height + 1, (), (), (node,))
    return node


def _put(node: Node, key: bytes, depth: int, cid: Cid) -> Node:
    keys, vals, trees = node.keys, node.vals, node.trees
    i = bisect_left(keys, key)
    if node.height > depth:
        below = trees[i]
        if below is not None:
            below = _put(below, key, depth, cid)
        else:
            below = _raise_to(Node(depth, (key,), (cid,), (None, None)), node.height - 1)
        return Node(node.height, keys, vals, (*trees[:i], below, *trees[i + 1 :]))
    if i < len(keys) and keys[i] == key:
        return Node(depth, keys, (*vals[:i], cid, *vals[i + 1 :]), trees)
    left, right = _split(trees[i], key)
    return Node(
        depth,
        (*keys[:i], key, *keys[i:]),
        (*vals[:i], cid, *vals[i:]),
        (*trees[:i], left, right, *trees[i + 1 :]),
    )


def _delete(node: Node | None, key: bytes, depth: int) -> Node | None:
    if node is None or node.height < depth:
        raise NotFound("no such record in the repository")
    keys, vals, trees = node.keys, node.vals, node.trees
    i = bisect_left(keys, key)
    if node.height > depth:
        below = _delete(trees[i], key, depth)
        return _node(node.height, keys, vals, (*trees[:i], below, *trees[i + 1 :]))
    if i == len(keys) or keys[i] != key:
        raise NotFound("no such record in the repository")
    return _node(
        depth,
        keys[:i] + keys[i + 1 :],
        vals[:i] + vals[i + 1 :],
        (*trees[:i], _merge(trees[i], trees[i + 1]), *trees[i + 2 :]),
    )


@dataclass(frozen=True, slots=True)
class Tree:
    """A version of a repository's tree. Keys are ``collection/rkey``; all operations are pure."""

    root: Node = EMPTY_ROOT

    @classmethod
    def build(cls, items: Iterable[tuple[str, Cid]]) -> Tree:
        """The sealed tree of items in strictly rising key order, in one pass; Invalid otherwise."""
        return cls(_Builder().build(items))

    @property
    def cid(self) -> Cid:
        """CID of the root: ``data`` of the commit."""
        return self.root.cid

    def get(self, key: str) -> Cid | None:
        """The CID of a record, or None."""
        raw = key.encode()
        node: Node | None = self.root
        while node is not None:
            i = bisect_left(node.keys, raw)
            if i < len(node.keys) and node.keys[i] == raw:
                return node.vals[i]
            node = node.trees[i]
        return None

    def put(self, key: str, cid: Cid) -> Tree:
        """The tree with a record inserted or replaced."""
        raw = key.encode()
        if not 0 < len(raw) <= MAX_KEY_BYTES:
            raise Invalid("a repository key has 1 to 1024 bytes")
        depth = depth_of(raw)
        root = self.root
        if not root.keys and root.trees[0] is None:
            return Tree(Node(depth, (raw,), (cid,), (None, None)))
        if depth <= root.height:
            return Tree(_put(root, raw, depth, cid))
        left, right = _split(root, raw)
        trees = (_raise_to(left, depth - 1), _raise_to(right, depth - 1))
        return Tree(Node(depth, (raw,), (cid,), trees))

    def delete(self, key: str) -> Tree:
        """The tree without a record; NotFound if it has none of that key."""
        raw = key.encode()
        root = _delete(self.root, raw, depth_of(raw))
        while root is not None and not root.keys:
            root = root.trees[0]
        return Tree(root or EMPTY_ROOT)

    def revert(self, key: str, cid: Cid | None, prev: Cid | None) -> Tree:
        """The tree as it was before one operation took ``key`` from ``prev`` to ``cid``.

        Raises Conflict if the tree does not hold what the operation claims to have left.
        """
        if self.get(key) != cid:
            raise Conflict("the operation does not match the tree")
        return self.delete(key) if prev is None else self.put(key, prev)

    def items(self) -> Iterator[tuple[str, Cid]]:
        """All records in key order."""
        for node, i in self.walk():
            if i >= 0:
                yield node.keys[i].decode(), node.vals[i]

    def nodes(self) -> Iterator[Node]:
        """All nodes, each before the nodes below it."""
        return (node for node, i in self.walk() if i < 0)

    def walk(self, span: Span = EVERY_KEY) -> Iterator[tuple[Node, int]]:
        """Nodes in pre-order with their records in between: ``(node, -1)``, ``(node, index)``.

        With ``span`` only the records of these keys, and the nodes that prove them complete.
        """
        low, high = span
        stack: list[tuple[Node, int]] = [(self.root, -1)]
        while stack:
            node, i = stack.pop()
            keys = node.keys
            if i < 0 or low <= keys[i] < high:
                yield node, i
            if i + 1 < len(keys):
                stack.append((node, i + 1))
                if keys[i + 1] <= low:
                    continue
            below = node.trees[i + 1]
            if below is not None and (i < 0 or keys[i] < high):
                stack.append((below, -1))

    def proof(self, key: str) -> list[Node]:
        """The nodes from the root to where a key is, or would be: proves presence or absence."""
        raw = key.encode()
        path: list[Node] = []
        node: Node | None = self.root
        while node is not None:
            path.append(node)
            i = bisect_left(node.keys, raw)
            if i < len(node.keys) and node.keys[i] == raw:
                break
            node = node.trees[i]
        return path

    def cover(self, keys: Iterable[str]) -> dict[Node, None]:
        """For each key the nodes on its path and on the paths to its neighbours, upper ones first.

        All nodes that a change of the keys made are among them.
        """
        cover: dict[Node, None] = {}
        for key in keys:
            path = self.proof(key)
            cover |= dict.fromkeys(path)
            last, raw = path[-1], key.encode()
            i = bisect_left(last.keys, raw)
            if i < len(last.keys) and last.keys[i] == raw:
                cover |= dict.fromkeys(_edge(last.trees[i], -1))
                cover |= dict.fromkeys(_edge(last.trees[i + 1], 0))
        return cover

    def diff(self, keys: Iterable[str]) -> list[Node]:
        """What a commit that touched ``keys`` must send, in pre-order, sealed.

        These are the new nodes and the covering proof: for each key its path and the paths to its
        neighbours, so that a reader can take the operations back.
        """
        cover = self.cover(keys)
        found: list[Node] = []
        stack = [self.root]
        while stack:
            node = stack.pop()
            found.append(node)
            stack += [t for t in reversed(node.trees) if t and (t._cid is None or t in cover)]
        for node in reversed(found):
            _ = node.cid
        return found


def _edge(node: Node | None, side: int) -> Iterator[Node]:
    """The nodes down one side of a subtree."""
    while node is not None:
        yield node
        node = node.trees[side]


class _Builder:
    """Builds a tree bottom-up: one open node per layer, closed when a higher key arrives."""

    def __init__(self) -> None:
        self._keys: list[list[bytes]] = []
        self._vals: list[list[Cid]] = []
        self._trees: list[list[Node | None]] = []

    def build(self, items: Iterable[tuple[str, Cid]]) -> Node:
        before = b""
        keys, vals, trees = self._keys, self._vals, self._trees
        for text, cid in items:
            key = text.encode()
            if key <= before or len(key) > MAX_KEY_BYTES:
                raise Invalid("repository keys are not in order, or too long")
            before = key
            depth = depth_of(key)
            while len(keys) <= depth:
                keys.append([])
                vals.append([])
                trees.append([])
            trees[depth].append(self._close(depth) if depth else None)
            keys[depth].append(key)
            vals[depth].append(cid)
        return self._close(len(keys)) or EMPTY_ROOT

    def _close(self, height: int) -> Node | None:
        """Close the open nodes below a height into one finished subtree."""
        below: Node | None = None
        for layer in range(height):
            keys, trees = self._keys[layer], self._trees[layer]
            trees.append(below)
            below = _node(layer, tuple(keys), tuple(self._vals[layer]), tuple(trees))
            if below is not None:
                _ = below.cid
                below.forget_block()
            self._keys[layer], self._vals[layer], self._trees[layer] = [], [], []
        return below
