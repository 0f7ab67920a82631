"""The effect of one draft on what is at its path: what changes, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pod.draft import Draft
from pod.errors import Conflict, NotFound, StaleVersion
from pod.model.change import ChangeOp, RecordOp
from pod.model.ids import Cid
from pod.model.resource import (
    EMPTY,
    Absent,
    Action,
    Complement,
    Resource,
    ResourcePath,
    Version,
    Zone,
    changed_views,
    repo_key,
    zone_of,
)


@dataclass(frozen=True, slots=True)
class Effect:
    """A draft and what it meets (None: nothing)."""

    draft: Draft
    current: Resource | None

    @property
    def path(self) -> ResourcePath:
        """The path in question."""
        return self.draft.path

    @property
    def prev(self) -> Cid | None:
        """The state before."""
        return self.current.cid if self.current is not None else None

    def check_expectation(self) -> None:
        """Hold the draft to its precondition.

        Raises StaleVersion (``InvalidSwap``), Conflict (``RecordAlreadyExists``) or NotFound
        (``RecordNotFound``).
        """
        expect, current, action = self.draft.expect, self.current, self.draft.action
        if isinstance(expect, Version):
            if current is None or not expect.matches(current.version):
                raise StaleVersion("Record was not in the expected state.", name="InvalidSwap")
        elif isinstance(expect, Absent) and current is not None:
            raise StaleVersion("There is something here already.", name="InvalidSwap")
        if action == "create" and current is not None:
            raise Conflict("There is already a record with this key.", name="RecordAlreadyExists")
        if action in ("update", "delete", "annotate") and current is None:
            raise NotFound("Could not locate record.", name="RecordNotFound")

    @property
    def is_change(self) -> bool:
        """Whether anything will be different afterwards."""
        draft, current = self.draft, self.current
        if draft.action == "discard":
            return current is not None
        if current is None or draft.action == "delete":
            return True
        wanted, held = draft.complement, current.complement
        is_same_complement = wanted is None or (
            wanted.annotations == held.annotations and wanted.overrides == held.overrides
        )
        if draft.action == "annotate":
            return not is_same_complement
        is_same = draft.cid == current.cid and draft.media_type == current.media_type
        return not (is_same and is_same_complement)

    @property
    def touches_repo(self) -> bool:
        """Whether the public repository changes, given that anything does."""
        if zone_of(self.path) is not Zone.REPO or self.draft.action == "annotate":
            return False
        return self.current is None or self.draft.cid != self.current.cid

    @property
    def record_op(self) -> RecordOp:
        """The change as the repository projection takes it."""
        cid = self.draft.cid
        if cid is None:
            return RecordOp("delete", repo_key(self.path), None, self.prev, None)
        action: Action = "update" if self.current is not None else "create"
        return RecordOp(action, repo_key(self.path), cid, self.prev, self.draft.body)

    @property
    def change_op(self) -> ChangeOp:
        """The change as the log tells it."""
        prev = self.prev
        if self.draft.action in ("delete", "discard"):
            return ChangeOp("delete", self.path, None, prev)
        before = self.current.complement if self.current is not None else EMPTY
        views = changed_views(before, self.complement)
        if self.draft.action == "annotate":
            return ChangeOp("update", self.path, prev, prev, views)
        action: Action = "update" if self.current is not None else "create"
        return ChangeOp(action, self.path, self.draft.cid, prev, views)

    @property
    def complement(self) -> Complement:
        """The complement afterwards; a new one counts one revision more."""
        wanted = self.draft.complement
        held = self.current.complement if self.current is not None else EMPTY
        return held if wanted is None else replace(wanted, revision=held.revision + 1)
