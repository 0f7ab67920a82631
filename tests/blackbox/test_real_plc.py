"""The pod beside a PLC directory that is not its own: the software that the network runs on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.kit.node import peer
from tests.kit.process import ROOT, running
from tests.kit.story import sign_up

pytestmark = pytest.mark.peer


def test_an_account_lives_in_a_directory_of_others(tmp_path: Path) -> None:
    with peer("plc.mjs") as plc:
        directory = plc.ready["url"]
        with (
            running(tmp_path / "pod", options=["--plc", directory]) as pod,
            peer("atproto_client.mjs", pod.url) as alice,
        ):
            did = sign_up(alice, "alice")["did"]
            document = httpx.get(f"{directory}/{did}").json()
            assert document["alsoKnownAs"][0] == "at://alice.test"
            assert document["service"][0]["serviceEndpoint"] == pod.url

            alice.ask(
                "call", nsid="com.atproto.identity.updateHandle", data={"handle": "alicia.test"}
            )
            document = httpx.get(f"{directory}/{did}").json()
            assert document["alsoKnownAs"][0] == "at://alicia.test"
            named = ["alicia.test", "--pod", pod.url, "--plc", directory]
            told = subprocess.run(
                [sys.executable, "-m", "server", "identity", "verify", *named],
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert told.returncode == 0, told.stdout + told.stderr
            assert f"the PLC directory {directory}" in told.stdout
