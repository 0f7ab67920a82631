"""Requests of real peers, recorded raw from the wire, played to a pod at the time of their making.

The headers, bodies and signatures are the peers' own, byte for byte (see `tests.kit.recording`);
only the documents of the peers are given from the recording too.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.kit.recording import RECORDED, play

RECORDINGS = sorted(RECORDED.glob("*.json"))


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_what_a_peer_once_sent_is_understood(tmp_path: Path, path: Path) -> None:
    asyncio.run(play(tmp_path, json.loads(path.read_text())))


def test_there_are_recordings_of_both_signature_schemes() -> None:
    assert {"fedify-cavage", "fedify-rfc9421"} <= {path.stem for path in RECORDINGS}
