"""Canonical JSON: one form for one value, read back as the same value."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.activitypub.jsonld.canonical import canonical
from pod.errors import Invalid

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab\u20ac\U0001f600\ufb33"), inner),
    max_leaves=20,
)
ECMASCRIPT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:e[+-][1-9][0-9]*)?")


@given(values)
def test_the_canonical_form_reads_back_and_is_its_own_canonical_form(value: Any) -> None:
    text = canonical(value)
    assert json.loads(text, parse_int=float) == value
    assert canonical(json.loads(text)) == text


@given(st.dictionaries(st.text(), st.integers(0, 9)))
def test_the_order_of_keys_does_not_matter(value: dict[str, int]) -> None:
    try:
        text = canonical(value)
    except Invalid:
        return
    assert canonical(dict(reversed(value.items()))) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_written_as_ecmascript_writes_them(value: float) -> None:
    text = canonical(value).decode()
    assert ECMASCRIPT.fullmatch(text)
    assert float(text) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (-0.0, "0"), (1e21, "1e+21"), (1e20, "100000000000000000000"), (1e-6, "0.000001"),
     (1e-7, "1e-7"), (123e-9, "1.23e-7"), (0.1, "0.1"), (12.5, "12.5"),
     (2**60, "1152921504606847000")],
)  # fmt: skip
def test_the_edges_of_the_number_forms(value: float, text: str) -> None:
    assert canonical(value).decode() == text


def test_keys_are_ordered_by_utf_16_units() -> None:
    assert canonical({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


def test_strings_escape_what_they_must_and_no_more() -> None:
    assert canonical('\x00\x1f\b\t\n\f\r"\\/\x7f\u00e9') == (
        b'"\\u0000\\u001f\\b\\t\\n\\f\\r\\"\\\\/\x7f\xc3\xa9"'
    )


def test_half_a_character_and_no_number_are_refused() -> None:
    for value in ("\ud800", float("nan"), 10**400):
        with pytest.raises(Invalid):
            canonical(value)
