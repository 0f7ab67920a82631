"""``commonpod check``: whether all that a data folder holds fits together. Reads, never writes.

Every repository is replayed from the change log: what comes out must be the stored resources, the
signed head and, where events are still kept, what these told the world.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final

from adapters.atproto import face as atproto
from pod.errors import Invalid
from pod.keys.curves import SigningKey
from pod.keys.keyring import REPO
from pod.model.change import Change
from pod.model.ids import Cid, MemberId, Tid
from pod.model.member import Member, Standing
from pod.model.resource import Resource, ResourcePath, Zone, zone_of
from pod.records.cbor import decode
from pod.records.cid import cid_text, raw_cid, record_cid
from server.rebuild import derived
from storage.audit import AuditReader, blob_is_whole, open_for_audit

_PAGE: Final = 500


def check(data_dir: Path) -> Iterator[str]:
    """What is wrong, one line each. A server may run beside; raises Invalid if there is no pod."""
    try:
        yield from _check(data_dir)
    except sqlite3.DatabaseError as err:
        yield f"database: {err}"


def _check(data_dir: Path) -> Iterator[str]:
    with open_for_audit(data_dir / "pod.sqlite", data_dir / "seal.key") as reader:
        yield from reader.faults()
        oldest = reader.oldest_frame()
        first_kept = oldest[0] if oldest is not None else reader.head_seq() + 1
        last = MemberId(0)
        while page := reader.members(after=last, limit=_PAGE):
            for member in page:
                found = _MemberCheck(reader, member, data_dir / "blobs").run(first_kept)
                yield from (f"{member.handle}: {text}" for text in found)
            last = page[-1].id


class _MemberCheck:
    """One member: the log first, then everything stored against what the log tells."""

    def __init__(self, reader: AuditReader, member: Member, blobs: Path) -> None:
        self._reader = reader
        self._member = member
        self._blobs = blobs
        self._living: dict[ResourcePath, Cid] = {}
        self._births: Counter[ResourcePath] = Counter()
        self._deaths: dict[ResourcePath, tuple[int, Cid | None]] = {}
        self._imports: set[Tid | None] = set()

    def run(self, first_kept: int) -> Iterator[str]:
        """All that is wrong; events from seq ``first_kept`` on must be there."""
        yield from self._log(first_kept)
        bytes_used = yield from self._resources()
        yield from (f"{path} is not stored" for path in self._living)
        yield from self._tombstones()
        bytes_used += yield from self._held_blobs()
        if bytes_used != self._reader.bytes_used(self._member.id):
            yield f"usage is counted wrongly: {bytes_used} bytes are used"

    def _log(self, first_kept: int) -> Iterator[str]:
        member, reader = self._member, self._reader
        audit, after = atproto.RepoAudit(member.did), 0
        while page := reader.changes(after=after, limit=_PAGE, member=member.id):
            for change in page:
                found = audit.take(change, frame_is_due=change.seq >= first_kept)
                yield from (f"seq {change.seq}: {text}" for text in found)
                yield from (f"seq {change.seq}: {text}" for text in self._replay(change))
            after = page[-1].seq
        secret = reader.secret(member.id, REPO)
        if member.standing is Standing.DELETED:
            return
        if secret is None:
            yield "the repository has no key"
        else:
            key = SigningKey.from_bytes(secret).did_key
            yield from audit.head(reader.repo(member.id), key)

    def _replay(self, change: Change) -> Iterator[str]:
        if change.kind == "sync":
            self._imports.add(change.rev)
        for op in change.ops:
            if self._living.get(op.path) != op.prev:
                yield f"{op.path} was not in the state that it changes"
            if op.cid is None:
                self._living.pop(op.path, None)
                self._deaths[op.path] = self._births[op.path], op.prev
            else:
                self._births[op.path] += op.prev is None
                self._living[op.path] = op.cid

    def _resources(self) -> Generator[str, None, int]:
        """Each resource against the log, taking it out there; returns the bytes they take."""
        size, after, refs = 0, None, self._reader.blob_refs(self._member.id)
        while page := self._reader.resources(self._member.id, "/", after=after, limit=_PAGE):
            for resource in page:
                size += resource.size
                logged = self._living.pop(resource.path, None)
                if logged != resource.cid:
                    yield f"{resource.path} is not what the log tells"
                if resource.generation != self._births[resource.path]:
                    yield f"{resource.path} is of generation {resource.generation}"
                found = self._native(resource, refs.pop(resource.path, set()))
                yield from (f"{resource.path}: {text}" for text in found)
            after = page[-1].path
        yield from (f"{path} refers to blobs, but is not there" for path in refs)
        return size

    def _native(self, resource: Resource, refs: set[Cid]) -> Iterator[str]:
        """The native bytes of a resource and its blobs."""
        if resource.is_record:
            try:
                decode(resource.body)
            except Invalid as err:
                yield f"not a record: {err.safe_text}"
                return
        elif zone_of(resource.path) is Zone.REPO:
            yield "not a record, in the public repository"
            return
        blobs, subject = derived(resource)
        named = set(blobs)
        cid_of = record_cid if resource.is_record else raw_cid
        if (resource.is_record or not named) and cid_of(resource.body) != resource.cid:
            yield "the bytes do not hash to the CID"
        if subject != resource.subject:
            yield "its subject is wrong"
        if resource.body and len(resource.body) != resource.size:
            yield "the size is wrong"
        if named != refs:
            yield "the index of its blobs is wrong"
        if resource.rev not in self._imports:  # an import brings its blobs later
            for blob in sorted(named):
                if self._reader.blob(self._member.id, blob) is None:
                    yield f"blob {cid_text(blob)} is not held"

    def _tombstones(self) -> Iterator[str]:
        for buried in self._reader.tombstones(self._member.id):
            if self._deaths.pop(buried.path, None) != (buried.generation, buried.cid):
                yield f"{buried.path}: the tombstone is not what the log tells"
        yield from (f"{path} has no tombstone" for path in self._deaths)

    def _held_blobs(self) -> Generator[str, None, int]:
        """Every blob's file; returns the bytes they take."""
        size = 0
        for row in self._reader.blobs(self._member.id):
            size += row.size
            if not blob_is_whole(self._blobs, row.cid, row.size):
                yield f"blob {cid_text(row.cid)}: the file is missing or not what it should be"
        return size
