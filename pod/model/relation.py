"""A relation: what a member did towards a person or a post of somebody else."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pod.model.ids import Did
from pod.model.note import StrongRef


class RelationKind(StrEnum):
    """The four relations of the Bluesky lexicons."""

    FOLLOW = "follow"
    LIKE = "like"
    REPOST = "repost"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Relation:
    """A follow or block of a person (a DID), or a like or repost of a post (a strong reference)."""

    kind: RelationKind
    subject: Did | StrongRef
    created_at: str
    via: StrongRef | None = None

    @property
    def subject_uri(self) -> str:
        """The DID or at-uri that the relation points at."""
        return self.subject.uri if isinstance(self.subject, StrongRef) else self.subject
