"""Records Fedify's acquaintance with a member anew, raw from the wire, in both signature schemes.

    python -m tests.peers.record

Writes `tests/wire/activitypub/recorded/`, which `test_recorded.py` plays in CI.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.blackbox.test_recorded_fedify import record
from tests.kit.process import free_port
from tests.kit.recording import write

for scheme in ("rfc9421", "cavage"):
    with tempfile.TemporaryDirectory() as folder:
        print(write(f"fedify-{scheme}", record(Path(folder) / "live", scheme, free_port())))
