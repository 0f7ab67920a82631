"""Laws of the repository tree, and its agreement with a dict and with an independent tree."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from adapters.atproto.repo.foreign import load_tree
from adapters.atproto.repo.mst import Tree
from pod.model.ids import Cid
from tests.kit.repo import OtherTree, cid_of, cids, contents, keys, other_root


def _grown(items: dict[str, Cid]) -> Tree:
    tree = Tree()
    for key, cid in items.items():
        tree = tree.put(key, cid)
    return tree


@given(contents)
def test_every_way_to_the_same_records_gives_the_same_root(items: dict[str, Cid]) -> None:
    built = Tree.build(sorted(items.items()))
    assert built.cid == _grown(items).cid == other_root(items)
    assert list(built.items()) == sorted(items.items())
    assert all(built.get(key) == cid for key, cid in items.items())


@given(contents, keys, cids)
def test_deleting_undoes_inserting(items: dict[str, Cid], key: str, cid: Cid) -> None:
    items.pop(key, None)
    tree = Tree.build(sorted(items.items()))
    assert tree.put(key, cid).delete(key).cid == tree.cid
    assert tree.get(key) is None


@given(contents, st.dictionaries(keys, st.one_of(st.none(), cids), min_size=1, max_size=20))
def test_a_diff_is_all_that_a_reader_needs(
    items: dict[str, Cid], wishes: dict[str, Cid | None]
) -> None:
    before = Tree.build(sorted(items.items()))
    known = {node.cid for node in before.nodes()}
    ops = [(k, c, items.get(k)) for k, c in wishes.items() if c != items.get(k)]
    after = before
    for key, cid, _ in ops:
        after = after.delete(key) if cid is None else after.put(key, cid)
    sent = {node.cid: node.block for node in after.diff(key for key, _, _ in ops)}

    assert {node.cid for node in after.nodes()} <= known | set(sent)
    for order in (ops, ops[::-1]):
        tree = load_tree(after.cid, sent.get, partial=True)
        other = OtherTree(after.cid, sent)
        for key, cid, prev in order:
            tree = tree.revert(key, cid, prev)
            other.revert([(key, prev)])
        assert tree.cid == other.root == before.cid


@given(contents, keys)
def test_a_proof_alone_shows_whether_a_record_is_there(items: dict[str, Cid], key: str) -> None:
    tree = Tree.build(sorted(items.items()))
    blocks = {node.cid: node.block for node in tree.proof(key)}
    assert load_tree(tree.cid, blocks.get, partial=True).get(key) == items.get(key)


@given(contents)
def test_node_blocks_load_back_as_the_same_tree(items: dict[str, Cid]) -> None:
    tree = Tree.build(sorted(items.items()))
    blocks = {node.cid: node.block for node in tree.nodes()}
    loaded = load_tree(tree.cid, blocks.get)
    assert loaded.cid == tree.cid
    assert list(loaded.items()) == sorted(items.items())


class TreeAsDict(RuleBasedStateMachine):
    """A tree under random operations is a sorted dict; old versions stay what they were."""

    def __init__(self) -> None:
        super().__init__()
        self.tree = Tree()
        self.model: dict[str, Cid] = {}
        self.other = OtherTree()
        self.past: list[tuple[Tree, Cid, dict[str, Cid]]] = []

    @rule(key=keys, content=st.integers(0, 9))
    def put(self, key: str, content: int) -> None:
        self.tree = self.tree.put(key, cid_of(content))
        self.model[key] = cid_of(content)
        self.other.put(key, cid_of(content))

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        if self.model:
            key = data.draw(st.sampled_from(sorted(self.model)))
            self.tree = self.tree.delete(key)
            del self.model[key]
            self.other.delete(key)

    @rule()
    def keep(self) -> None:
        self.past.append((self.tree, self.tree.cid, dict(self.model)))

    @invariant()
    def same_as_the_dict_and_the_other_tree(self) -> None:
        assert list(self.tree.items()) == sorted(self.model.items())
        assert Tree(self.tree.root).cid == self.other.root

    def teardown(self) -> None:
        for tree, cid, model in self.past:
            assert tree.cid == cid
            assert list(tree.items()) == sorted(model.items())


TestTreeAsDict = TreeAsDict.TestCase
