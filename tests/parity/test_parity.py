"""Every case, asked of this pod always and of the reference where it is installed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.parity.listing import PAGE, SIDES, Listed, all_cases
from tests.parity.servers import Servers, reference_folder

CASES = all_cases()
ASKED = SIDES if reference_folder() else ("commonpod",)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    running = Servers()
    yield running
    running.close()


@pytest.mark.peer
@pytest.mark.parametrize("side", ASKED)
@pytest.mark.parametrize("listed", CASES, ids=lambda listed: listed.name)
def test_a_server_does_as_the_case_says(servers: Servers, listed: Listed, side: str) -> None:
    if side == "commonpod" or listed.why is None:
        listed.case(servers(side))
    else:
        with pytest.raises((AssertionError, KeyError, TimeoutError)):
            listed.case(servers(side))


def test_the_page_lists_every_case_and_no_other() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.endswith("|")]
    shown = [row.split("|")[1].strip() for row in rows if row.count("|") == 5]
    told = [cell for cell in shown if cell not in ("behaviour", "---")]
    assert told == [each.sentence for each in CASES]


def test_the_page_gives_a_reason_for_each_difference_and_for_nothing_else() -> None:
    rows = [line.split("|") for line in PAGE.read_text().splitlines()]
    shown = {row[1].strip(): row[2:5] for row in rows if len(row) == 6}
    for each in CASES:
        reference, ours, why = (cell.strip() for cell in shown[each.sentence])
        assert ours == "yes"
        assert reference == ("yes" if each.why is None else "no")
        assert why == (each.why or "")
