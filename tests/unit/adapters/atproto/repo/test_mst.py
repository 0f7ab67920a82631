"""The tree at its edges."""

from __future__ import annotations

import pytest
from libipld import encode_cid

from adapters.atproto.repo.mst import Tree
from pod.errors import Conflict, Invalid, NotFound
from tests.kit.repo import cid_of

POST = "app.bsky.feed.post/3jui7kd54zh2y"


def test_the_empty_tree_is_one_empty_node() -> None:
    empty = "bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm"
    assert encode_cid(Tree().cid) == empty
    assert encode_cid(Tree().put(POST, cid_of(1)).delete(POST).cid) == empty
    assert [node.block for node in Tree().nodes()] == [
        b"\xa2aealf6".replace(b"alf6", b"\x80al\xf6")
    ]


def test_deleting_what_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        Tree().delete(POST)
    with pytest.raises(NotFound):
        Tree().put(POST, cid_of(1)).delete(POST + "z")


@pytest.mark.parametrize("key", ["", "x" * 1025])
def test_a_key_has_1_to_1024_bytes(key: str) -> None:
    with pytest.raises(Invalid):
        Tree().put(key, cid_of(1))


@pytest.mark.parametrize("names", ["ba", "aa"])
def test_a_tree_is_built_from_rising_keys_only(names: str) -> None:
    with pytest.raises(Invalid):
        Tree.build((f"c/{name}", cid_of(name)) for name in names)


def test_an_operation_that_the_tree_does_not_show_cannot_be_taken_back() -> None:
    tree = Tree().put(POST, cid_of(1))
    with pytest.raises(Conflict):
        tree.revert(POST, cid_of(2), None)
    with pytest.raises(Conflict):
        tree.revert(POST, None, cid_of(2))


def test_a_small_change_in_a_big_tree_sends_few_nodes() -> None:
    tree = Tree.build((f"c/{i:06d}", cid_of(i)) for i in range(5000))
    changed = tree.put("c/002500x", cid_of("new"))
    assert len(changed.diff(["c/002500x"])) < 20


def test_a_node_with_a_very_deep_key_counts_its_layers() -> None:
    deep = next(k for k in (f"c/{i}" for i in range(200_000)) if depth_is_at_least_7(k))
    tree = Tree().put("c/low", cid_of(1)).put(deep, cid_of(2))
    assert tree.root.height >= 7
    assert tree.delete(deep).cid == Tree().put("c/low", cid_of(1)).cid


def depth_is_at_least_7(key: str) -> bool:
    from adapters.atproto.repo.mst import depth_of

    return depth_of(key.encode()) >= 7
