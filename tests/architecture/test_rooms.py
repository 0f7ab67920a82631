"""docs/rooms.md leads to every room that answers, and every method and activity has a test."""

from __future__ import annotations

import asyncio
import re

import pytest

from adapters.activitypub.receive.dispatch import HANDLERS
from adapters.atproto.face import METHODS
from tests.kit.rooms import PAGE, ROOT, rooms_page

NAMED = [*(method.nsid for method in METHODS), *(f'"{kind}"' for kind in HANDLERS)]


def test_the_page_of_rooms_is_what_the_server_answers() -> None:
    is_current = PAGE.read_text() == asyncio.run(rooms_page())
    assert is_current, "run: python -m tests.kit.rooms"


@pytest.fixture(scope="module")
def spoken() -> str:
    """All that tests say."""
    files = [file for file in (ROOT / "tests").rglob("test_*.py") if file.name != "test_rooms.py"]
    files += (ROOT / "tests/parity/cases").glob("*.py")
    return "\n".join(file.read_text() for file in files)


@pytest.mark.parametrize("name", NAMED)
def test_a_test_speaks_of_it(spoken: str, name: str) -> None:
    assert name in spoken or re.search(rf"\b{name.rsplit('.', 1)[-1]}\b", spoken)
