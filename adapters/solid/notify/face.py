"""Notifications as the rest of the house sees them; everything of RDF is loaded when it is needed.

Spec: https://solidproject.org/TR/notifications-protocol
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapters.solid.notify.feed import Feeds
from adapters.solid.notify.subscribe import Subscriptions
from adapters.solid.notify.webhook import Egress, TokenKey, Webhooks
from adapters.solid.notify.websocket import PATH, Receive, Send, serve_socket
from pod.access.agent import Agent
from pod.access.policy import Policy
from pod.channel import Channels
from pod.model.ids import Origin
from pod.ports import Clock, Reader, Store


class Notifications:
    """All channels of the pod. Keep `run` running, do `tidy` now and then, `close` at the end."""

    def __init__(
        self,
        *,
        store: Store,
        reader: Reader,
        policy: Policy,
        channels: Channels,
        egress: Egress,
        key: TokenKey,
        clock: Clock,
        issuer: Origin,
        is_let_in: Callable[[Agent], bool],
        dev: bool,
    ) -> None:
        """``reader`` is the store as others may see it; ``key`` and ``issuer`` vouch for us.

        ``is_let_in`` tells whether the app of an agent still has its access.
        """
        self.feeds = Feeds(reader, policy, channels, clock, is_let_in)
        self.subscriptions = Subscriptions(reader, policy, self.feeds, clock, dev=dev)
        self.webhooks = Webhooks(self.feeds, reader, egress, key, clock, issuer)
        store.subscribe(self.feeds.on_changes)

    async def run(self) -> None:
        """Send to webhooks, until cancelled."""
        await self.webhooks.run()

    async def tidy(self) -> None:
        """Note how far everybody is, and forget the channels whose end has come."""
        await self.feeds.tidy()

    def close(self) -> None:
        """End all connections that are listened on: the server stops."""
        self.feeds.close()

    @staticmethod
    def serves_socket(path: str) -> bool:
        """Whether a WebSocket to a path is for `socket`."""
        return path.startswith(PATH)

    async def socket(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one WebSocket."""
        await serve_socket(self.feeds, scope, receive, send)
