"""What members say of themselves beside the profile record: who may follow, fields, aliases."""

from __future__ import annotations

from dataclasses import dataclass

from pod.model.ids import Iri


@dataclass(frozen=True, slots=True)
class Presence:
    """What a member chose. ``fields`` are name and words; ``aliases`` other accounts of theirs."""

    is_locked: bool = False
    is_discoverable: bool = True
    is_indexable: bool = True
    fields: tuple[tuple[str, str], ...] = ()
    aliases: tuple[Iri, ...] = ()
    moved_to: Iri | None = None
    featured_tags: tuple[str, ...] = ()
