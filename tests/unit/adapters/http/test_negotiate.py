"""Content negotiation picks what the asker wants most, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.http.negotiate import AS2_PROFILE, choose, parse_media_type

AS2_LD = f'application/ld+json; profile="{AS2_PROFILE}"'
OFFERS = (
    "text/html",
    "application/activity+json",
    AS2_LD,
    "text/turtle",
    "application/ld+json",
    "application/json",
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "text/html"),
        ("", "text/html"),
        ("*/*", "text/html"),
        (BROWSER, "text/html"),
        ("application/activity+json, application/ld+json", "application/activity+json"),
        (AS2_LD, AS2_LD),
        (f"{AS2_LD}, application/activity+json;q=0.9", AS2_LD),
        ("application/ld+json", "application/ld+json"),
        ('application/ld+json; profile="https://www.w3.org/ns/json-ld#x"', "application/ld+json"),
        (f'application/ld+json; profile="http://a.example/b {AS2_PROFILE}"', "application/ld+json"),
        ("text/turtle, */*;q=0.1", "text/turtle"),
        ("text/turtle, */*", "text/turtle"),
        ("text/turtle;q=0.5, application/json", "application/json"),
        ("text/*;q=0.4, text/turtle;q=0.3", "text/html"),
        ("TEXT/TURTLE; charset=UTF-8", "text/turtle"),
        ("application/*", "application/activity+json"),
        ("image/png", None),
        ("text/html;q=0, application/xml", None),
        ("*/*;q=0", None),
        ("text/turtle;q=2", None),
        ("nonsense", None),
        (",,;;", None),
    ],
)
def test_the_most_wanted_offer_is_chosen(accept: str | None, chosen: str | None) -> None:
    assert choose(accept, OFFERS) == chosen


def test_a_type_excluded_by_name_is_not_smuggled_in_by_a_wildcard() -> None:
    assert choose("text/html;q=0, */*", OFFERS) == "application/activity+json"


@given(st.text(max_size=200))
def test_any_header_gets_an_offer_or_nothing(accept: str) -> None:
    assert choose(accept, OFFERS) in (*OFFERS, None)


@given(st.permutations(OFFERS))
def test_a_plain_request_for_one_type_does_not_depend_on_our_order(offers: list[str]) -> None:
    for offer in offers:
        assert choose(offer, offers) == offer


def test_quoted_parameters_may_hold_commas_and_escapes() -> None:
    parsed = parse_media_type(r'text/x; a="b, \"c\""; q=0.3')
    assert parsed is not None
    assert parsed.parameters == (("a", 'b, "c"'),)
