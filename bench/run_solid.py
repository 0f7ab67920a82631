"""Runs the shared Solid benchmark on the pod and Community Solid Server, interleaved, with goals.

    bench/solid [--rounds 3] [--n 1000] [--pods 1000] [--only REGEX] [--out FILE.json]

Two targets on 127.0.0.1: `css` (@solid/community-server 7.2.0, file backend) and `commonpod` (the
default server). Afterwards `--pods` members are made on the pod, each with a document that is
written and read, to see what memory that takes. Only the ratios count: the machine is never quiet.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.kit.process import Server  # noqa: E402  the kit lies beside the package
from tests.kit.programs import PASSWORD, make_program  # noqa: E402

CSS_PORT, POD_PORT = 3811, 3036


@dataclass(frozen=True)
class Goal:
    """One demand: an operation of the benchmark, and how many times faster the pod must be."""

    operation: str
    ratio: float


GOALS = (
    Goal("get_turtle_auth", 5),
    Goal("put_create", 5),
    Goal("put_overwrite", 5),
    Goal("patch_n3_insert", 5),
    Goal("patch_n3_where_delete_insert", 5),
    Goal("get_5000triples_jsonld", 8),
    Goal("list_1000_turtle", 25),
    Goal("list_1000_jsonld", 25),
)


@dataclass
class Running:
    """A server of this run."""

    process: subprocess.Popen[bytes]
    ready_s: float

    def stop(self) -> None:
        """End it, by force if it does not listen."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def rss_mb(self) -> float:
        """The memory that the process holds now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024


def started(
    command: list[str], log: Path, probe: str, env: dict[str, str] | None = None
) -> Running:
    """Start a server and wait until ``probe`` is answered with 200."""
    begin = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, env={**os.environ, **(env or {})}
        )
    while time.monotonic() - begin < 120:
        if process.poll() is not None:
            raise SystemExit(log.read_text())
        try:
            with urllib.request.urlopen(probe, timeout=2):
                return Running(process, time.monotonic() - begin)
        except OSError:
            time.sleep(0.02)
    process.kill()
    raise SystemExit(f"{command[0]} did not start:\n{log.read_text()}")


def css(folder: Path, reference: Path) -> tuple[Running, str]:
    """Community Solid Server with one pod, and its target for the benchmark."""
    seed = folder / "seed.json"
    account = {"email": "alice@example.com", "password": PASSWORD, "pods": [{"name": "alice"}]}
    seed.write_text(json.dumps([account]))
    base = f"http://localhost:{CSS_PORT}/"
    server = reference / "node_modules" / "@solid" / "community-server" / "bin" / "server.js"
    command = ["node", str(server), "-p", str(CSS_PORT), "-b", base, "-c", "@css:config/file.json"]
    command += ["-f", str(folder / "css"), "--seedConfig", str(seed), "-l", "warn"]
    running = started(command, folder / "css.log", f"{base}alice/profile/card")
    target = f"name=css,base={base}alice/,auth=css:alice@example.com:{PASSWORD}"
    return running, f"{target},pid={running.process.pid}"


def commonpod(folder: Path) -> tuple[Running, str]:
    """The pod with one member, and its target for the benchmark."""
    command = [sys.executable, "-m", "server", "serve", "--dev", "--no-rate-limits"]
    command += ["--port", str(POD_PORT), "--data-dir", str(folder / "pod")]
    probe = f"http://127.0.0.1:{POD_PORT}/xrpc/_health"
    running = started(command, folder / "pod.log", probe, {"PYTHONPATH": str(ROOT)})
    joined("alice")
    server = Server(running.process, POD_PORT, folder / "pod", folder / "pod.log")
    ident, secret = make_program(server, "alice")
    base = f"http://alice.localhost:{POD_PORT}/data/"
    target = f"name=commonpod,base={base},auth=cc:{server.url}|{ident}|{secret}"
    return running, f"{target},pid={running.process.pid}"


def joined(name: str) -> str:
    """Sign a member up; their access token."""
    body = {"handle": f"{name}.test", "email": f"{name}@bench.coop", "password": PASSWORD}
    url = f"http://127.0.0.1:{POD_PORT}/xrpc/com.atproto.server.createAccount"
    sent = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(sent, timeout=30) as answer:
        token: str = json.load(answer)["accessJwt"]
    return token


def many_pods(pod: Running, count: int) -> dict[str, float]:
    """Memory as ``count`` members join, and once each wrote, read and listed their storage."""
    before = pod.rss_mb()
    tokens = {name: joined(name) for name in (f"member{i}" for i in range(count))}
    joined_mb = pod.rss_mb()
    line = HTTPConnection("127.0.0.1", POD_PORT)
    turtle = '<#me> <http://xmlns.com/foaf/0.1/name> "Somebody" .\n' * 5
    for name, token in tokens.items():
        headers = {"Host": f"{name}.localhost:{POD_PORT}", "Authorization": f"Bearer {token}"}
        for method, path, body in (
            ("PUT", "/data/notes/one", turtle),
            ("GET", "/data/notes/one", None),
            ("GET", "/data/notes/", None),
        ):
            line.request(method, path, body, {**headers, "Content-Type": "text/turtle"})
            answer = line.getresponse()
            answer.read()
            if answer.status not in (200, 201):
                raise SystemExit(f"{method} {path} of {name}: {answer.status}")
    return {"before_mb": before, "joined_mb": joined_mb, "used_mb": pod.rss_mb()}


def script(shared: Path, folder: Path) -> Path:
    """The shared benchmark, fit for names under ``localhost`` and for requests never answered."""
    text = shared.read_text()
    send = "c.send(reqs[i][0], reqs[i][1])"
    for old, new in (
        ("if u.hostname != 'localhost'", "if not u.hostname.endswith('localhost')"),
        (f"await {send}", f"await asyncio.wait_for({send}, 15)"),
    ):
        if old not in text:
            raise SystemExit("the shared benchmark has changed")
        text = text.replace(old, new)
    copy = folder / "solid_bench.py"
    copy.write_text(text)
    return copy


def verdicts(results: dict[str, Any], children: int) -> str:
    """The goals as a Markdown table: medians, how many times faster, goal, reached or not."""
    lines = ["| operation | CSS /s | pod /s | x | goal | |", "|---|--:|--:|--:|--:|---|"]
    goals = {goal.operation: goal.ratio for goal in GOALS}
    theirs, ours = (results[name]["ops"] for name in ("css", "commonpod"))
    for name, row in theirs.items():
        if name not in ours or not row["rps"]:
            continue
        times = ours[name]["rps"] / row["rps"]
        goal = goals.get(name.replace(f"list_{children}", "list_1000"))
        verdict = "" if goal is None else "reached" if times >= goal else "MISSED"
        wanted = "" if goal is None else f">= {goal:g}"
        lines.append(
            f"| {name} | {row['rps']:,.1f} | {ours[name]['rps']:,.1f} | {times:.1f} "
            f"| {wanted} | {verdict} |"
        )
        bad = {who: found for who, found in (("css", row), ("pod", ours[name])) if found["bad"]}
        lines += [f"| ! {who} | {found['bad']} | | | | |" for who, found in bad.items()]
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--n", type=int, default=1000, help="requests an operation")
    parser.add_argument("--children", type=int, default=1000)
    parser.add_argument("--pods", type=int, default=1000)
    parser.add_argument("--only", help="operations whose name matches")
    shared = ROOT.parent / "shared" / "bench" / "solid" / "solid_bench.py"
    parser.add_argument("--shared", type=Path, default=shared)
    parser.add_argument("--reference", type=Path, default=ROOT / "bench" / "solid-reference")
    parser.add_argument("--out", type=Path, help="keep the figures in this JSON file")
    return parser.parse_args()


def run(options: argparse.Namespace, folder: Path, later: Callable[[Running], None]) -> int:
    """Start both, run, print; ``later`` is told of each server, to stop it."""
    reference, first = css(folder, options.reference.resolve())
    later(reference)
    pod, second = commonpod(folder)
    later(pod)
    report = folder / "run.json"
    command = [sys.executable, str(script(options.shared, folder)), "--json", str(report)]
    command += ["--target", first, "--target", second, "--rounds", str(options.rounds)]
    command += ["--n", str(options.n), "--children", str(options.children)]
    command += ["--only", options.only] if options.only else []
    outcome = subprocess.run(command, check=False)
    if outcome.returncode:
        print(*(folder / "pod.log").read_text().splitlines()[-15:], sep="\n")
        return outcome.returncode
    results = json.loads(report.read_text())
    for name, server in (("css", reference), ("commonpod", pod)):
        results[name]["ready_s"] = round(server.ready_s, 2)
        results[name]["rss_end_mb"] = round(server.rss_mb(), 1)
        print(f"{name}: ready after {server.ready_s:.2f} s, {server.rss_mb():.0f} MB at the end")
    print(verdicts(results, options.children))
    reference.stop()
    if options.pods:
        results["many_pods"] = many_pods(pod, options.pods)
        print(f"{options.pods} pods:", results["many_pods"])
    if options.out:
        options.out.write_text(json.dumps(results, indent=1))
    return 0


def main() -> int:
    """Run the benchmark and print its tables, ours last."""
    options = arguments()
    running: list[Running] = []
    with tempfile.TemporaryDirectory(prefix="commonpod-bench-") as name:
        try:
            return run(options, Path(name), running.append)
        finally:
            for server in running:
                server.stop()


if __name__ == "__main__":
    sys.exit(main())
