"""Errands: work that the queue carries among the deliveries, and that is tried again like them.

What a step needs of others, or what is long, so outlives a crash without a queue of its own. The
target of an errand has a scheme that no inbox has; a host that is asked for nothing is left out.

Spec: https://www.w3.org/TR/activitypub/#delivery
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from pod.model.member import Member
from pod.model.peer import Delivery

Errand = Callable[[Delivery, Member | None], Awaitable[None]]
"""Does it, or the rest of it; raises PeerUnavailable to be tried again."""

Errands = Mapping[str, Errand]
"""Errands by the schemes of their targets."""


def errand_of(delivery: Delivery) -> str | None:
    """The scheme that says which errand this is; None for a delivery to an inbox or an actor."""
    scheme = delivery.target.partition(":")[0]
    return None if scheme in ("http", "https") else scheme
