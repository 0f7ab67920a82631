"""What the console needs of others: what people elsewhere did to a member's posts.

Spec: https://www.w3.org/TR/activitypub/#client-to-server-interactions (likes, shares, replies)
"""

from __future__ import annotations

from typing import Protocol

from pod.model.ids import MemberId
from pod.model.moderation import DomainRule, Report, Severed, Severity
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


class Federation(Protocol):
    """The administrator's rules for other servers, and reports; all methods raise PodErrors."""

    def rules(self) -> list[DomainRule]: ...
    async def set_rule(
        self,
        domain: str,
        severity: Severity,
        *,
        reject_media: bool = False,
        reject_reports: bool = False,
        obfuscate: bool = False,
        public_comment: str = "",
        private_comment: str = "",
    ) -> Severed: ...
    async def rotate_keys(self, handle: str) -> None: ...
    async def drop_rule(self, domain: str) -> None: ...
    async def import_rules(self, text: str, *, allowed: bool) -> int: ...
    def export_rules(self, *, allowed: bool) -> str: ...
    def reports(self, *, only_open: bool = True, limit: int = 200) -> list[Report]: ...
    async def resolve(self, report: str) -> None: ...
