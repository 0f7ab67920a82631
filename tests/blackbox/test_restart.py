"""What was acknowledged before a crash is told to everybody after it, and told once."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.kit.node import node_binary, peer, peers_folder
from tests.kit.process import start
from tests.kit.story import POSTS, Fediverse, sign_up

pytestmark = pytest.mark.peer
NUMBER = 12


def test_posts_before_a_crash_reach_the_followers_after_it(tmp_path: Path) -> None:
    node_binary(), peers_folder()
    pod = start(tmp_path / "pod")
    try:
        pod.wait_until_healthy()
        with peer("fedify.mjs", "fred") as fred, peer("atproto_client.mjs", pod.url) as alice:
            server = Fediverse(fred)
            did = sign_up(alice, "alice")["did"]
            server.wait("Accept", fred.ask("follow", actor=f"{pod.origin('alice')}/me"))
            with fred.asleep():
                uris = [alice.ask("post", text=f"Number {n}")["uri"] for n in range(NUMBER)]
                pod.stop(signal.SIGKILL)
                pod = start(pod.data_dir, port=pod.port)
                pod.wait_until_healthy()
            urls = [u.replace(f"at://{did}", f"{pod.origin('alice')}/repo") for u in uris]
            for url in urls:
                server.wait("Create", url)
            told = [entry["object"] for entry in fred.ask("log") if entry["type"] == "Create"]
            assert sorted(told) == sorted(urls)
            listed = alice.ask(
                "call",
                nsid="com.atproto.repo.listRecords",
                params={"repo": did, "collection": POSTS},
            )
            assert sorted(record["uri"] for record in listed["records"]) == sorted(uris)
    finally:
        pod.stop()
