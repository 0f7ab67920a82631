"""Where things may be: documents and containers keep apart, outside the record zones.

Spec: https://solidproject.org/TR/protocol#uri-slash-semantics
"""

from __future__ import annotations

from pod.draft import Draft
from pod.errors import Conflict
from pod.model.ids import MemberId
from pod.model.resource import Resource, ResourcePath, Zone, zone_of
from pod.ports import Tx


def require_free_zone(path: ResourcePath) -> None:
    """Refuse documents and binaries where only records live (Conflict)."""
    zone = zone_of(path)
    if zone is Zone.REPO or zone is Zone.SPACES:
        raise Conflict("Only records live here; put this somewhere else.")


def check_place(
    tx: Tx,
    member: MemberId,
    draft: Draft,
    current: Resource | None,
    gone: frozenset[ResourcePath],
) -> None:
    """Keep containers and documents apart: no twins that differ in a slash, no orphans.

    What is ``gone`` in the same batch does not keep a container from being deleted.
    """
    if zone_of(draft.path) is Zone.REPO:
        return
    if draft.cid is None:
        if draft.path.endswith("/") and _has_children(tx, member, draft.path, gone):
            raise Conflict("The container is not empty.")
        return
    if current is not None:
        return
    twin = draft.path.rstrip("/")
    if not draft.path.endswith("/") and _has_children(tx, member, draft.path + "/"):
        raise Conflict("There is a container with this name.")
    above = [twin] if draft.path.endswith("/") else [f"{twin}/"]
    while twin.count("/") > 1:
        twin = twin.rpartition("/")[0]
        above.append(twin)
    for path in above:
        if tx.resource(member, ResourcePath(path)) is not None:
            raise Conflict(f"{path} is in the way of this name.")


def _has_children(
    tx: Tx, member: MemberId, container: str, besides: frozenset[ResourcePath] = frozenset()
) -> bool:
    found = tx.resources(member, container, after=container, limit=len(besides) + 1)
    return any(resource.path not in besides for resource in found)
