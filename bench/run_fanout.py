"""Fan-out of one post to distinct hosts: the pod, Fedify and a bare signed loop on the same sink.

    .venv/bin/python -m bench.run_fanout [--inboxes 500] [--rounds 3] [--dead 0.3]

Everything listens on loopback and stops with the run; each inbox is on an address of its own, and
so a host of its own. The rounds of the three are interleaved. ``--dead`` repeats the pod's run with
that share of further hosts that refuse or hang, and tells how much later the healthy are served.
Absolute figures change with the machine and the minute: only the ratios count.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from statistics import median
from typing import Any

from tests.kit.node import PEERS, node_binary
from tests.kit.process import Server, free_port, running

HERE = Path(__file__).parent / "fanout"
CONTENT = "x" * 1100
WITHIN_S = 120.0
Run = dict[str, float]


def inboxes(port: int, net: int, count: int) -> list[str]:
    """So many inboxes, each on a loopback address of its own."""
    return [f"http://127.{net}.{n // 250}.{n % 250 + 1}:{port}/inbox" for n in range(count)]


def child(command: list[str], given: dict[str, Any]) -> Run:
    """Run one of the others; what it prints last is its result."""
    done = subprocess.run(
        command, input=json.dumps(given), capture_output=True, text=True, timeout=WITHIN_S * 2
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    result: Run = json.loads(done.stdout.splitlines()[-1])
    return result


def asked(url: str, body: Any = None, token: str = "") -> Any:
    """JSON from a URL."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def follow(server: Server, targets: list[str]) -> None:
    """Make the owner of each inbox a follower of the pod's only member, and nobody else."""
    with sqlite3.connect(server.data_dir / "pod.sqlite", timeout=10) as database:
        member = database.execute("SELECT id FROM member").fetchone()[0]
        database.execute("DELETE FROM follower")
        names = "member_id, actor, inbox, shared_inbox, follow_id, accepted, since"
        rows = [(member, f"{inbox}/actor", inbox, None, f"{inbox}/f", True, 0) for inbox in targets]
        database.executemany(f"INSERT INTO follower ({names}) VALUES (?,?,?,?,?,?,?)", rows)
    database.close()


def pod(folder: Path, stats: str, given: dict[str, Any]) -> Run:
    """One post of a member of a fresh pod, through its API; ``wait`` counts those who answer."""
    with running(folder) as server:
        made = asked(
            f"{server.address}/xrpc/com.atproto.server.createAccount",
            {"handle": "alice.test", "email": "a@a.test", "password": "correct horse"},
        )

        def post(targets: list[str], wait: int) -> Run:
            follow(server, targets)
            asked(f"{stats}?reset")
            record = {"text": CONTENT[:290], "createdAt": "2026-11-24T12:00:00.000Z"}
            body = {"repo": made["did"], "collection": "app.bsky.feed.post", "record": record}
            begin = time.monotonic()
            url = f"{server.address}/xrpc/com.atproto.repo.createRecord"
            asked(url, body, made["accessJwt"])
            answered = time.monotonic()
            while time.monotonic() - begin < WITHIN_S:
                seen: Run = asked(stats)
                if seen["count"] >= wait:
                    break
                time.sleep(0.05)
            return {"queued": (answered - begin) * 1000, **seen}

        post(given["warm"], len(given["warm"]))
        return post(given["inboxes"], given["wait"])


def rate(run: Run) -> float:
    """Deliveries a second, from the word to go until the last arrived."""
    return run["count"] / (run["last"] - run["begin"])


def main() -> None:
    """Run all, print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inboxes", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dead", type=float, default=0.0)
    parser.add_argument("--only", default="pod,bare,fedify")
    parser.add_argument("--knock", default="rfc9421", help="Fedify's first signature scheme")
    options = parser.parse_args()
    port = free_port()
    stats = f"http://127.0.0.1:{port}/stats"
    sink = subprocess.Popen(
        [sys.executable, str(HERE / "sink.py"), str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert sink.stdout is not None
    sink.stdout.readline()
    given = {
        "content": CONTENT,
        "warm": inboxes(port, 5, 20),
        "inboxes": inboxes(port, 6, options.inboxes),
        "wait": options.inboxes,
    }
    share = options.dead / (1 - options.dead) / 2
    unwell = [
        url
        for net, at in ((8, port + 1), (9, port))
        for url in inboxes(at, net, int(options.inboxes * share))
    ]
    peer = HERE / "fedify.mjs"
    resolved = PEERS / "bench_fedify.mjs"
    runs: dict[str, list[Run]] = {}
    try:
        resolved.write_bytes(peer.read_bytes())
        for number in range(options.rounds):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                tries = {
                    "bare": lambda: child([sys.executable, str(HERE / "bare.py"), stats], given),
                    "fedify": lambda: child(
                        [
                            str(node_binary()),
                            str(resolved),
                            stats,
                            options.knock,
                        ],
                        given,
                    ),
                    "pod": lambda folder=folder: pod(folder / "data", stats, given),
                    "pod with dead hosts": lambda folder=folder: pod(
                        folder / "dead", stats, {**given, "inboxes": given["inboxes"] + unwell}
                    ),
                }
                for kind, work in tries.items():
                    if kind in options.only.split(",") or (options.dead and "dead" in kind):
                        runs.setdefault(kind, []).append(work())
                        print(number, kind, round(rate(runs[kind][-1])), "a second", flush=True)
    finally:
        resolved.unlink(missing_ok=True)
        sink.kill()
        sink.wait()
    report(runs)


def report(runs: dict[str, list[Run]]) -> None:
    """The medians, as a table."""
    print("\n| | deliveries/s | all after, ms | first after, ms | API answers after, ms |")
    print("|---|--:|--:|--:|--:|")
    for kind, done in runs.items():
        last = round(median((r["last"] - r["begin"]) * 1000 for r in done))
        first = round(median((r["first"] - r["begin"]) * 1000 for r in done))
        queued = round(median(r["queued"] for r in done))
        print(f"| {kind} | {median(map(rate, done)):,.0f} | {last} | {first} | {queued} |")


if __name__ == "__main__":
    main()
