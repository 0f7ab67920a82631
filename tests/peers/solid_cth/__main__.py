"""Runs the official Solid conformance features against a pod with two members.

    python -m tests.peers.solid_cth FEATURES_DIR [--only TEXT] [--reference FOLDER]

``FEATURES_DIR`` holds the folders protocol/ and web-access-control/ of the official tests. With
``--reference`` they are asked of Community Solid Server, which is installed in that folder. It ends
with 1 if a scenario failed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.conformance.solid.servers import NAMES, reference_credentials, start_reference
from tests.kit import process
from tests.kit.node import node_binary
from tests.kit.programs import join, make_program

HERE = Path(__file__).parent


def our_stage(stack: ExitStack, folder: Path) -> dict[str, Any]:
    """A pod with two members, as the features are told of it."""
    server = stack.enter_context(process.running(folder / "pod"))
    people: dict[str, Any] = {}
    for name in NAMES:
        join(server, name)
        ident, secret = make_program(server, name)
        people[name] = {"webid": f"{server.origin(name)}/me", "id": ident, "secret": secret}
    return {"issuer": server.url, "container": f"{server.origin(NAMES[0])}/data/", **people}


def reference_stage(stack: ExitStack, folder: Path, installed: Path) -> dict[str, Any]:
    """The reference server with two people."""
    base = start_reference(stack, installed.resolve(), folder / "reference")
    people: dict[str, Any] = {}
    for name in NAMES:
        ident, secret = reference_credentials(base, name)
        webid = f"{base}{name}/profile/card#me"
        people[name] = {"webid": webid, "id": ident, "secret": secret}
    return {"issuer": base, "container": f"{base}{NAMES[0]}/", **people}


def main() -> int:
    """Run all features; 1 when a scenario failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("features", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--reference", type=Path)
    options = parser.parse_args()
    outcomes: dict[str, Counter[str]] = {}
    begun = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if options.reference is not None:
            stage = reference_stage(stack, folder, options.reference)
        else:
            stage = our_stage(stack, folder)
        run = subprocess.Popen(
            [str(node_binary()), str(HERE / "run.mjs"), str(options.features), options.only],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert run.stdin is not None
        assert run.stdout is not None
        run.stdin.write(json.dumps(stage))
        run.stdin.close()
        for line in run.stdout:
            told = json.loads(line)
            outcomes.setdefault(str(Path(told["feature"]).parent), Counter())[told["outcome"]] += 1
            if told["outcome"] in ("failed", "cannot tell"):
                print(f"{told['outcome']}: {told['feature']}: {told['name']}\n    {told['why']}")
        code = run.wait()
    total: Counter[str] = Counter()
    for name, counted in sorted(outcomes.items()):
        total += counted
        print(f"{name}: {dict(counted)}")
    print(f"all: {dict(total)}, {time.monotonic() - begun:.0f} s")
    return int(code != 0 or total["failed"] > 0)


if __name__ == "__main__":
    sys.exit(main())
