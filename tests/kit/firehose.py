"""A relay at work: reads the pod's firehose by a real websocket client and checks every frame."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.kit.guest import Guest
from tests.kit.process import Server
from tests.kit.strict_relay import StrictRelay

Event = dict[str, Any]


class Firehose:
    """All frames since cursor 0, each taken by a strict relay in a thread of its own."""

    def __init__(self, connection: ClientConnection, relay: StrictRelay) -> None:
        self.relay = relay
        self.frames: list[bytes] = []
        self.events: list[Event] = []
        self._connection = connection
        self._refusal: Exception | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for frame in self._connection:
                assert isinstance(frame, bytes)
                self.events.append(self.relay.take(frame))
                self.frames.append(frame)
        except ConnectionClosed:
            return
        except Exception as err:  # whatever it is, the test is to see it
            self._refusal = err

    def until(self, matches: Callable[[Event], bool], within_s: float = 30) -> Event:
        """The first event that matches; fails with what the relay refused, or when time is up."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            if self._refusal is not None:
                raise self._refusal
            for event in list(self.events):
                if matches(event):
                    return event
            time.sleep(0.02)
        raise AssertionError(f"no such event among {len(self.events)}")

    def of_path(self, path: str) -> list[Event]:
        """The ops on a record (``collection/rkey``) in order, each with the rev of its commit."""
        return [
            {**op, "rev": event["rev"], "repo": event["repo"]}
            for event in list(self.events)
            for op in event.get("ops", ())
            if op["path"] == path
        ]

    def op(self, action: str, path: str) -> Event:
        """The first op of a kind on a record; waits for it."""

        def matches(event: Event) -> bool:
            return any(o["action"] == action and o["path"] == path for o in event.get("ops", ()))

        self.until(matches)
        return next(op for op in self.of_path(path) if op["action"] == action)

    def close(self) -> None:
        """End the connection; raises what the relay refused."""
        self._connection.close()
        self._thread.join(5)
        if self._refusal is not None:
            raise self._refusal


@contextmanager
def firehose(pod: Server, guest: Guest) -> Iterator[Firehose]:
    """Read the firehose of a pod from its beginning until the end of the block."""
    url = f"ws://127.0.0.1:{pod.port}/xrpc/com.atproto.sync.subscribeRepos?cursor=0"
    with connect(url, max_size=5_000_000) as connection:
        stream = Firehose(connection, StrictRelay(guest.signing_key))
        try:
            yield stream
        finally:
            stream.close()
