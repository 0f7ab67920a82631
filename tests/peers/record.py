"""Records the acquaintance of real peers with a member anew, raw from the wire.

    python -m tests.peers.record

Writes `tests/wire/activitypub/recorded/`, which `test_recorded.py` plays in CI.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from tests.kit.acquaintance import meeting, record
from tests.kit.node import PEERS
from tests.kit.recording import play, write

BOTS = Path(__file__).parent / "activitypub_bot"
PEOPLE = {
    "fedify-rfc9421": ("Fedify 2.3.6", PEERS, "fedify.mjs", "bob", "rfc9421"),
    "fedify-cavage": ("Fedify 2.3.6", PEERS, "fedify.mjs", "bob", "cavage"),
    "activitypub-bot": ("activitypub-bot 0.51.2", BOTS, "bot.mjs", "bob"),
}

for name, (software, peers, script, *arguments) in PEOPLE.items():
    with tempfile.TemporaryDirectory() as folder:
        with meeting(Path(folder) / "live", script, *arguments, peers=peers) as met:
            recording = record(met, software)
        (Path(folder) / "again").mkdir()
        asyncio.run(play(Path(folder) / "again", recording))
        print(write(name, recording))
