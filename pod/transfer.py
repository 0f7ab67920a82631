"""Moving whole repositories in: an import makes a member's public records what a CAR file says.

Spec: com.atproto.repo.importRepo. Blobs are not needed yet: they are asked for afterwards
(com.atproto.repo.listMissingBlobs).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pod.access.acl import Mode
from pod.access.agent import Agent
from pod.access.policy import Policy
from pod.errors import Invalid, NotFound, QuotaExceeded
from pod.model.change import Change, ChangeOp, RepoHead
from pod.model.ids import Cid, MemberId, Nsid, Tid, parse_nsid, parse_rkey
from pod.model.resource import EMPTY, RECORD_TYPE, Resource, ResourcePath
from pod.oauth.scope import Account
from pod.ports import Clock, RepoProjection, Store, Tx
from pod.records.cbor import decode, decode_trusted
from pod.records.data import blobs_in
from pod.records.lens import index
from pod.records.tid import TidClock

_AT_ONCE: Final = 50
"""Records that are held in memory and told of in one row of the log."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A repository that is to come in, kept outside memory; its hashes and tree were verified.

    ``data`` is the root of its tree and ``rev`` its revision; ``index`` gives keys
    (``collection/rkey``) and CIDs in key order, as often as it is called; ``block_of`` a record.
    """

    data: Cid
    rev: Tid | None
    index: Callable[[], Iterator[tuple[str, Cid]]]
    block_of: Callable[[Cid], bytes | None]

    def record(self, key: str, cid: Cid) -> bytes:
        """The bytes of a record; Invalid if they did not come along."""
        block = self.block_of(cid)
        if block is None:
            raise Invalid(f"Could not parse record at '{key}'")
        return block


class Transfer:
    """The import service. Its memory does not grow with the repository."""

    def __init__(
        self,
        store: Store,
        policy: Policy,
        projection: RepoProjection,
        tids: TidClock,
        clock: Clock,
        *,
        quota_bytes: int,
    ) -> None:
        self._store = store
        self._policy = policy
        self._projection = projection
        self._tids = tids
        self._clock = clock
        self._quota_bytes = quota_bytes

    async def import_repo(self, agent: Agent, member: MemberId, arrival: Arrival) -> RepoHead:
        """Replace the public records by those of ``arrival``, in one transaction.

        Blocks keep their bytes; where all of them are here already nothing happens. An active
        account tells relays by one #sync event, a resting one tells nobody. Raises Invalid for
        blocks that are no records, Forbidden, NotFound, QuotaExceeded.
        """
        owner = self._store.member(member)
        if owner is None:
            raise NotFound("Could not find the repository.", name="RepoNotFound")
        self._policy.require(agent, Mode.WRITE, owner, ResourcePath("/repo/"))
        agent.needs(Account("repo", frozenset({"manage"})))
        await asyncio.to_thread(_check, arrival)
        return await self._store.write_long(lambda tx: self._replace(tx, member, arrival))

    def _replace(self, tx: Tx, member: MemberId, arrival: Arrival) -> RepoHead:
        owner, present = tx.member(member), tx.repo(member)
        if owner is None:
            raise NotFound("Could not find the repository.", name="RepoNotFound")
        if present is not None and present.data == arrival.data:
            return present
        now = self._clock.now()
        before = None if present is None else present.rev
        rev = self._tids.next(after=max(filter(None, (before, arrival.rev)), default=None))
        part = _Part(tx, member, now, rev)
        for key, old, new in _compared(tx.record_index(member), arrival.index()):
            if old == new:
                continue
            if part.is_full:
                part.write()
                tx.append_part(part.change())
                part = _Part(tx, member, now, self._tids.next(after=part.rev))
            if new is None:
                part.delete(key, old)
            else:
                part.put(key, new, arrival.record(key, new), old)
        # A part shares its revision with the records in it; the head comes after all of them.
        head = self._projection.adopt(owner, arrival.data, after=part.rev)
        part.rev = head.rev
        part.write()
        if tx.bytes_used(member) > self._quota_bytes:
            raise QuotaExceeded
        tx.put_repo(head)
        seq = tx.next_seq()
        frame = self._projection.sync_frame(owner, head, seq, now) if owner.is_active else None
        tx.append(part.change(frame))
        return head


class _Part:
    """Some of the records of an import, written together."""

    def __init__(self, tx: Tx, member: MemberId, now: datetime, rev: Tid) -> None:
        self.rev = rev
        self._tx = tx
        self._member = member
        self._now = now
        self._log: list[ChangeOp] = []
        self._new: list[tuple[ResourcePath, Cid, bytes, Resource | None]] = []

    @property
    def is_full(self) -> bool:
        """Whether it is time to write."""
        return len(self._log) >= _AT_ONCE

    def delete(self, key: str, old: Cid | None) -> None:
        """Delete a record."""
        path = ResourcePath(f"/repo/{key}")
        self._tx.delete_resource(self._member, path, at=self._now)
        self._log.append(ChangeOp("delete", path, None, old))

    def put(self, key: str, cid: Cid, block: bytes, old: Cid | None) -> None:
        """Create or replace a record."""
        path = ResourcePath(f"/repo/{key}")
        current = self._tx.resource(self._member, path) if old is not None else None
        self._new.append((path, cid, block, current))
        self._log.append(ChangeOp("create" if old is None else "update", path, cid, old))

    def write(self) -> None:
        """Write what was put."""
        if not self._new:
            return
        tx, member = self._tx, self._member
        buried = tx.buried(member, self._new[0][0], self._new[-1][0])
        put: list[Resource] = []
        referring: list[tuple[ResourcePath, tuple[Cid, ...]]] = []
        replaced_bytes = 0
        for path, cid, block, current in self._new:
            blobs, subject = _derived(path, block)
            replaced_bytes += 0 if current is None else current.size
            put.append(
                Resource(
                    member=member,
                    path=path,
                    media_type=RECORD_TYPE,
                    cid=cid,
                    size=len(block),
                    body=block,
                    rev=self.rev,
                    created_at=self._now if current is None else current.created_at,
                    updated_at=self._now,
                    generation=buried.get(path, 0) + 1 if current is None else current.generation,
                    subject=subject,
                    complement=EMPTY if current is None else current.complement,
                )
            )
            if blobs or current is not None:
                referring.append((path, blobs))
        tx.put_resources(put, replaced_bytes=replaced_bytes)
        for path, blobs in referring:
            tx.set_blob_refs(member, path, blobs)

    def change(self, frame: bytes | None = None) -> Change:
        """The row of the log that tells of it."""
        return Change(
            seq=self._tx.next_seq(),
            member=self._member,
            at=self._now,
            kind="sync",
            rev=self.rev,
            ops=tuple(self._log),
            frame=frame,
        )


def _check(arrival: Arrival) -> None:
    """Refuse blocks that are no objects, and bad keys, before anything else has to wait."""
    former = ""
    for key, cid in arrival.index():
        collection, _, rkey = key.partition("/")
        if collection != former:
            former = parse_nsid(collection)
        parse_rkey(rkey)
        if not isinstance(decode(arrival.record(key, cid)), dict):
            raise Invalid(f"{key} is not a record.")


def _derived(path: ResourcePath, block: bytes) -> tuple[tuple[Cid, ...], str | None]:
    """The blobs that a record refers to, and its subject."""
    data = decode_trusted(block)
    if not isinstance(data, dict):
        raise Invalid(f"{path} is not a record.")
    blobs: tuple[Cid, ...] = ()
    if b"mimeType" in block:  # no blob is without
        blobs = tuple(dict.fromkeys(ref.cid for ref in blobs_in(data)))
    return blobs, index.subject_of(Nsid(path.split("/")[2]), data)


def _compared(
    before: Iterator[tuple[str, Cid]], after: Iterator[tuple[str, Cid]]
) -> Iterator[tuple[str, Cid | None, Cid | None]]:
    """Every key of either index, in order, with its CID in both."""
    old, new = next(before, None), next(after, None)
    while old is not None or new is not None:
        if new is None or (old is not None and old[0].encode() < new[0].encode()):
            assert old is not None  # the loop ends when both are over
            yield old[0], old[1], None
            old = next(before, None)
        elif old is None or new[0].encode() < old[0].encode():
            yield new[0], None, new[1]
            new = next(after, None)
        else:
            yield new[0], old[1], new[1]
            old, new = next(before, None), next(after, None)
