"""Fan-out of one post to distinct hosts: the pod, Fedify and a bare signed loop on the same sink.

    .venv/bin/python -m bench.run_fanout [--inboxes 500] [--rounds 5] [--dead 0.3] [--only pod,bare]

Each side is one process that lives through all rounds, warmed by one run that does not count. A
round gives every side, one after the other, the same inboxes, each on a loopback address of its own
and so a host that nobody met before: all connections are new. Counted is the time from the word to
go until the last inbox has the post. ``pod, asked meanwhile`` is the pod while somebody reads
records from it as fast as it answers; ``pod, dead hosts`` a second pod that has that share of
further hosts, the same in all rounds, which refuse or hang. Everything stops with the run.
Absolute figures change with the machine and the minute: only the ratios count.
"""

from __future__ import annotations

import argparse
import http.client
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from tests.kit.node import PEERS, node_binary
from tests.kit.process import Server, free_port, running

HERE = Path(__file__).parent / "fanout"
CONTENT = "x" * 1100
WITHIN_S = 120.0
WARM, FIRST, REFUSING, HANGING = 5, 20, 100, 9
"""Second numbers of the loopback addresses that inboxes are on."""

Run = dict[str, float]
Side = Callable[[int, list[str]], Run]
"""One run of a side: the number of the round, and the inboxes."""


def inboxes(port: int, net: int, count: int) -> list[str]:
    """So many inboxes, each on a loopback address of its own."""
    return [f"http://127.{net}.{n // 250}.{n % 250 + 1}:{port}/inbox" for n in range(count)]


def cpu_ms(pid: int) -> float:
    """CPU time of a process and its threads."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6


def asked(url: str, body: Any = None, token: str = "") -> Any:
    """JSON from a URL."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


@contextmanager
def child(command: list[str]) -> Iterator[Side]:
    """One of the others: a line of inboxes in, a line of results out."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def run(_: int, targets: list[str]) -> Run:
            assert process.stdin is not None
            assert process.stdout is not None
            before = cpu_ms(process.pid)
            print(
                json.dumps({"content": CONTENT, "inboxes": targets}), file=process.stdin, flush=True
            )
            result: Run = json.loads(process.stdout.readline())
            return {**result, "cpu": cpu_ms(process.pid) - before}

        try:
            yield run
        finally:
            process.kill()


def follow(server: Server, targets: list[str]) -> None:
    """Make the owner of each inbox a follower of the pod's only member, and nobody else."""
    with sqlite3.connect(server.data_dir / "pod.sqlite", timeout=10) as database:
        member = database.execute("SELECT id FROM member").fetchone()[0]
        database.execute("DELETE FROM follower")
        names = "member_id, actor, inbox, shared_inbox, follow_id, accepted, since"
        rows = [(member, f"{inbox}/actor", inbox, None, f"{inbox}/f", True, 0) for inbox in targets]
        database.executemany(f"INSERT INTO follower ({names}) VALUES (?,?,?,?,?,?,?)", rows)
    database.close()


class Pod:
    """The real server with one member, who posts through its API."""

    def __init__(self, server: Server, stats: str) -> None:
        self._server, self._stats = server, stats
        self.waits_ms: list[float] = []
        given = {"handle": "alice.test", "email": "a@a.test", "password": "correct horse"}
        self._me = asked(f"{server.address}/xrpc/com.atproto.server.createAccount", given)

    def post(self, targets: list[str], wait: int) -> tuple[Run, str]:
        """One post; ``wait`` counts the inboxes that answer. Also the post's at-uri."""
        server = self._server
        follow(server, targets)
        before = cpu_ms(server.process.pid)
        asked(f"{self._stats}?reset")
        record = {"text": CONTENT[:290], "createdAt": "2026-11-24T12:00:00.000Z"}
        body = {"repo": self._me["did"], "collection": "app.bsky.feed.post", "record": record}
        begin = time.monotonic()
        url = f"{server.address}/xrpc/com.atproto.repo.createRecord"
        made = asked(url, body, self._me["accessJwt"])
        answered = time.monotonic()
        while time.monotonic() - begin < WITHIN_S:
            seen: Run = asked(self._stats)
            if seen["count"] >= wait:
                break
            time.sleep(0.05)
        cpu = cpu_ms(server.process.pid) - before
        return {"queued": (answered - begin) * 1000, "cpu": cpu, **seen}, made["uri"]

    def asked_meanwhile(self, targets: list[str]) -> Run:
        """The same while a record is read again and again; notes how long each answer took."""
        done = threading.Event()
        place = f"/xrpc/com.atproto.repo.getRecord?repo={self._me['did']}"
        _, uri = self.post([], 0)
        path = f"{place}&collection=app.bsky.feed.post&rkey={uri.rsplit('/', 1)[1]}"

        def ask() -> None:
            connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=30)
            while not done.is_set():
                begin = time.monotonic()
                connection.request("GET", path)
                assert connection.getresponse().read()
                self.waits_ms.append((time.monotonic() - begin) * 1000)

        reader = threading.Thread(target=ask)
        reader.start()
        try:
            return self.post(targets, len(targets))[0]
        finally:
            done.set()
            reader.join()


def main() -> None:
    """Run all, print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inboxes", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dead", type=float, default=0.3)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    port, count = free_port(), options.inboxes
    stats = f"http://127.0.0.1:{port}/stats"
    peer = PEERS / "bench_fedify.mjs"
    runs: dict[str, list[Run]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        command = [sys.executable, str(HERE / "sink.py"), str(port)]
        pipe = subprocess.PIPE
        sink = stack.enter_context(subprocess.Popen(command, stdin=pipe, stdout=pipe))
        stack.callback(sink.kill)
        assert sink.stdout is not None
        sink.stdout.readline()
        shutil.copy(HERE / "fedify.mjs", peer)
        stack.callback(peer.unlink)
        first = Pod(stack.enter_context(running(folder / "data")), stats)
        second = Pod(stack.enter_context(running(folder / "dead")), stats)
        lost = int(count * options.dead / (1 - options.dead) / 2)

        dead = [*inboxes(port + 1, REFUSING, lost), *inboxes(port, HANGING, lost)]

        def beside_dead(_: int, targets: list[str]) -> Run:
            return second.post([*dead, *targets], len(targets))[0]

        node = [str(node_binary()), str(peer), stats]
        sides: dict[str, Side] = {
            "pod": lambda _, targets: first.post(targets, len(targets))[0],
            "pod, dead hosts": beside_dead,
            "pod, asked meanwhile": lambda _, targets: first.asked_meanwhile(targets),
            "bare loop": stack.enter_context(child([sys.executable, str(HERE / "bare.py"), stats])),
            "Fedify, RFC 9421 first": stack.enter_context(child([*node, "rfc9421"])),
            "Fedify, draft-cavage first": stack.enter_context(
                child([*node, "draft-cavage-http-signatures-12"])
            ),
        }
        wanted = options.only.split(",")
        sides = {name: side for name, side in sides.items() if any(w in name for w in wanted)}
        for side in sides.values():
            side(options.rounds, inboxes(port, WARM, 100))
        first.waits_ms.clear()
        for number in range(options.rounds):
            # Each side is first as often as any other: what others left behind hits all alike.
            names = list(sides)
            shift = number % len(names)
            for place, name in enumerate(names[shift:] + names[:shift]):
                net = FIRST + number * 2 + ("asked" in name)
                runs.setdefault(name, []).append(sides[name](number, inboxes(port, net, count)))
                print(number, place, name, round(rate(runs[name][-1])), "a second", flush=True)
        report(runs, first.waits_ms)


def rate(run: Run) -> float:
    """Deliveries a second, from the word to go until the last arrived."""
    return run["count"] / (run["last"] - run["begin"])


def report(runs: dict[str, list[Run]], waits_ms: list[float]) -> None:
    """The medians, and the lowest and highest of the rounds, as a table."""
    pod = median(map(rate, runs["pod"])) if "pod" in runs else 0.0
    print(
        "\n| | deliveries/s, median (all rounds) | pod is x times that | CPU of one, ms |", end=""
    )
    print(" first after, ms | API answers after, ms |\n|---|--:|--:|--:|--:|--:|")
    for name, done in sorted(runs.items(), key=lambda each: -median(map(rate, each[1]))):
        rates = [*map(rate, done)]
        first = median((run["first"] - run["begin"]) * 1000 for run in done)
        cpu = median(run["cpu"] / run["count"] for run in done)
        print(
            f"| {name} | {median(rates):,.0f} ({min(rates):,.0f}-{max(rates):,.0f})"
            f" | {pod / median(rates):.2f} | {cpu:.2f}"
            f" | {first:.0f} | {median(run['queued'] for run in done):.0f} |"
        )
    if waits_ms:
        waits = sorted(waits_ms)
        at = {share: waits[int(len(waits) * share)] for share in (0.5, 0.99)}
        print(
            f"\ngetRecord during fan-outs: {len(waits)} answers, p50 {at[0.5]:.1f} ms, "
            f"p99 {at[0.99]:.1f} ms, longest {waits[-1]:.1f} ms"
        )


if __name__ == "__main__":
    main()
