"""A profile: how a member presents themselves."""

from __future__ import annotations

from dataclasses import dataclass

from pod.model.blob import BlobRef
from pod.model.note import StrongRef


@dataclass(frozen=True, slots=True)
class Profile:
    """Name, words and pictures of a member; every field is optional."""

    name: str | None = None
    description: str | None = None
    website: str | None = None
    pronouns: str | None = None
    avatar: BlobRef | None = None
    banner: BlobRef | None = None
    pinned: StrongRef | None = None
    labels: tuple[str, ...] = ()
    created_at: str | None = None

    @property
    def is_bot(self) -> bool:
        """Whether the member says that a program writes here."""
        return "bot" in self.labels
