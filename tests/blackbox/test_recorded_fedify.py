"""What a Fedify server puts on the wire, kept raw, is understood when it is played again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.kit.acquaintance import meeting, record
from tests.kit.recording import play

pytestmark = pytest.mark.peer


@pytest.mark.parametrize("scheme", ["rfc9421", "cavage"])
def test_what_fedify_sends_is_understood_as_it_stood_on_the_wire(
    tmp_path: Path, scheme: str
) -> None:
    with meeting(tmp_path / "live", "fedify.mjs", "bob", scheme) as met:
        recording = record(met, "Fedify")
    kinds = {name.lower() for each in recording["requests"] for name, _ in each["headers"]}
    assert ("signature-input" in kinds) == (scheme == "rfc9421")
    (tmp_path / "again").mkdir()
    asyncio.run(play(tmp_path / "again", recording))
