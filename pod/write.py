"""The one write path: every change of a member's data, in whatever dialect, goes through here.

authorise -> check and encode -> one transaction { precondition, native bytes and index row,
projected commit and frame, change-log row } -> receipt. What follows from a write (firehose,
deliveries, notifications) is done by readers of the change log, never here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from pod.access.acl import Mode
from pod.access.agent import Agent
from pod.access.policy import Policy
from pod.draft import Draft, Drafts
from pod.errors import Conflict, Invalid, NotFound, QuotaExceeded, StaleVersion
from pod.model.change import Change, ChangeOp, RecordOp, RepoHead
from pod.model.ids import Cid, MemberId, Nsid, Rkey, Tid
from pod.model.member import Member
from pod.model.resource import (
    EMPTY,
    Absent,
    Action,
    Complement,
    Expect,
    Resource,
    ResourcePath,
    Version,
    Zone,
    container_of,
    generation_of,
    record_key,
    record_path,
    repo_key,
    zone_of,
)
from pod.ports import Clock, RepoProjection, Store, Tx
from pod.records.data import Data
from pod.records.tid import TidClock

Validation = Literal["valid", "unknown"] | None


@dataclass(frozen=True, slots=True)
class PutRecord:
    """Write a record.

    ``action`` "create" refuses an existing record, "update" a missing one, "put" takes either.
    ``rkey`` None mints a TID. ``validate`` None checks known lexicons, True demands one, False
    checks only the data model. ``complement`` None leaves the complement as it is.
    """

    collection: Nsid
    rkey: Rkey | None
    record: dict[str, Data]
    action: Literal["create", "update", "put"] = "put"
    expect: Expect = None
    validate: bool | None = None
    complement: Complement | None = None


@dataclass(frozen=True, slots=True)
class PutDocument:
    """Write a document (RDF or AS2 bytes, kept unchanged) outside the record zones."""

    path: ResourcePath
    media_type: str
    body: bytes
    expect: Expect = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class PutBinary:
    """Put a blob that the member holds (see `pod.media`) at a path outside the record zones."""

    path: ResourcePath
    blob: Cid
    media_type: str
    expect: Expect = None


@dataclass(frozen=True, slots=True)
class Annotate:
    """Replace the complement of a record; its bytes stay, so no commit and no event follow."""

    path: ResourcePath
    complement: Complement
    expect: Expect = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a resource; ``missing_ok`` makes a missing one a result "none", not an error."""

    path: ResourcePath
    expect: Expect = None
    missing_ok: bool = False


Op = PutRecord | PutDocument | PutBinary | Annotate | Delete


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one op; "none" where everything was so already."""

    path: ResourcePath
    action: Action | Literal["none"]
    cid: Cid | None
    validation: Validation = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a write. ``head`` is the new commit, None when no public record changed."""

    head: RepoHead | None
    rev: Tid | None
    results: tuple[Result, ...]


class Write:
    """The write service. One instance for the whole pod."""

    def __init__(
        self,
        store: Store,
        policy: Policy,
        projection: RepoProjection,
        drafts: Drafts,
        tids: TidClock,
        clock: Clock,
        *,
        quota_bytes: int,
    ) -> None:
        self._store = store
        self._policy = policy
        self._projection = projection
        self._drafts = drafts
        self._tids = tids
        self._clock = clock
        self._quota_bytes = quota_bytes
        self._used: dict[MemberId, int] = {}

    async def apply(
        self,
        agent: Agent,
        member: MemberId,
        ops: Sequence[Op],
        *,
        expect_commit: Cid | None = None,
    ) -> Receipt:
        """Apply all ops or none, as one commit and one row of the change log.

        Raises Unauthenticated or Forbidden; StaleVersion (``InvalidSwap``) when an expectation
        fails; Conflict for a create over something; NotFound for an update or delete of nothing;
        Invalid, Unprocessable, TooLarge or QuotaExceeded. Nothing is changed then.
        """
        owner = self._store.member(member)
        if owner is None:
            raise NotFound("Could not find the repository.", name="RepoNotFound")
        if not ops:
            return Receipt(None, None, ())
        drafts = [self._draft(op) for op in ops]
        paths = [draft.path for draft in drafts]
        if len(set(paths)) != len(paths):
            raise Invalid("A batch may touch each path only once.")
        for op, draft in zip(ops, drafts, strict=True):
            self._authorise(agent, owner, op, draft.path)
        self._check_quota(member, sum(draft.size for draft in drafts))
        receipt, grown = await self._store.write(
            lambda tx: self._apply(tx, member, drafts, expect_commit)
        )
        self._used[member] = self._used.get(member, 0) + grown
        return receipt

    def _draft(self, op: Op) -> Draft:
        match op:
            case PutRecord():
                rkey = op.rkey
                if rkey is None:
                    rkey = self._drafts.mint_rkey(op.collection)
                path = record_path(op.collection, rkey)
                return self._drafts.record(
                    path,
                    op.record,
                    action=op.action,
                    expect=op.expect,
                    validate=op.validate,
                    complement=op.complement,
                )
            case PutDocument():
                _require_free_zone(op.path)
                return self._drafts.document(op.path, op.media_type, op.body, op.expect, op.subject)
            case PutBinary():
                _require_free_zone(op.path)
                return Draft(
                    op.path,
                    "put",
                    op.expect,
                    cid=op.blob,
                    media_type=op.media_type,
                    blobs=(op.blob,),
                    is_binary=True,
                )
            case Annotate():
                return Draft(op.path, "annotate", op.expect, complement=op.complement)
            case Delete():
                return Draft(op.path, "discard" if op.missing_ok else "delete", op.expect)

    def _authorise(self, agent: Agent, owner: Member, op: Op, path: ResourcePath) -> None:
        if isinstance(op, PutDocument | PutBinary) and isinstance(op.expect, Absent):
            self._policy.require(agent, Mode.APPEND, owner, container_of(path))
        else:
            self._policy.require(agent, Mode.WRITE, owner, path)

    def _check_quota(self, member: MemberId, coming: int) -> None:
        used = self._used.get(member)
        if used is None:
            used = self._used[member] = self._store.bytes_used(member)
        if used + coming > self._quota_bytes:
            raise QuotaExceeded

    def _apply(
        self, tx: Tx, member: MemberId, drafts: Sequence[Draft], expect_commit: Cid | None
    ) -> tuple[Receipt, int]:
        owner = tx.member(member)
        if owner is None:
            raise NotFound("Could not find the repository.", name="RepoNotFound")
        head = tx.repo(member)
        if expect_commit is not None and (head is None or head.commit != expect_commit):
            raise StaleVersion("Commit was not the expected one.", name="InvalidSwap")
        now = self._clock.now()
        found = [tx.resource(member, draft.path) for draft in drafts]
        gone = frozenset(d.path for d in drafts if d.action in ("delete", "discard"))
        for draft, current in zip(drafts, found, strict=True):
            _check_expectation(draft, current)
            _check_place(tx, member, draft, current, gone)
        pairs = [
            (draft, current)
            for draft, current in zip(drafts, found, strict=True)
            if _changes(draft, current)
        ]
        stale = self._superseded(tx, member, pairs)
        record_ops = [_record_op(d, c) for d, c in pairs if _touches_repo(d, c)]
        record_ops += [RecordOp("delete", repo_key(r.path), None, r.cid, None) for r in stale]
        new_head, frame = head, None
        if record_ops:
            projected = self._projection.commit(
                owner, head, record_ops, index=lambda: tx.record_index(member)
            )
            new_head, frame = projected.head, projected.frame
            tx.put_repo(new_head)
        rev = new_head.rev if record_ops and new_head is not None else self._tids.next()
        grown = 0
        for draft, current in pairs:
            grown += self._store_one(tx, member, draft, current, rev, now)
        for old in stale:
            tx.delete_resource(member, old.path, at=now)
        if pairs:
            seq = tx.next_seq()
            log = [_change_op(d, c) for d, c in pairs]
            log += [ChangeOp("delete", r.path, None, r.cid) for r in stale]
            tx.append(
                Change(
                    seq=seq,
                    member=member,
                    at=now,
                    kind="commit" if record_ops else "document",
                    rev=rev,
                    ops=tuple(log),
                    frame=frame(seq, now) if frame is not None else None,
                )
            )
        results = tuple(_result(d, c) for d, c in zip(drafts, found, strict=True))
        return Receipt(new_head if record_ops else None, rev if pairs else None, results), grown

    def _superseded(
        self, tx: Tx, member: MemberId, pairs: Sequence[tuple[Draft, Resource | None]]
    ) -> list[Resource]:
        """Earlier relations to the same subject, which a new like or follow takes the place of."""
        touched = {draft.path for draft, _ in pairs}
        stale: dict[ResourcePath, Resource] = {}
        for draft, current in pairs:
            if draft.subject is None or current is not None or not draft.supersedes:
                continue
            collection, _ = record_key(draft.path)
            for path in tx.about(member, f"/repo/{collection}/", draft.subject):
                old = tx.resource(member, path)
                if old is not None and path not in touched:
                    stale[path] = old
        return list(stale.values())

    def _store_one(
        self,
        tx: Tx,
        member: MemberId,
        draft: Draft,
        current: Resource | None,
        rev: Tid,
        now: datetime,
    ) -> int:
        if draft.action in ("delete", "discard"):
            tx.delete_resource(member, draft.path, at=now)
            return -(current.size if current is not None else 0)
        if draft.action == "annotate":
            if current is not None:
                tx.put_complement(member, draft.path, _next(draft.complement, current))
            return 0
        self._check_blobs(tx, member, draft)
        buried = tx.tombstone(member, draft.path) if current is None else None
        blob = tx.blob(member, draft.cid) if draft.is_binary and draft.cid is not None else None
        size = blob.size if blob is not None else len(draft.body)
        complement = current.complement if current is not None else EMPTY
        if draft.complement is not None:
            complement = _next(draft.complement, current)
        assert draft.cid is not None
        tx.put_resource(
            Resource(
                member=member,
                path=draft.path,
                media_type=draft.media_type,
                cid=draft.cid,
                size=size,
                body=draft.body,
                rev=rev,
                created_at=current.created_at if current is not None else now,
                updated_at=now,
                generation=generation_of(current, buried),
                subject=draft.subject,
                complement=complement,
            )
        )
        if draft.blobs or current is not None:
            tx.set_blob_refs(member, draft.path, draft.blobs)
        return size - (current.size if current is not None else 0)

    def _check_blobs(self, tx: Tx, member: MemberId, draft: Draft) -> None:
        for cid in draft.blobs:
            held = tx.blob(member, cid)
            if held is None:
                raise Invalid(f"Could not find blob: {draft.blob_text(cid)}", name="BlobNotFound")
            draft.check_blob(held.cid, held.media_type, held.size)


def _require_free_zone(path: ResourcePath) -> None:
    zone = zone_of(path)
    if zone is Zone.REPO or zone is Zone.SPACES:
        raise Conflict("Only records live here; put this somewhere else.")


def _check_expectation(draft: Draft, current: Resource | None) -> None:
    expect = draft.expect
    if isinstance(expect, Version):
        if current is None or not expect.matches(current.version):
            raise StaleVersion("Record was not in the expected state.", name="InvalidSwap")
    elif isinstance(expect, Absent) and current is not None:
        raise StaleVersion("There is something here already.", name="InvalidSwap")
    if draft.action == "create" and current is not None:
        raise Conflict("There is already a record with this key.", name="RecordAlreadyExists")
    if draft.action in ("update", "delete", "annotate") and current is None:
        raise NotFound("Could not locate record.", name="RecordNotFound")


def _check_place(
    tx: Tx,
    member: MemberId,
    draft: Draft,
    current: Resource | None,
    gone: frozenset[ResourcePath],
) -> None:
    """Keep containers and documents apart: no twins that differ in a slash, no orphans.

    What is ``gone`` in the same batch does not keep a container from being deleted.
    """
    if zone_of(draft.path) is Zone.REPO:
        return
    if draft.cid is None:
        if draft.path.endswith("/") and _has_children(tx, member, draft.path, gone):
            raise Conflict("The container is not empty.")
        return
    if current is not None:
        return
    twin = draft.path.rstrip("/")
    if not draft.path.endswith("/") and _has_children(tx, member, draft.path + "/"):
        raise Conflict("There is a container with this name.")
    above = [twin] if draft.path.endswith("/") else [f"{twin}/"]
    while twin.count("/") > 1:
        twin = twin.rpartition("/")[0]
        above.append(twin)
    for path in above:
        if tx.resource(member, ResourcePath(path)) is not None:
            raise Conflict(f"{path} is in the way of this name.")


def _has_children(
    tx: Tx, member: MemberId, container: str, besides: frozenset[ResourcePath] = frozenset()
) -> bool:
    found = tx.resources(member, container, after=container, limit=len(besides) + 1)
    return any(resource.path not in besides for resource in found)


def _changes(draft: Draft, current: Resource | None) -> bool:
    if draft.action == "discard":
        return current is not None
    if current is None or draft.action == "delete":
        return True
    same_complement = draft.complement is None or _same(draft.complement, current.complement)
    if draft.action == "annotate":
        return not same_complement
    same_bytes = draft.cid == current.cid and draft.media_type == current.media_type
    return not (same_bytes and same_complement)


def _same(one: Complement, other: Complement) -> bool:
    return one.annotations == other.annotations and one.overrides == other.overrides


def _next(wanted: Complement | None, current: Resource | None) -> Complement:
    revision = current.complement.revision + 1 if current is not None else 1
    return replace(wanted or EMPTY, revision=revision)


def _touches_repo(draft: Draft, current: Resource | None) -> bool:
    if zone_of(draft.path) is not Zone.REPO or draft.action == "annotate":
        return False
    return current is None or draft.cid != current.cid


def _record_op(draft: Draft, current: Resource | None) -> RecordOp:
    prev = current.cid if current is not None else None
    if draft.cid is None:
        return RecordOp("delete", repo_key(draft.path), None, prev, None)
    action: Action = "update" if current is not None else "create"
    return RecordOp(action, repo_key(draft.path), draft.cid, prev, draft.body)


def _change_op(draft: Draft, current: Resource | None) -> ChangeOp:
    prev = current.cid if current is not None else None
    if draft.action in ("delete", "discard"):
        return ChangeOp("delete", draft.path, None, prev)
    if draft.action == "annotate":
        return ChangeOp("update", draft.path, prev, prev)
    return ChangeOp("update" if current is not None else "create", draft.path, draft.cid, prev)


def _result(draft: Draft, current: Resource | None) -> Result:
    if not _changes(draft, current):
        cid = current.cid if current is not None else None
        return Result(draft.path, "none", cid, draft.validation)
    op = _change_op(draft, current)
    return Result(draft.path, op.action, op.cid, draft.validation)
