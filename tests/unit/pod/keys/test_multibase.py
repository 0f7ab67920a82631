"""Base 58 as the package ``multiformats`` has it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multiformats import multibase as oracle

from pod.errors import Invalid
from pod.keys import multibase


@given(st.binary(max_size=80) | st.binary(max_size=40).map(lambda raw: bytes(3) + raw))
def test_text_is_that_of_the_oracle_and_reads_back(raw: bytes) -> None:
    text = multibase.encode(raw)
    assert text == oracle.encode(raw, "base58btc")
    assert multibase.decode(text) == raw == bytes(oracle.decode(text))


@given(st.text("z1289ABHJKLMNPZabkmz0OIl+/é", max_size=30))
def test_what_the_oracle_refuses_is_invalid(text: str) -> None:
    try:
        expected = bytes(oracle.decode("z" + text))
    except ValueError:
        with pytest.raises(Invalid):
            multibase.decode("z" + text)
    else:
        assert multibase.decode("z" + text) == expected


@pytest.mark.parametrize("text", ["", "u", "Z1", "z" + "2" * 5_000])
def test_other_bases_and_endless_texts_are_invalid(text: str) -> None:
    with pytest.raises(Invalid):
        multibase.decode(text)
