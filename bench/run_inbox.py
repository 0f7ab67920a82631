"""How many signed activities a second an inbox takes: the pod's beside that of Fedify.

    .venv/bin/python -m bench.run_inbox [--actors 100] [--each 20] [--rounds 3]

Likes of as many actors, signed in advance (draft-cavage, RSA), over 32 connections. Each actor is
met in a run that does not count, so all keys are known. The pod answers once a like is durable and
counted; Fedify once it has put it into a queue in memory. Rounds are interleaved.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import uvloop

from adapters.activitypub.signature import cavage
from adapters.activitypub.signature.request import Request
from bench.run_fanout import asked, cpu_ms
from pod.keys.rsa import RsaKey
from tests.kit.node import peer
from tests.kit.process import running

AS2 = "application/activity+json"
KEY = RsaKey.generate()
AT_ONCE = 32


def actor(base: str, name: str) -> bytes:
    """An actor with the one key of all."""
    url = f"{base}/users/{name}"
    key = {"id": f"{url}#key", "owner": url, "publicKeyPem": KEY.public_pem}
    document = {
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
        "id": url,
        "type": "Person",
        "preferredUsername": name,
        "inbox": f"{url}/inbox",
        "publicKey": key,
    }
    return json.dumps(document).encode()


@contextmanager
def actors() -> Iterator[str]:
    """A server of actors; its address."""
    loop = asyncio.new_event_loop()
    server_socket = socket.create_server(("127.0.0.1", 0))
    base = f"http://127.0.0.1:{server_socket.getsockname()[1]}"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        body = actor(base, head.split(b" ")[1].decode().rsplit("/", 1)[1])
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {AS2}\r\nContent-Length: {len(body)}".encode()
        writer.write(head + b"\r\nConnection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    loop.run_until_complete(asyncio.start_server(serve, sock=server_socket))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield base
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def like(base: str, name: str, number: str, target: str, inbox: str) -> bytes:
    """A signed request, as it goes over the wire."""
    who = f"{base}/users/{name}"
    context = "https://www.w3.org/ns/activitystreams"
    activity = {"@context": context, "id": f"{who}/likes/{number}", "type": "Like"}
    body = json.dumps({**activity, "actor": who, "object": target}).encode()
    request = Request("POST", inbox, [("Content-Type", AS2)], body)
    headers = cavage.sign(request, key_id=f"{who}#key", sign=KEY.sign, now=datetime.now(UTC))
    lines = [f"POST {urlsplit(inbox).path} HTTP/1.1", f"Content-Type: {AS2}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


async def pour(port: int, requests: list[bytes]) -> list[float]:
    """Send all requests; how long each took, in seconds. Anything but 2xx ends the benchmark."""
    waiting, took = iter(requests), []

    async def worker() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in waiting:
            begin = time.perf_counter()
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if b"content-length: " in head:
                size = head.split(b"content-length: ")[1].split(b"\r\n")[0]
                await reader.readexactly(int(size))
            elif b"chunked" in head:
                await reader.readuntil(b"0\r\n\r\n")
            took.append(time.perf_counter() - begin)
            if not head.startswith(b"http/1.1 2"):
                raise SystemExit(head.decode())
        writer.close()

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return took


def main() -> None:
    """Run all, print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actors", type=int, default=100)
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder) / "data") as server,
        peer("fedify.mjs", "ann") as fedify,
        actors() as base,
    ):
        given = {"handle": "alice.test", "email": "a@a.test", "password": "correct horse"}
        me = asked(f"{server.address}/xrpc/com.atproto.server.createAccount", given)
        home = server.origin("alice")

        def post() -> str:
            record = {"text": "hello", "createdAt": "2026-11-24T12:00:00.000Z"}
            body = {"repo": me["did"], "collection": "app.bsky.feed.post", "record": record}
            url = f"{server.address}/xrpc/com.atproto.repo.createRecord"
            return home + "/repo/" + asked(url, body, me["accessJwt"])["uri"].split("/", 3)[3]

        theirs = fedify.ready["base"].rstrip("/")
        places = {
            "pod": (server.port, server.process.pid, f"{home}/inbox", post),
            "Fedify": (
                urlsplit(theirs).port or 80,
                fedify._process.pid,
                f"{theirs}/inbox",
                lambda: f"{theirs}/notes/none",
            ),
        }
        found: dict[str, list[tuple[float, float, list[float]]]] = {}
        for number in range(options.rounds + 1):
            for side, (port, pid, inbox, target) in places.items():
                targets = [target() for _ in range(options.each if number else 1)]
                requests = [
                    like(base, f"u{who}", f"{number}-{place}", to, inbox)
                    for place, to in enumerate(targets)
                    for who in range(options.actors)
                ]
                before, begin = cpu_ms(pid), time.perf_counter()
                took = uvloop.run(pour(port, requests))
                rate = len(requests) / (time.perf_counter() - begin)
                if number:
                    cpu = (cpu_ms(pid) - before) / len(requests)
                    found.setdefault(side, []).append((rate, cpu, took))
                    print(number, side, round(rate), "a second", flush=True)
    print("\n| | activities/s, median (all rounds) | CPU of one, ms | p50, ms | p99, ms |")
    print("|---|--:|--:|--:|--:|")
    for side, rounds in found.items():
        rates = [rate for rate, _, _ in rounds]
        waits = sorted(each * 1000 for _, _, took in rounds for each in took)
        cpu = median(cpu for _, cpu, _ in rounds)
        print(
            f"| {side} | {median(rates):,.0f} ({min(rates):,.0f}-{max(rates):,.0f}) | {cpu:.2f}"
            f" | {waits[len(waits) // 2]:.1f} | {waits[int(len(waits) * 0.99)]:.1f} |"
        )


if __name__ == "__main__":
    main()
