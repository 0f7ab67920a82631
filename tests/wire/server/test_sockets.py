"""Both servers: messages of every size arrive whole, and both sides can end it."""

from __future__ import annotations

import asyncio
import random
import socket
from contextlib import asynccontextmanager, suppress

import hypercorn.asyncio
import pytest
from aiohttp import ClientSession
from hypercorn.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from adapters.atproto.face import RUNS
from server import on_hypercorn
from server.bodies import reading_first
from server.corked import taking_runs

uvicorn = pytest.importorskip("uvicorn")

SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 3_000_000]
KEPT_ALIVE_S = 0.5
MESSAGES = [bytes((size % 251,)) * size for size in SIZES]


@asynccontextmanager
async def on_uvicorn(app, listener):
    config = uvicorn.Config(
        app,
        log_level="error",
        lifespan="off",
        timeout_keep_alive=KEPT_ALIVE_S,
        http="server.on_uvicorn:CorkedHttp",
        ws="server.on_uvicorn:FastSocket",
    )
    server = uvicorn.Server(config)
    running = asyncio.ensure_future(server.serve([listener]))
    yield
    server.should_exit = True
    await running


@asynccontextmanager
async def on_hypercorn_(app, listener):
    on_hypercorn.install()
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = KEPT_ALIVE_S
    config.graceful_timeout = 3
    config.loglevel = "ERROR"
    stop = asyncio.Event()
    running = asyncio.ensure_future(
        hypercorn.asyncio.serve(app, config, shutdown_trigger=stop.wait, mode="asgi")
    )
    yield
    stop.set()
    await running


@pytest.fixture(params=[on_uvicorn, on_hypercorn_])
def serving(request):
    """Serves an app on a free port of the loopback, and runs ``talk(port)`` meanwhile."""

    def serve(app, talk):
        async def run():
            listener = socket.create_server(("127.0.0.1", 0))
            port = listener.getsockname()[1]
            async with request.param(app, listener):
                await asyncio.wait_for(talk(port), 20)

        asyncio.run(run())

    return serve


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
def test_messages_of_every_size_arrive_whole(serving, compression):
    async def talk(port):
        async with connect(
            f"ws://127.0.0.1:{port}/", compression=compression, max_size=10_000_000
        ) as client:
            for message in MESSAGES:
                assert await client.recv() == message
            assert await client.recv() == "and words"
            await client.send(b"echo")
            assert await client.recv() == b"echo"
            await (await client.ping())

    serving(greet, talk)


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_a_run_of_messages_arrives_one_by_one(serving, compression):
    async def run(scope, receive, send):
        assert RUNS in scope["extensions"]
        await receive()
        await send({"type": "websocket.accept"})
        for length in range(1, len(MESSAGES) + 1):
            await send({"type": RUNS, "messages": MESSAGES[:length]})
        assert (await receive())["type"] == "websocket.disconnect"

    async def talk(port):
        url = f"ws://127.0.0.1:{port}/"
        async with connect(url, compression=compression, max_size=None) as client:
            for length in range(1, len(MESSAGES) + 1):
                for message in MESSAGES[:length]:
                    assert await client.recv() == message

    serving(taking_runs(run), talk)


def test_two_consumers_of_the_same_messages_get_them_both(serving):
    async def talk(port):
        async with (
            connect(f"ws://127.0.0.1:{port}/", max_size=None) as one,
            connect(f"ws://127.0.0.1:{port}/", max_size=None) as other,
        ):
            for message in MESSAGES:
                assert await one.recv() == await other.recv() == message

    serving(greet, talk)


def test_the_server_closes_with_its_code_after_what_it_sent(serving):
    async def leave(_scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "bytes": b"last"})
        await send({"type": "websocket.close", "code": 1008})

    async def talk(port):
        async with connect(f"ws://127.0.0.1:{port}/") as client:
            assert await client.recv() == b"last"
            with pytest.raises(ConnectionClosed) as closed:
                await client.recv()
            assert closed.value.rcvd.code == 1008

    serving(leave, talk)


def test_sending_to_a_client_that_left_does_no_harm(serving):
    told = []

    async def persist(_scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        assert (await receive())["type"] == "websocket.disconnect"
        with suppress(OSError):  # uvicorn says it, Hypercorn keeps silent
            await send({"type": "websocket.send", "bytes": b"too late"})
        told.append(True)

    async def talk(port):
        async with connect(f"ws://127.0.0.1:{port}/"):
            pass
        async with asyncio.timeout(30):
            while not told:
                await asyncio.sleep(0.01)

    serving(persist, talk)
    assert told == [True]


async def echo(scope, receive, send):
    """Answer with what was asked, in pieces."""
    body = b""
    while (message := await receive()).get("more_body"):
        body += message["body"]
    body += message.get("body", b"")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for place in range(0, len(body), 1_000):
        piece = body[place : place + 1_000]
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": scope["query_string"]})


@given(st.lists(st.integers(0, 5_000) | st.integers(60_000, 200_000), max_size=8))
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_answers_of_one_connection_arrive_whole_and_in_order(serving, sizes):
    async def talk(port):
        async with ClientSession() as client:
            for place, size in enumerate(sizes):
                body = random.Random(size).randbytes(size)
                url = f"http://127.0.0.1:{port}/?{place}"
                async with client.post(url, data=body) as answer:
                    assert await answer.read() == body + str(place).encode()

    serving(echo, talk)


def test_a_slow_reader_holds_the_writer_back(serving):
    taken = []

    async def pour(_scope, receive, send):
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(400):
            await send({"type": "http.response.body", "body": b"x" * 50_000, "more_body": True})
            taken.append(True)
        await send({"type": "http.response.body", "body": b""})

    async def talk(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_000)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await reader.read(100)
        await asyncio.sleep(0.3)
        assert len(taken) < 400
        received = 0
        while piece := await reader.read(1 << 20):
            received += len(piece)
        assert received > 20_000_000
        assert len(taken) == 400
        writer.close()

    serving(pour, talk)


def test_a_connection_that_waits_is_closed_and_one_in_use_is_not(serving):
    async def slow(_scope, receive, send):
        await receive()
        await asyncio.sleep(3 * KEPT_ALIVE_S)
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})

    async def talk(port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200")
        assert await reader.read() == b""
        writer.close()

    serving(slow, talk)


def test_an_idle_connection_does_not_hold_up_the_end_of_the_server(serving):
    async def talk(port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        left.append(writer)

    left = []
    serving(echo, talk)
    assert left


async def refusing(scope, receive, send):
    """Answers before it has read anything of the body, as a refusal does."""
    if scope["type"] != "http":
        return
    await send(
        {"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"2")]}
    )
    await send({"type": "http.response.body", "body": b"no"})


@pytest.mark.parametrize("late_s", [0, 0.05])
def test_a_refusal_before_the_body_came_keeps_the_connection(serving, late_s) -> None:
    async def talk(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n")
            await asyncio.sleep(late_s)
            writer.write(b"body")
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            assert head.startswith(b"HTTP/1.1 401")
            assert b"connection: close" not in head.lower()
            assert await reader.readexactly(2) == b"no"
        writer.close()

    serving(reading_first(refusing), talk)


def test_a_refusal_of_a_body_that_never_comes_says_that_it_is_the_last(serving) -> None:
    async def talk(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\nbody")
        answer = await asyncio.wait_for(reader.read(), 10)
        assert answer.startswith(b"HTTP/1.1 401")
        assert b"connection: close" in answer.lower()
        writer.close()

    serving(reading_first(refusing), talk)
