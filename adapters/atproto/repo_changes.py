"""What changed in a repository since a revision, found by taking the log back.

Spec: https://atproto.com/specs/sync#diff
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from adapters.atproto.repo.car import car_block, car_header
from adapters.atproto.repo.mst import Node, Tree
from pod.errors import Conflict, NotFound
from pod.model.change import RepoHead
from pod.model.ids import Cid, Tid
from pod.ports import Reader

_MOST: Final = 5_000
"""Changed records from which on the whole repository is sent instead."""

_PAGE: Final = 200
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Fresh:
    """New nodes, each before those below it, and the records that were written."""

    nodes: list[Node]
    records: list[Cid]


def changed_since(store: Reader, head: RepoHead, tree: Tree, since: Tid) -> Fresh | None:
    """What came after a revision; None where the log does not tell, or where it is too much."""
    if since >= head.rev:
        return Fresh([], [])
    touched = _touched(store, head, since)
    if touched is None:
        return None
    changed = {key: states for key, states in touched.items() if states[0] != states[1]}
    former = tree
    try:
        for key, (prev, cid) in changed.items():
            former = former.revert(key, cid, prev)
    except (Conflict, NotFound):
        return None
    known = {node.cid for node in former.cover(changed)}
    nodes = [node for node in tree.cover(changed) if node.cid not in known]
    return Fresh(nodes, [cid for _, cid in changed.values() if cid is not None])


def export_changes(store: Reader, head: RepoHead, fresh: Fresh) -> Iterator[bytes]:
    """The commit, the new nodes and the new records as chunks of a CAR file."""
    yield car_header(head.commit) + car_block(head.commit, head.block)
    yield b"".join(car_block(node.cid, node.block) for node in fresh.nodes)
    cids = list(dict.fromkeys(fresh.records))
    for at in range(0, len(cids), _AT_ONCE):
        found = store.record_blocks(head.member, cids[at : at + _AT_ONCE])
        yield b"".join(car_block(cid, block) for cid, block in found.items())


def _touched(
    store: Reader, head: RepoHead, since: Tid
) -> Mapping[str, tuple[Cid | None, Cid | None]] | None:
    """Keys that the log names after a revision, with their CIDs before and now."""
    after = store.seq_at(head.member, since)
    if after is None:
        return None
    touched: dict[str, tuple[Cid | None, Cid | None]] = {}
    while page := store.changes(after=after, limit=_PAGE, member=head.member):
        for change in page:
            for op in change.ops:
                if op.path.startswith("/repo/"):
                    key = op.path.removeprefix("/repo/")
                    touched[key] = touched.get(key, (op.prev,))[0], op.cid
        if len(touched) > _MOST:
            return None
        after = page[-1].seq
    return touched
