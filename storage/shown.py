"""The store as readers see it: without the records that were taken down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pod.model.ids import Cid, MemberId
from pod.model.member import Member
from pod.model.resource import Resource, ResourcePath
from pod.moderate import Moderation
from storage.resources import PUBLIC
from storage.store import SqlReader, SqlStore

T = TypeVar("T")


class ShownReader(SqlReader):
    """`pod.ports.Reader` without what was taken down; pages are as full as they can be."""

    def __init__(self, store: SqlStore, moderation: Moderation) -> None:
        super().__init__(store.database.read, store._seal)
        self._store = store
        self._moderation = moderation

    def resource(self, member: MemberId, path: ResourcePath) -> Resource | None:
        """The resource at a path, unless it was taken down."""
        if self._moderation.hides(member, path):
            return None
        return super().resource(member, path)

    def resources(
        self, member: MemberId, prefix: str, *, after: str | None, limit: int, reverse: bool = False
    ) -> list[Resource]:
        """Resources whose path starts with ``prefix``, in path order."""

        def page(start: str | None) -> list[Resource]:
            found: list[Resource] = super(ShownReader, self).resources(
                member, prefix, after=start, limit=limit, reverse=reverse
            )
            return found

        return self._filled(member, page, lambda resource: resource.path, after, limit)

    def records(
        self, member: MemberId, prefix: str, *, after: str | None, limit: int, reverse: bool = False
    ) -> list[tuple[str, Cid, bytes]]:
        """Public records whose ``collection/rkey`` starts with ``prefix``, in key order."""

        def page(start: str | None) -> list[tuple[str, Cid, bytes]]:
            return super(ShownReader, self).records(
                member, prefix, after=start, limit=limit, reverse=reverse
            )

        return self._filled(member, page, lambda item: item[0], after, limit, PUBLIC)

    def about(self, member: MemberId, prefix: str, subject: str) -> list[ResourcePath]:
        """Paths under ``prefix`` of resources whose ``subject`` is the given one."""
        found = super().about(member, prefix, subject)
        return [path for path in found if not self._moderation.hides(member, path)]

    def all_about(
        self, prefix: str, subject: str, *, limit: int
    ) -> list[tuple[MemberId, ResourcePath]]:
        """Whose resources under ``prefix`` have the given ``subject``, but for hidden ones."""
        found = super().all_about(prefix, subject, limit=limit)
        return [(m, path) for m, path in found if not self._moderation.hides(m, path)]

    def _member_by(self, column: str, value: Any) -> Member | None:
        return self._store._member_by(column, value)

    def _filled(
        self,
        member: MemberId,
        page: Callable[[str | None], list[T]],
        name: Callable[[T], str],
        after: str | None,
        limit: int,
        above: str = "",
    ) -> list[T]:
        """A page without hidden items, refilled from the following pages."""
        found = page(after)
        if not self._moderation.hides_any(member):
            return found
        shown: list[T] = []
        while found:
            shown += [i for i in found if not self._moderation.hides(member, above + name(i))]
            if len(shown) >= limit or len(found) < limit:
                break
            found = page(name(found[-1]))
        return shown[:limit]
