"""The map of errors to XRPC is total, and an error's own name wins."""

from __future__ import annotations

import pytest

from adapters.atproto.errors import WIRE, wire_error
from pod import errors
from pod.errors import NotFound, PodError, StaleVersion

LEAVES = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, PodError) and kind is not PodError
]


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_every_error_of_the_core_has_a_status_and_a_name(leaf):
    status, name = wire_error(leaf())
    assert 400 <= status < 600
    assert name.isalnum()


def test_the_map_holds_nothing_but_errors_of_the_core():
    assert set(WIRE) == set(LEAVES)


def test_the_name_of_an_error_replaces_the_one_of_its_kind():
    assert wire_error(NotFound(name="RepoNotFound")) == (400, "RepoNotFound")
    assert wire_error(StaleVersion()) == (400, "InvalidSwap")
