"""The change log: what happened, in one order, for every reader at its own cursor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pod.model.ids import Cid, MemberId, Tid
from pod.model.resource import Action, RepoKey, ResourcePath

ChangeKind = Literal["commit", "document", "identity", "account", "sync"]


@dataclass(frozen=True, slots=True)
class ChangeOp:
    """One resource that a change touched; ``prev`` and ``cid`` are the states before and after.

    ``cid == prev`` on an update means that only the complement changed; ``views`` names the views
    whose part of it did.
    """

    action: Action
    path: ResourcePath
    cid: Cid | None
    prev: Cid | None
    views: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the log.

    ``seq`` is the cursor of every reader, the firehose included; it only grows, gaps are allowed.
    ``frame`` is the ready firehose message where the change is public. ``rev`` with an op's index
    names the ActivityPub activity that the op causes.
    """

    seq: int
    member: MemberId
    at: datetime
    kind: ChangeKind
    rev: Tid | None
    ops: tuple[ChangeOp, ...]
    frame: bytes | None = None


@dataclass(frozen=True, slots=True)
class RepoHead:
    """The signed head of a member's public repository.

    ``block`` is the signed commit's DAG-CBOR, ``data`` the MST root it points to.
    """

    member: MemberId
    commit: Cid
    rev: Tid
    data: Cid
    block: bytes


@dataclass(frozen=True, slots=True)
class RecordOp:
    """One record change as the repository projection takes it; built from rows of ``/repo/`` only.

    ``key`` is ``{collection}/{rkey}``; ``block`` the new bytes (None for a delete).
    """

    action: Action
    key: RepoKey
    cid: Cid | None
    prev: Cid | None
    block: bytes | None
