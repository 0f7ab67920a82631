"""What the console needs of others: what people elsewhere did to a member's posts.

Spec: https://www.w3.org/TR/activitypub/#client-to-server-interactions (likes, shares, replies)
"""

from __future__ import annotations

from typing import Protocol

from pod.model.ids import MemberId
from pod.model.peer import Edge, EdgeKind
from pod.model.resource import ResourcePath


class Edges(Protocol):
    """Public likes, announces and replies by kind."""

    def count(self, member: MemberId, path: ResourcePath, kind: EdgeKind) -> int: ...
    def page(
        self, member: MemberId, path: ResourcePath, kind: EdgeKind, *, limit: int
    ) -> list[Edge]:
        """The newest ones."""
        ...
