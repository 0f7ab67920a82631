"""The front door lets a path through only when it has one reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.hosts import is_plain


@pytest.mark.parametrize(
    "path",
    [b"/", b"/me", b"/data/a%20b", b"/data/%C3%A4", b"/.well-known/did.json", b"/data/a..b/.acl"],
)
def test_a_plain_path_passes(path: bytes) -> None:
    assert is_plain(path)


@pytest.mark.parametrize(
    "path",
    [
        b"//me",
        b"/data//x",
        b"/data/%2Fx",
        b"/data/%2e%2e/x",
        b"/data/%2E/x",
        b"/data/../x",
        b"/data/.",
        b"/data/..",
        b"/data/%FF",
        b"/data/%00",
        b"/data/a\\b",
        b"/data/%5cb",
        b"/data/a%0Db",
        b"http://other.example/me",
        b"",
    ],
)
def test_a_path_with_a_twin_is_refused(path: bytes) -> None:
    assert not is_plain(path)


@given(st.binary(max_size=12), st.sampled_from([b"//", b"%2f", b"%2F", b"/../", b"\\", b"%00"]))
def test_no_trick_is_hidden_by_what_stands_around_it(noise: bytes, trick: bytes) -> None:
    assert not is_plain(b"/" + noise + trick + noise)
