"""Node blocks from elsewhere: only the canonical tree is taken."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import libipld
import pytest

from adapters.atproto.repo.foreign import MissingNode, index_of, load_tree
from adapters.atproto.repo.mst import Tree, depth_of
from pod.errors import Invalid
from pod.model.ids import Cid
from tests.kit.repo import cid_of

TREE = Tree.build((f"c/{i:04d}", cid_of(i)) for i in range(300))
BLOCKS = {node.cid: node.block for node in TREE.nodes()}


def _hashed(block: bytes) -> Cid:
    return Cid(b"\x01\x71\x12\x20" + sha256(block).digest())


def _one(data: Any) -> tuple[Cid, dict[Cid, bytes]]:
    block = data if isinstance(data, bytes) else libipld.encode_dag_cbor(data)
    return _hashed(block), {_hashed(block): block}


def _entry(key: bytes, shared: int = 0, tree: bytes | None = None) -> dict[str, Any]:
    return {"k": key, "p": shared, "v": bytes(cid_of(1)), "t": tree}


LOW = [key for key in (f"c/{i}".encode() for i in range(100)) if sha256(key).digest()[0] >= 64]
HIGH = next(key for key in (f"c/{i}".encode() for i in range(100)) if sha256(key).digest()[0] < 16)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        {},
        {"e": [], "l": bytes(cid_of(1))},
        {"e": 1, "l": None},
        {"e": [1], "l": None},
        {"e": [], "l": None, "x": 1} | {"e": [_entry(LOW[0])]},
        {"e": [_entry(LOW[0]) | {"v": None}], "l": None},
        {"e": [_entry(LOW[0]) | {"v": b"short"}], "l": None},
        {"e": [_entry(LOW[0], 1)], "l": None},
        {"e": [_entry(LOW[0], -1)], "l": None},
        {"e": [_entry(LOW[0]) | {"p": "0"}], "l": None},
        {"e": [_entry(b"")], "l": None},
        {"e": [_entry(b"x" * 1025)], "l": None},
        {"e": [_entry(LOW[0]), _entry(LOW[0])], "l": None},
        {"e": [_entry(LOW[1]), _entry(LOW[0])], "l": None},
        {"e": [_entry(min(LOW)), _entry(max(LOW))], "l": None},
        {"e": [_entry(LOW[0]), _entry(HIGH)], "l": None},
        {"e": [_entry(LOW[0], tree=bytes(cid_of(1)))], "l": None},
    ],
)
def test_a_root_that_is_not_canonical_is_invalid(data: Any) -> None:
    root, blocks = _one(data)
    with pytest.raises(Invalid):
        load_tree(root, blocks.get)


def test_a_bad_child_is_found() -> None:
    child = next(t.cid for t in TREE.root.trees if t is not None)
    grandchildren = dict(BLOCKS)
    for bad in (b"\xa2ae\x80al\xf6", BLOCKS[child] + b"\0", BLOCKS[TREE.cid]):
        with pytest.raises(Invalid):
            load_tree(TREE.cid, {**grandchildren, child: bad}.get)


def test_a_missing_node_is_invalid_unless_it_may_hide() -> None:
    root_only = {TREE.cid: BLOCKS[TREE.cid]}
    with pytest.raises(Invalid):
        load_tree(TREE.cid, root_only.get)
    with pytest.raises(Invalid):
        load_tree(TREE.cid, {}.get, partial=True)
    tree = load_tree(TREE.cid, root_only.get, partial=True)
    assert tree.cid == TREE.cid
    with pytest.raises(Invalid):
        list(tree.items())


def test_children_must_keep_between_the_keys_of_their_parent() -> None:
    parent = TREE.root
    twins = [t for t in parent.trees if t is not None]
    assert len(twins) >= 2
    swapped = [twins[-1].cid if t is twins[0] else (t and t.cid) for t in parent.trees]
    first, *rest = swapped
    entries, before = [], b""
    for key, val, tree in zip(parent.keys, parent.vals, rest, strict=True):
        shared = next(
            (i for i, (a, b) in enumerate(zip(before, key, strict=False)) if a != b), len(before)
        )
        entries.append(_entry(key[shared:], shared, tree) | {"v": bytes(val)})
        before = key
    root, blocks = _one({"e": entries, "l": first})
    with pytest.raises(Invalid, match="order"):
        load_tree(root, {**BLOCKS, **blocks}.get)


@pytest.mark.parametrize("count", [0, 1, 300])
def test_an_index_is_read_from_the_nodes_one_after_another(count: int) -> None:
    tree = Tree.build((f"c/{i:04d}", cid_of(i)) for i in range(count))
    blocks = {node.cid: node.block for node in tree.nodes()}
    assert list(index_of(tree.cid, blocks.get)) == list(tree.items())


def test_an_index_whose_nodes_are_missing_or_of_a_wrong_form_is_refused() -> None:
    child = next(t.cid for t in TREE.root.trees if t is not None)
    with pytest.raises(MissingNode):
        list(index_of(TREE.cid, {cid: b for cid, b in BLOCKS.items() if cid != child}.get))
    with pytest.raises(MissingNode):
        list(index_of(cid_of("nowhere"), BLOCKS.get))
    for data in (
        {"e": [], "l": bytes(cid_of(1))},
        {"e": [_entry(LOW[0], tree=bytes(cid_of(1)))], "l": None},
        {"e": [_entry(b"\xff")], "l": None},
    ):
        root, blocks = _one(data)
        with pytest.raises(Invalid):
            list(index_of(root, blocks.get))


def test_a_tree_that_names_a_node_twice_is_refused_before_it_is_walked_again() -> None:
    below = next(node for node in TREE.nodes() if node.height == 0 and node.keys)
    above = [key for key in (f"d/{i}".encode() for i in range(100)) if depth_of(key) == 1][:2]
    root, blocks = _one(
        {"e": [_entry(k, tree=bytes(below.cid)) for k in sorted(above)], "l": bytes(below.cid)}
    )
    with pytest.raises(Invalid, match="order"):
        list(index_of(root, (blocks | BLOCKS).get))
