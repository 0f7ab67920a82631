"""The firehose endpoint as an ASGI server drives it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from adapters.atproto.firehose.consumers import Consumers
from adapters.atproto.firehose.outbox import Outbox
from adapters.atproto.xrpc.subscribe_repos import SubscribeRepos
from pod.model.change import Change
from pod.model.ids import MemberId
from pod.ports import Tx
from storage.in_memory import MemoryStore
from tests.kit.members import START, SteppingClock


class Connection:
    """The server's side of one WebSocket."""

    def __init__(
        self, cursor: int | None, *, lost: bool = False, subprotocols: Sequence[str] = ()
    ) -> None:
        self.store = MemoryStore()
        self.outbox = Outbox(self.store, gathering_s=0)
        self.store.subscribe(self.outbox.on_changes)
        self.consumers = Consumers(SteppingClock())
        self.inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: list[dict[str, Any]] = []
        self.params = {} if cursor is None else {"cursor": cursor}
        self._lost = lost
        self._scope: dict[str, Any] = {"headers": [], "subprotocols": list(subprotocols)}

    async def send(self, message: dict[str, Any]) -> None:
        if self._lost and message["type"] == "websocket.send":
            raise ConnectionResetError
        self.sent.append(message)

    def open(self) -> asyncio.Task[None]:
        endpoint = SubscribeRepos(self.outbox, self.consumers)
        return asyncio.ensure_future(endpoint(self._scope, self.inbox.get, self.send, self.params))

    async def write(self) -> None:
        def work(tx: Tx) -> None:
            seq = tx.next_seq()
            frame = f"frame {seq}".encode()
            tx.append(Change(seq, MemberId(1), START, "commit", None, (), frame))

        await self.store.write(work)

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)


def test_events_arrive_as_binary_messages_until_the_consumer_goes() -> None:
    async def story() -> None:
        connection = Connection(0)
        await connection.write()
        serving = connection.open()
        await connection.settle()
        await connection.write()
        await connection.inbox.put({"type": "websocket.receive", "text": "hello?"})
        await connection.settle()
        assert connection.sent == [
            {"type": "websocket.accept"},
            {"type": "websocket.send", "bytes": b"frame 1"},
            {"type": "websocket.send", "bytes": b"frame 2"},
        ]
        await connection.inbox.put({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(serving, 5)
        assert connection.outbox.consumers == 0
        (seen,) = connection.consumers.report()
        assert (seen["cursor"], seen["frames"]) == (0, 2)
        assert seen["until"] > seen["lastAt"] > seen["since"]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ([], None),
        (["soap"], None),
        (["xrpc.v0.cbor", "xrpc.v1.json"], "xrpc.v0.cbor"),
        (["soap", "xrpc.v1.json", "xrpc.v0.cbor"], "xrpc.v1.json"),
    ],
)
def test_the_first_encoding_that_is_spoken_here_is_chosen(
    offered: list[str], chosen: str | None
) -> None:
    async def story() -> None:
        connection = Connection(2, subprotocols=offered)
        await asyncio.wait_for(connection.open(), 5)
        accept, error, close = connection.sent
        assert accept.get("subprotocol") == chosen
        assert close == {"type": "websocket.close", "code": 1008}
        if chosen == "xrpc.v1.json":
            told = json.loads(error["text"])
            assert told == {"$type": "error", "error": "FutureCursor", "message": told["message"]}
        else:
            assert b"FutureCursor" in error["bytes"]

    asyncio.run(story())


@pytest.mark.parametrize("cursor", [1, 2**53])
def test_a_refused_consumer_is_told_why_and_closed_for_policy(cursor: int) -> None:
    async def story() -> None:
        connection = Connection(cursor)
        await asyncio.wait_for(connection.open(), 5)
        accept, error, close = connection.sent
        assert accept["type"] == "websocket.accept"
        assert b"FutureCursor" in error["bytes"]
        assert close == {"type": "websocket.close", "code": 1008}

    asyncio.run(story())


def test_a_server_that_stops_goes_away() -> None:
    async def story() -> None:
        connection = Connection(None)
        serving = connection.open()
        await connection.settle()
        connection.outbox.close()
        await asyncio.wait_for(serving, 5)
        assert connection.sent[-1] == {"type": "websocket.close", "code": 1001}
        await asyncio.wait_for(connection.open(), 5)
        assert connection.sent[-2:] == [
            {"type": "websocket.accept"},
            {"type": "websocket.close", "code": 1001},
        ]

    asyncio.run(story())


def test_a_connection_that_breaks_is_no_error() -> None:
    async def story() -> None:
        connection = Connection(0, lost=True)
        await connection.write()
        await asyncio.wait_for(connection.open(), 5)
        assert connection.outbox.consumers == 0

    asyncio.run(story())


def test_a_request_that_is_cancelled_leaves_nothing_behind() -> None:
    async def story() -> None:
        connection = Connection(None)
        serving = connection.open()
        await connection.settle()
        assert connection.outbox.consumers == 1
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        assert connection.outbox.consumers == 0
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(story())
