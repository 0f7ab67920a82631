"""Trees in one pass: the same bytes as the tree in memory makes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.atproto.repo.car import export_repo, read_car
from adapters.atproto.repo.mst import EVERY_KEY, Span, Tree
from adapters.atproto.repo.stream import export_large, nodes_of, root_of
from pod.errors import Conflict, Invalid
from pod.model.ids import Cid
from pod.records.cid import record_cid
from tests.kit.repo import COLLECTIONS, keys

COMMIT = b"\xa0"
bodies = st.dictionaries(keys, st.integers(0, 40).map(lambda n: b"record %d" % n), max_size=80)
spans = st.sampled_from([EVERY_KEY, *((f"{c}/".encode(), f"{c}0".encode()) for c in COLLECTIONS)])


def stored(records: dict[str, bytes]) -> list[tuple[str, Cid, bytes]]:
    """Rows in key order."""
    return [(key, record_cid(records[key]), records[key]) for key in sorted(records)]


def exported(records: dict[str, bytes], span: Span) -> tuple[Tree, bytes, bytes]:
    """The tree, and its export from memory and by way of a file."""
    rows = stored(records)
    tree = Tree.build((key, cid) for key, cid, _ in rows)
    within = [(cid, body) for key, cid, body in rows if span[0] <= key.encode() < span[1]]
    commit = record_cid(COMMIT)
    small = b"".join(export_repo(commit, COMMIT, tree, within, span=span))
    large = b"".join(export_large(commit, COMMIT, tree.cid, rows[::-1], None, span=span))
    return tree, small, large


@given(bodies, spans)
def test_an_export_by_way_of_a_file_has_the_same_bytes(
    records: dict[str, bytes], span: Span
) -> None:
    _, small, large = exported(records, span)
    assert small == large


@given(bodies, st.sampled_from(COLLECTIONS))
def test_a_part_has_the_records_of_its_collection_and_proves_that_there_are_no_others(
    records: dict[str, bytes], collection: str
) -> None:
    span = f"{collection}/".encode(), f"{collection}0".encode()
    tree, part, _ = exported(records, span)
    _, blocks = read_car(part)
    wanted = {key: body for key, body in records.items() if key.startswith(f"{collection}/")}
    nodes = {node.cid: node.block for node in tree.nodes()}
    assert {cid: block for cid, block in blocks.items() if cid not in nodes} == {
        record_cid(COMMIT): COMMIT,
        **{record_cid(body): body for body in wanted.values()},
    }
    for key in [*wanted, f"{collection}/0", f"{collection}/zzz"]:
        assert {node.cid for node in tree.proof(key)} <= blocks.keys()


@given(bodies)
def test_root_and_nodes_are_those_of_the_tree(records: dict[str, bytes]) -> None:
    items = [(key, cid) for key, cid, _ in stored(records)]
    tree = Tree.build(items)
    assert root_of(items) == tree.cid
    made = list(nodes_of(items))
    assert made[-1][0] == tree.cid
    assert dict(made) == {node.cid: node.block for node in tree.nodes()}


def test_keys_out_of_order_are_refused() -> None:
    cid = record_cid(b"x")
    with pytest.raises(Invalid):
        root_of([("a/b", cid), ("a/a", cid)])
    with pytest.raises(Invalid):
        root_of([("a/b", cid), ("a/b", cid)])


def test_records_that_are_not_the_tree_are_not_exported() -> None:
    rows = stored({"a/a": b"one", "a/b": b"two"})
    tree = Tree.build((key, cid) for key, cid, _ in rows)
    chunks = export_large(record_cid(COMMIT), COMMIT, tree.cid, rows[:1], None)
    with pytest.raises(Conflict):
        next(chunks)
