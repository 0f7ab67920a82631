"""The pod agrees with the oracle of access on random storages, lists, askers and requests."""

from __future__ import annotations

from tests.property.access_machine import run


def test_the_pod_decides_as_the_standard_reads_and_shows_nobody_a_hidden_byte() -> None:
    assert run(5_000) >= 5_000
