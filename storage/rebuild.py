"""Makes anew what is only derived: references to blobs, subjects, counts, the cache of actors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from sqlalchemy import delete, func, select, update

from pod.model.ids import Cid, MemberId
from pod.model.resource import Resource
from storage.statements import compiled, given
from storage.store import SqlTx
from storage.tables import blob, blob_ref, remote_actor, resource, usage

_PAGE: Final = 500

_FORGET_ACTORS: Final = compiled(delete(remote_actor))
_DROP_REFS: Final = compiled(delete(blob_ref).where(blob_ref.c.member_id == given("member")))
_SIZES: Final = [
    compiled(
        select(func.coalesce(func.sum(table.c.size), 0)).where(table.c.member_id == given("member"))
    )
    for table in (resource, blob)
]
_SET_USAGE: Final = compiled(
    update(usage).values(bytes=given("bytes")).where(usage.c.member_id == given("member"))
)

Derive = Callable[[Resource], tuple[Iterable[Cid], str | None]]
"""The blobs that a resource refers to, and its subject."""


def rebuild_member(tx: SqlTx, member: MemberId, derive: Derive) -> None:
    """Derive all rows of a member from the native bytes of their resources."""
    execute = tx.transaction.execute
    execute(_DROP_REFS, (member,))
    after: str | None = None
    while page := tx.resources(member, "/", after=after, limit=_PAGE):
        for found in page:
            blobs, subject = derive(found)
            if subject != found.subject:
                tx.put_resource(replace(found, subject=subject))
            tx.set_blob_refs(member, found.path, blobs)
        after = page[-1].path
    used = sum(execute(size, (member,)).fetchone()[0] for size in _SIZES)
    execute(_SET_USAGE, (used, member))


def forget_actors(tx: SqlTx) -> None:
    """Empty the cache of actors of other servers."""
    tx.transaction.execute(_FORGET_ACTORS)
