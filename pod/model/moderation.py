"""What keeps strangers at bay: rules for servers, reports, and lists that are brought along."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from pod.model.ids import Iri, MemberId


class Severity(StrEnum):
    """What a rule does to a server: nothing by itself, hide it from strangers, shut it out, let in.

    ALLOW counts only where the pod federates with nobody but those that are allowed.
    """

    NOOP = "noop"
    SILENCE = "silence"
    SUSPEND = "suspend"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class DomainRule:
    """The administrator's rule for a domain and all below it.

    ``obfuscate`` asks that the name be not shown in full where rules are published.
    """

    domain: str
    severity: Severity
    at: datetime
    reject_media: bool = False
    reject_reports: bool = False
    obfuscate: bool = False
    public_comment: str = ""
    private_comment: str = ""


@dataclass(frozen=True, slots=True)
class Severed:
    """What a rule ended: how many members lost somebody, followers or followed, and how many."""

    members: int = 0
    followers: int = 0
    followed: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """A complaint about people and posts; ``id`` is the activity's. Open until it is resolved.

    ``reporter`` is the actor that sent it; of other servers usually the server itself.
    """

    id: Iri
    reporter: Iri
    subjects: tuple[str, ...]
    comment: str
    at: datetime
    resolved_at: datetime | None = None


ListKind = Literal["following", "blocks", "mutes", "domains", "bookmarks", "lists"]
"""The lists that a member takes from server to server."""

OTHERS: Final = ""
"""The target of a last line that means: whatever is there and is not in the list shall go."""

RowState = Literal["waiting", "done", "failed"]


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One line of a list that a member brought along, and what became of it.

    ``target`` is an address, an id or a domain, or `OTHERS`; ``options`` the further columns, as
    they were written. ``told`` is why a line failed, and for one that is done the id it led to.
    """

    member: MemberId
    kind: ListKind
    place: int
    target: str
    options: tuple[str, ...] = ()
    state: RowState = "waiting"
    told: str = ""


@dataclass(frozen=True, slots=True)
class ImportState:
    """How far a list has come, and the first of the lines that failed."""

    kind: ListKind
    total: int
    waiting: int
    failed: tuple[ImportRow, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether no line waits."""
        return not self.waiting
