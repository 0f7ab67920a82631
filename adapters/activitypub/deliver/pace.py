"""New members of one parent domain are made known to each host slowly.

Mastodon creates accounts of at most ten new subdomains of a registrable domain a minute, and
silently drops what the others sent.

Spec: https://github.com/mastodon/mastodon/blob/main/app/services/activitypub/process_account_service.rb
"""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime, timedelta
from typing import Final, TypeVar

from pslr import privatesuffix

from adapters.activitypub.ports import PeerHosts
from pod.model.ids import MemberId
from pod.model.member import Member

A_MINUTE: Final = 8
"""New members of one parent that a host meets in a minute: below the ten that it may refuse."""

K = TypeVar("K")
V = TypeVar("V")

_MINUTE: Final = timedelta(minutes=1)
_KEPT: Final = 20_000


class Introductions:
    """Who was made known to whom, and when next somebody may be."""

    def __init__(self, book: PeerHosts) -> None:
        self._book = book
        self._met: OrderedDict[tuple[str, MemberId], None] = OrderedDict()
        self._recent: OrderedDict[tuple[str, str], deque[tuple[datetime, MemberId]]] = OrderedDict()

    def wait(self, host: str, member: Member, now: datetime) -> datetime | None:
        """When a member may be introduced to a host, None for now (which then counts)."""
        if (host, member.id) in self._met:
            return None
        if self._book.has_met(host, member.id):
            self._remember(host, member.id)
            return None
        recent = self._recent.setdefault((host, parent_domain(member.host)), deque())
        _bound(self._recent)
        while recent and recent[0][0] <= now - _MINUTE:
            recent.popleft()
        if any(met == member.id for _, met in recent):
            return None
        if len(recent) >= A_MINUTE:
            return recent[0][0] + _MINUTE
        recent.append((now, member.id))
        return None

    async def met(self, host: str, member: MemberId, *, within_s: float = 0.0) -> None:
        """The host took something of the member; kept at the latest in ``within_s``."""
        if (host, member) not in self._met:
            self._remember(host, member)
            await self._book.meet(host, member, within_s=within_s)

    def _remember(self, host: str, member: MemberId) -> None:
        self._met[host, member] = None
        _bound(self._met)


def parent_domain(host: str) -> str:
    """The registrable domain by the Public Suffix List, or the host where it has none.

    Like Mastodon, it takes no heed of the list's private part: all of ``github.io`` are one.
    """
    name = host.partition(":")[0]
    return privatesuffix(name, icann_only=True) or name


def _bound(kept: OrderedDict[K, V]) -> None:
    if len(kept) > _KEPT:
        kept.popitem(last=False)
