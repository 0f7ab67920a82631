"""Every line of the official syntax vectors is taken or refused as it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pod.errors import Invalid
from pod.model import ids

PARSERS: dict[str, Callable[[str], object]] = {
    "atidentifier": ids.parse_at_identifier,
    "aturi": ids.parse_at_uri,
    "cid": ids.parse_cid_text,
    "datetime": ids.parse_datetime,
    "did": ids.parse_did,
    "handle": ids.parse_handle,
    "language": ids.parse_language,
    "nsid": ids.parse_nsid,
    "recordkey": ids.parse_rkey,
    "tid": ids.parse_tid,
    "uri": ids.parse_uri,
}


def lines(shared: Path, name: str) -> Iterator[str]:
    path = shared / "vectors" / "atproto-interop" / "syntax" / f"{name}.txt"
    found = [
        line
        for line in path.read_text(encoding="utf-8").split("\n")
        if line and not line.startswith("#")
    ]
    assert found
    yield from found


@pytest.mark.parametrize("kind", PARSERS)
def test_valid_lines_are_taken(kind: str, shared: Path) -> None:
    for line in lines(shared, f"{kind}_syntax_valid"):
        PARSERS[kind](line)


@pytest.mark.parametrize("kind", PARSERS)
def test_invalid_lines_are_refused(kind: str, shared: Path) -> None:
    for line in lines(shared, f"{kind}_syntax_invalid"):
        with pytest.raises(Invalid):
            pytest.fail(f"took {PARSERS[kind](line)!r}")


@pytest.mark.parametrize("kind", ["datetime", "language"])
def test_lines_that_only_look_right_are_refused(kind: str, shared: Path) -> None:
    for line in lines(shared, f"{kind}_parse_invalid"):
        with pytest.raises(Invalid):
            pytest.fail(f"took {PARSERS[kind](line)!r}")


def test_every_syntax_file_is_read(shared: Path) -> None:
    folder = shared / "vectors" / "atproto-interop" / "syntax"
    assert {path.name.split("_")[0] for path in folder.iterdir()} == set(PARSERS)
