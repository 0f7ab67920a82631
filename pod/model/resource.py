"""A resource: a path in a zone with native bytes, and what is known about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal, NewType

from pod.model.ids import Cid, MemberId, Nsid, Rkey, Tid

ResourcePath = NewType("ResourcePath", str)
"""Absolute, percent-decoded path within a member's origin; containers end in ``/``."""

RECORD_TYPE: Final = "application/vnd.ipld.dag-cbor"
"""Media type of a record's native bytes."""


class Zone(StrEnum):
    """Where a path lies, and with that who may ever see it (design page, section 2)."""

    REPO = "repo"
    SPACES = "spaces"
    DATA = "data"
    INBOX = "inbox"
    PROFILE = "profile"


def zone_of(path: str) -> Zone:
    """Tell the zone of a path; everything outside the named zones is profile ground."""
    head = path.split("/", 2)[1] if path.startswith("/") else ""
    try:
        return Zone(head)
    except ValueError:
        return Zone.PROFILE


def record_path(collection: Nsid, rkey: Rkey) -> ResourcePath:
    """Path of a public record."""
    return ResourcePath(f"/repo/{collection}/{rkey}")


def record_key(path: ResourcePath) -> tuple[Nsid, Rkey]:
    """Collection and record key of a path under ``/repo/``; the inverse of `record_path`."""
    _, _, collection, rkey = path.split("/")
    return Nsid(collection), Rkey(rkey)


RepoKey = NewType("RepoKey", str)
"""``{collection}/{rkey}`` of a public record; only `repo_key` makes one."""


def repo_key(path: ResourcePath) -> RepoKey:
    """The privacy gate: the key under which the repository and the networks know a public record.

    Everything that signs, streams or delivers takes this type, and no path outside ``/repo/`` can
    become one: raises ValueError, as asking is a fault of the code.
    """
    if zone_of(path) is not Zone.REPO or path.count("/") != 3:
        raise ValueError(f"{path} is not a public record")
    return RepoKey(path.removeprefix("/repo/"))


def container_of(path: str) -> ResourcePath:
    """The container that a path lies in; the root lies in itself."""
    return ResourcePath(path.rstrip("/").rpartition("/")[0] + "/")


@dataclass(frozen=True, slots=True)
class Annotation:
    """Facts that a view accepted and the record cannot hold; they survive edits from elsewhere.

    ``view`` names the lens that owns the data ("rdf", "as2"), ``data`` is that lens's own bytes.
    """

    view: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Override:
    """A richer rendering of something in the record, valid only while the record is ``cid``."""

    view: str
    data: bytes
    cid: Cid


@dataclass(frozen=True, slots=True)
class Complement:
    """What views hold beside a record. ``revision`` counts its changes and is part of the ETag."""

    annotations: tuple[Annotation, ...] = ()
    overrides: tuple[Override, ...] = ()
    revision: int = 0

    def annotation(self, view: str) -> bytes | None:
        """The annotation of a view, if it has one."""
        return next((a.data for a in self.annotations if a.view == view), None)

    def override(self, view: str, cid: Cid) -> bytes | None:
        """The override of a view, if it still fits the record."""
        return next((o.data for o in self.overrides if o.view == view and o.cid == cid), None)


EMPTY: Final = Complement()


def changed_views(before: Complement, after: Complement) -> tuple[str, ...]:
    """The views whose annotation or override is not in both, by name."""
    differing: set[Annotation | Override] = {*before.annotations, *before.overrides}
    differing ^= {*after.annotations, *after.overrides}
    return tuple(sorted({part.view for part in differing}))


@dataclass(frozen=True, slots=True)
class Resource:
    """One stored thing.

    ``body`` holds the native bytes of records and documents and is empty for binaries, whose bytes
    lie in the blob store under ``cid``. ``rev`` is the TID of the last write. ``generation`` counts
    how often the path was born: it gives a re-created record a new ActivityPub id. ``subject`` is
    the DID, at-uri or IRI that a relation points at or a post answers, so that one can ask who
    likes or follows what, and what was said to it.
    """

    member: MemberId
    path: ResourcePath
    media_type: str
    cid: Cid
    size: int
    body: bytes
    rev: Tid
    created_at: datetime
    updated_at: datetime
    generation: int = 1
    subject: str | None = None
    complement: Complement = field(default=EMPTY)

    @property
    def is_record(self) -> bool:
        """Whether the native form is a record."""
        return self.media_type == RECORD_TYPE

    @property
    def version(self) -> Version:
        """The state that a precondition compares with."""
        return Version(self.cid, self.complement.revision)


@dataclass(frozen=True, slots=True)
class Version:
    """The state of a resource: its CID, and (unless None) the revision of its complement."""

    cid: Cid
    complement: int | None = None

    def matches(self, current: Version) -> bool:
        """Whether a resource in state ``current`` satisfies this expectation."""
        return self.cid == current.cid and self.complement in (None, current.complement)


class Absent:
    """The expectation that nothing is there (``swapRecord: null``, ``If-None-Match: *``)."""


ABSENT: Final = Absent()

Expect = Version | Absent | None
"""One precondition for all dialects; None expects nothing."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is left of a deleted resource: enough for 410, Undo and Delete, and id permanence."""

    member: MemberId
    path: ResourcePath
    media_type: str
    cid: Cid
    body: bytes
    generation: int
    deleted_at: datetime


def generation_of(current: Resource | None, buried: Tombstone | None) -> int:
    """How often a path will have been born once it is written; a rebirth counts one more."""
    if current is not None:
        return current.generation
    return buried.generation + 1 if buried is not None else 1


Action = Literal["create", "update", "delete"]
