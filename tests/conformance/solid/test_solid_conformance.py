"""Every requirement, asked of this pod always and of the reference where it is installed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.solid.anchors import ANCHORS, MISSING, UNTESTABLE
from tests.conformance.solid.listing import PAGE, Listed, all_cases, declared
from tests.conformance.solid.servers import Servers
from tests.conformance.solid.subject import Subject, Wrong

CASES = all_cases()


@pytest.fixture(scope="session")
def subject() -> Iterator[Subject]:
    servers = Servers()
    yield servers("commonpod")
    servers.close()


@pytest.mark.slow
@pytest.mark.parametrize("listed", CASES, ids=lambda listed: listed.name)
def test_the_pod_keeps_to_the_requirement(subject: Subject, listed: Listed) -> None:
    if (listed.specification, listed.anchor) in MISSING:
        with pytest.raises(Wrong):
            listed.case(subject)
    else:
        listed.case(subject)


def test_every_requirement_is_asked_or_has_its_reason_and_none_twice() -> None:
    anchors = {(name, anchor) for name, levels in ANCHORS.items() for anchor in levels}
    assert declared() | set(UNTESTABLE) == anchors
    assert not declared() & set(UNTESTABLE)


def test_the_page_shows_every_requirement_and_how_this_pod_stands() -> None:
    rows = [line.split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| [`")]
    shown = {(row[0].split("`")[1], row[1]): row[2] for row in rows}
    wanted = {
        (anchor, level): "-" if key in UNTESTABLE else "fail" if key in MISSING else "pass"
        for name, levels in ANCHORS.items()
        for anchor, level in levels.items()
        for key in [(name, anchor)]
    }
    assert shown == wanted
    assert len(rows) == sum(map(len, ANCHORS.values()))
