"""WebSockets on uvicorn: messages of every size arrive whole, and both sides can end it."""

from __future__ import annotations

import asyncio
import socket

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

uvicorn = pytest.importorskip("uvicorn")

SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 3_000_000]
MESSAGES = [bytes((size % 251,)) * size for size in SIZES]


def serving(app, talk):
    """Serve ``app`` on a free port of the loopback and run ``talk(url)``."""

    async def run():
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(
            app, log_level="error", lifespan="off", ws="server.fast_socket:FastSocket"
        )
        server = uvicorn.Server(config)
        running = asyncio.ensure_future(server.serve([listener]))
        try:
            await asyncio.wait_for(talk(f"ws://127.0.0.1:{listener.getsockname()[1]}/"), 20)
        finally:
            server.should_exit = True
            await running

    asyncio.run(run())


async def greet(_scope, receive, send):
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    for message in MESSAGES:
        await send({"type": "websocket.send", "bytes": message})
    await send({"type": "websocket.send", "text": "and words"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        await send({"type": "websocket.send", "bytes": message["bytes"]})


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_messages_of_every_size_arrive_whole(compression):
    async def talk(url):
        async with connect(url, compression=compression, max_size=10_000_000) as client:
            for message in MESSAGES:
                assert await client.recv() == message
            assert await client.recv() == "and words"
            await client.send(b"echo")
            assert await client.recv() == b"echo"
            await (await client.ping())

    serving(greet, talk)


def test_two_consumers_of_the_same_messages_get_them_both():
    async def talk(url):
        async with connect(url, max_size=None) as one, connect(url, max_size=None) as other:
            for message in MESSAGES:
                assert await one.recv() == await other.recv() == message

    serving(greet, talk)


def test_the_server_closes_with_its_code_after_what_it_sent():
    async def leave(_scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "bytes": b"last"})
        await send({"type": "websocket.close", "code": 1008})

    async def talk(url):
        async with connect(url) as client:
            assert await client.recv() == b"last"
            with pytest.raises(ConnectionClosed) as closed:
                await client.recv()
            assert closed.value.rcvd.code == 1008

    serving(leave, talk)


def test_sending_to_a_client_that_left_is_an_error():
    told = []

    async def persist(_scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        assert (await receive())["type"] == "websocket.disconnect"
        try:
            await send({"type": "websocket.send", "bytes": b"too late"})
        except OSError:
            told.append(True)

    async def talk(url):
        async with connect(url):
            pass
        await asyncio.sleep(0.1)

    serving(persist, talk)
    assert told == [True]
