"""The ATProto tree vectors: key heights, shared prefixes, example keys, covering proofs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from libipld import decode_cid, encode_cid

from adapters.atproto.repo.foreign import load_tree
from adapters.atproto.repo.mst import Tree, depth_of, shared_prefix
from pod.model.ids import Cid


def _json(shared: Path, name: str) -> list[dict[str, Any]]:
    return list(json.loads((shared / "vectors/atproto-interop" / name).read_text()))


def _cid(text: str) -> Cid:
    parts = decode_cid(text)
    return Cid(b"\x01\x71\x12\x20" + bytes(parts["hash"]["digest"]))


def test_key_heights(shared: Path) -> None:
    for case in _json(shared, "mst/key_heights.json"):
        assert depth_of(case["key"].encode()) == case["height"], case


def test_the_digit_of_an_example_key_is_its_height(shared: Path) -> None:
    keys = (shared / "vectors/atproto-interop/mst/example_keys.txt").read_text().split()
    assert len(keys) > 100
    for key in keys:
        assert depth_of(key.encode()) == int(key[1]), key


def test_common_prefixes(shared: Path) -> None:
    for case in _json(shared, "mst/common_prefix.json"):
        left, right = case["left"].encode(), case["right"].encode()
        assert shared_prefix(left, right) == case["len"], case


def test_commit_proof_fixtures(shared: Path) -> None:
    fixtures = _json(shared, "firehose/commit-proof-fixtures.json")
    assert len(fixtures) == 6
    for case in fixtures:
        leaf = _cid(case["leafValue"])
        before = Tree.build((key, leaf) for key in sorted(case["keys"]))
        assert encode_cid(before.cid) == case["rootBeforeCommit"]
        after = before
        for key in case["adds"]:
            after = after.put(key, leaf)
        for key in case["dels"]:
            after = after.delete(key)
        sent = {encode_cid(node.cid): node for node in after.diff(case["adds"] + case["dels"])}
        assert encode_cid(after.cid) == case["rootAfterCommit"], case["comment"]
        assert set(case["blocksInProof"]) <= set(sent), case["comment"]

        seen = {node.cid: node.block for node in sent.values()}
        tree = load_tree(after.cid, seen.get, partial=True)
        for key in case["dels"]:
            tree = tree.revert(key, None, leaf)
        for key in case["adds"]:
            tree = tree.revert(key, leaf, None)
        assert encode_cid(tree.cid) == case["rootBeforeCommit"], case["comment"]
