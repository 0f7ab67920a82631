"""The one write path: every change of a member's data, in whatever dialect, goes through here.

authorise -> check and encode -> one transaction { precondition, native bytes and index row,
projected commit and frame, change-log row } -> receipt. What follows from a write (firehose,
deliveries, notifications) is done by readers of the change log, never here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from pod.access.acl import Mode
from pod.access.agent import Agent
from pod.access.policy import Policy
from pod.draft import Draft, Drafts
from pod.effect import Effect
from pod.errors import Invalid, NotFound, QuotaExceeded, StaleVersion
from pod.model.change import Change, ChangeOp, RecordOp, RepoHead
from pod.model.ids import Cid, MemberId, Nsid, Rkey, Tid
from pod.model.member import Member
from pod.model.resource import (
    Absent,
    Action,
    Complement,
    Expect,
    Resource,
    ResourcePath,
    Zone,
    container_of,
    generation_of,
    record_key,
    record_path,
    repo_key,
    zone_of,
)
from pod.oauth.scope import Repo
from pod.place import check_place, require_free_zone
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
    subject: str | None = None


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
        hides: Callable[[MemberId, Cid], bool] = lambda _, __: False,
    ) -> None:
        """``hides`` tells which blobs were taken down: no new record shows them."""
        self._hides = hides
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
            self._check_shown(member, draft)
        self._check_quota(member, sum(draft.size for draft in drafts))
        await self._projection.prepare(owner, self._store)
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
                require_free_zone(op.path)
                return self._drafts.document(op.path, op.media_type, op.body, op.expect, op.subject)
            case PutBinary():
                require_free_zone(op.path)
                return Draft(
                    op.path,
                    "put",
                    op.expect,
                    cid=op.blob,
                    media_type=op.media_type,
                    blobs=(op.blob,),
                    subject=op.subject,
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
        if agent.scopes is not None and zone_of(path) is Zone.REPO:
            collection = path.split("/")[2]
            for action in _actions(op):
                agent.needs(Repo(frozenset({collection}), frozenset({action})))

    def _check_shown(self, member: MemberId, draft: Draft) -> None:
        for cid in draft.blobs:
            if self._hides(member, cid):
                raise Invalid(f"Could not find blob: {draft.blob_text(cid)}", name="BlobNotFound")

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
        effects = [Effect(draft, tx.resource(member, draft.path)) for draft in drafts]
        gone = frozenset(e.path for e in effects if e.draft.cid is None)
        for effect in effects:
            effect.check_expectation()
            check_place(tx, member, effect.draft, effect.current, gone)
        changes = [effect for effect in effects if effect.is_change]
        stale = _superseded(tx, member, changes)
        record_ops = [effect.record_op for effect in changes if effect.touches_repo]
        record_ops += [RecordOp("delete", repo_key(r.path), None, r.cid, None) for r in stale]
        new_head, frame = head, None
        if record_ops:
            projected = self._projection.commit(
                owner, head, record_ops, index=lambda: tx.record_index(member)
            )
            new_head, frame = projected.head, projected.frame
            tx.put_repo(new_head)
        rev = new_head.rev if record_ops and new_head is not None else self._tids.next()
        grown = sum(_store(tx, member, effect, rev, now) for effect in changes)
        for old in stale:
            tx.delete_resource(member, old.path, at=now)
        _date_containers(tx, member, changes, now)
        if changes:
            seq = tx.next_seq()
            log = [effect.change_op for effect in changes]
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
        results = tuple(map(_result, effects))
        return Receipt(new_head if record_ops else None, rev if changes else None, results), grown


def _actions(op: Op) -> tuple[str, ...]:
    """What an app's token must permit on a record for an op, as `pod.oauth.scope` names it."""
    if isinstance(op, Delete):
        return ("delete",)
    if isinstance(op, PutRecord):
        return ("create", "update") if op.action == "put" else (op.action,)
    return ("update",)


def _superseded(tx: Tx, member: MemberId, changes: Sequence[Effect]) -> list[Resource]:
    """Earlier relations to the same subject, which a new like or follow takes the place of."""
    touched = {effect.path for effect in changes}
    stale: dict[ResourcePath, Resource] = {}
    for effect in changes:
        draft = effect.draft
        if draft.subject is None or effect.current is not None or not draft.supersedes:
            continue
        collection, _ = record_key(draft.path)
        for path in tx.about(member, f"/repo/{collection}/", draft.subject):
            old = tx.resource(member, path)
            if old is not None and path not in touched:
                stale[path] = old
    return list(stale.values())


def _store(tx: Tx, member: MemberId, effect: Effect, rev: Tid, now: datetime) -> int:
    """Write what a draft asks for; returns by how many bytes the member's data grew."""
    draft, current = effect.draft, effect.current
    before = current.size if current is not None else 0
    if draft.action == "annotate":
        tx.put_complement(member, draft.path, effect.complement)
        return 0
    if draft.cid is None:
        tx.delete_resource(member, draft.path, at=now)
        return -before
    _check_blobs(tx, member, draft)
    buried = tx.tombstone(member, draft.path) if current is None else None
    blob = tx.blob(member, draft.cid) if draft.is_binary else None
    size = blob.size if blob is not None else len(draft.body)
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
            complement=effect.complement,
        )
    )
    if draft.blobs or current is not None:
        tx.set_blob_refs(member, draft.path, draft.blobs)
    return size - before


def _date_containers(tx: Tx, member: MemberId, changes: Sequence[Effect], now: datetime) -> None:
    """A container is as new as the last change of what it contains."""
    paths = {
        container_of(effect.path)
        for effect in changes
        if zone_of(effect.path) is Zone.DATA
        and (effect.current is None) is not (effect.draft.cid is None)
    }
    for path in paths - {effect.path for effect in changes}:
        container = tx.resource(member, path)
        if container is not None:
            tx.put_resource(replace(container, updated_at=now))


def _check_blobs(tx: Tx, member: MemberId, draft: Draft) -> None:
    for cid in draft.blobs:
        held = tx.blob(member, cid)
        if held is None:
            raise Invalid(f"Could not find blob: {draft.blob_text(cid)}", name="BlobNotFound")
        draft.check_blob(held.cid, held.media_type, held.size)


def _result(effect: Effect) -> Result:
    validation = effect.draft.validation
    if not effect.is_change:
        return Result(effect.path, "none", effect.prev, validation)
    op = effect.change_op
    return Result(effect.path, op.action, op.cid, validation)
