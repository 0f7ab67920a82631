"""Replays a repository from the log and says where an event tells anything but what happened.

Works also where old frames are gone: the log itself keeps every operation.

Spec: https://atproto.com/specs/sync
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from adapters.atproto.firehose.frames import read_frame
from adapters.atproto.repo.car import read_car
from adapters.atproto.repo.commit import read_commit
from adapters.atproto.repo.mst import Tree
from pod.errors import Invalid, NotFound
from pod.model.change import Change, ChangeOp, RepoHead
from pod.model.ids import Cid, Did, Tid
from pod.records.cbor import decode
from pod.records.cid import record_cid
from pod.records.data import Data, Link

PUBLIC: Final = "/repo/"


class RepoAudit:
    """One member's repository: hand it their changes in order, then the head that is stored."""

    def __init__(self, did: Did) -> None:
        self._did = did
        self._tree = Tree()
        self._rev: Tid | None = None
        self._commit: Cid | None = None
        self._is_active: bool | None = None
        self._unheard: int | None = None

    def take(self, change: Change, *, frame_is_due: bool) -> Iterator[str]:
        """What is wrong with the next change and its frame."""
        before = self._tree, self._rev
        if self._unheard is not None and change.kind != "sync":
            yield f"the event of seq {self._unheard} is missing"
            self._unheard = None
        yield from self._replay(change)
        if change.frame is not None:
            self._unheard = None
            try:
                yield from self._event(change, change.frame, *before)
            except Invalid as err:
                yield f"its event cannot be read: {err.safe_text}"
        elif frame_is_due and change.kind == "sync" and self._is_active:
            # Only the last part of an import has an event.
            self._unheard = self._unheard or change.seq
        elif frame_is_due and change.kind not in ("sync", "document"):
            yield "its event is missing"

    def head(self, head: RepoHead | None, did_key: str) -> Iterator[str]:
        """What is wrong with the stored head, after all changes; ``did_key`` is who must sign."""
        if self._unheard is not None:
            yield f"the event of seq {self._unheard} is missing"
        if head is None:
            if self._rev is not None:
                yield "the repository has no head"
            return
        if head.rev != self._rev:
            yield f"the head is at {head.rev}, the log ends at {self._rev}"
        if head.data != self._tree.cid:
            yield "the head signs another tree than the log tells of"
        if self._commit is not None and head.commit != self._commit:
            yield "the head is not the commit of the last event"
        if record_cid(head.block) != head.commit:
            yield "the commit does not hash to its CID"
        try:
            commit = read_commit(head.block)
        except Invalid as err:
            yield f"the commit cannot be read: {err.safe_text}"
            return
        if (commit.did, commit.rev, commit.data) != (self._did, head.rev, head.data):
            yield "the commit says something else than the head"
        if not commit.is_signed_by(did_key):
            yield "the commit is not signed by the member's key"

    def _replay(self, change: Change) -> Iterator[str]:
        ops = _public(change.ops)
        if ops and change.kind not in ("commit", "sync"):
            yield "it changes records, but is no commit"
        if change.kind in ("commit", "sync"):
            if self._rev is not None and (change.rev or "") < self._rev:
                yield f"its rev runs back from {self._rev} to {change.rev}"
            self._rev = change.rev
            self._commit = None
        for op in ops:
            key = op.path.removeprefix(PUBLIC)
            if self._tree.get(key) != op.prev:
                yield f"{op.path} was not in the state that it changes"
            try:
                self._tree = (
                    self._tree.put(key, op.cid) if op.cid is not None else self._tree.delete(key)
                )
            except NotFound:
                yield f"{op.path} was not there to be deleted"

    def _event(self, change: Change, frame: bytes, tree: Tree, rev: Tid | None) -> Iterator[str]:
        if change.kind == "document":
            yield "a private change has an event"
            return
        kind, body = read_frame(frame)
        if kind != change.kind:
            yield f"its event is of kind {kind}"
            return
        if body["seq"] != change.seq:
            yield f"its event has seq {body['seq']!r}"
        if body.get("repo", body.get("did")) != self._did:
            yield "its event is of another repository"
        if kind == "account":
            self._is_active = body["active"] is True
        if kind not in ("commit", "sync"):
            return
        blocks = body["blocks"]
        root, held = read_car(blocks if isinstance(blocks, bytes) else b"")
        yield from self._signed(body, root, held)
        if kind == "sync":
            return
        self._commit = root
        if body["commit"] != root:
            yield "its event names another commit than it holds"
        if body["since"] != rev:
            yield f"since is {body['since']!r}, the rev before was {rev!r}"
        before = body.get("prevData")
        if before != (None if rev is None else tree.cid):
            yield "prevData is not the tree before"
        if body["ops"] != [_told(op) for op in _public(change.ops)]:
            yield "its event tells of other operations than the log"
        yield from self._holds_all(held, root, _public(change.ops))

    def _signed(self, body: dict[str, Data], root: Cid, held: Mapping[Cid, bytes]) -> Iterator[str]:
        if root not in held:
            yield "its event does not hold its commit"
            return
        commit = read_commit(held[root])
        if commit.did != self._did or not commit.rev == body["rev"] == self._rev:
            yield "the commit in its event is another one"
        if commit.data != self._tree.cid:
            yield "the commit in its event signs another tree"

    def _holds_all(
        self, held: Mapping[Cid, bytes], root: Cid, ops: list[ChangeOp]
    ) -> Iterator[str]:
        """The event must hold the records of its operations, and nothing outside the repository."""
        records = {op.cid for op in ops if op.cid is not None}
        if not records <= held.keys():
            yield "its event lacks a record"
        open_nodes, nodes = [self._tree.cid], set[Cid]()
        while open_nodes:
            cid = open_nodes.pop()
            if cid in held and cid not in nodes:
                nodes.add(cid)
                open_nodes += _links(decode(held[cid]))
        if self._tree.cid not in nodes:
            yield "its event lacks the root of the tree"
        if held.keys() - nodes - records - {root}:
            yield "its event holds a block that is not of its commit"


def _public(ops: tuple[ChangeOp, ...]) -> list[ChangeOp]:
    """The operations that a repository sees: of its records, and more than of a complement."""
    return [op for op in ops if op.path.startswith(PUBLIC) and op.cid != op.prev]


def _told(op: ChangeOp) -> dict[str, Data]:
    """An operation as an event tells it."""
    told: dict[str, Data] = {"action": op.action, "path": op.path.removeprefix(PUBLIC)}
    told["cid"] = None if op.cid is None else Link(op.cid)
    return told if op.prev is None else told | {"prev": Link(op.prev)}


def _links(node: Data) -> list[Cid]:
    """The nodes below a node."""
    entries = node.get("e") if isinstance(node, dict) else None
    found = [node.get("l")] if isinstance(node, dict) else []
    if isinstance(entries, list):
        found += [entry.get("t") for entry in entries if isinstance(entry, dict)]
    return [Cid(bytes(link)) for link in found if isinstance(link, Link)]
