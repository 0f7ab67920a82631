"""ETags name states; preconditions become the core's one expectation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.http.conditional import (
    body_etag,
    etag,
    expect_of,
    http_date,
    not_modified,
    version_of,
)
from pod.errors import StaleVersion
from pod.model.ids import MemberId, Tid
from pod.model.resource import ABSENT, EMPTY, Resource, ResourcePath, Version
from pod.records.cid import raw_cid

NOW = datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=UTC)
OLD = raw_cid(b"old")
HERE = Resource(
    MemberId(1),
    ResourcePath("/data/x"),
    "text/turtle",
    raw_cid(b"here"),
    4,
    b"here",
    Tid("3kaaaaaaaaa22"),
    NOW,
    NOW,
    complement=replace(EMPTY, revision=3),
)


@given(st.binary(max_size=8), st.integers(0, 10**9), st.sampled_from(["html", "ttl", "as2"]))
def test_a_tag_names_its_state_whatever_the_view(body: bytes, revision: int, view: str) -> None:
    version = Version(raw_cid(body), revision)
    assert version_of(etag(version, view)) == version


def test_the_views_of_one_state_have_different_tags() -> None:
    assert etag(HERE.version, "html") != etag(HERE.version, "ttl")


def test_if_match_of_any_view_expects_the_state() -> None:
    assert expect_of({"If-Match": etag(HERE.version, "html")}, HERE) == HERE.version


def test_if_match_may_list_several_states() -> None:
    listed = f'"foreign", {etag(Version(OLD, 0), "ttl")}, {etag(HERE.version, "ttl")}'
    assert expect_of({"If-Match": listed}, HERE) == HERE.version


def test_an_old_state_is_refused_at_once() -> None:
    for current in (HERE, None):
        with pytest.raises(StaleVersion):
            expect_of({"If-Match": etag(Version(OLD, 0), "ttl")}, current)


@pytest.mark.parametrize(
    "tag", ['"foreign"', 'W/"x"', "W/" + etag(HERE.version, "ttl"), "", body_etag(b"x", "html")]
)
def test_weak_and_foreign_tags_never_match(tag: str) -> None:
    with pytest.raises(StaleVersion):
        expect_of({"If-Match": tag}, HERE)


def test_a_star_matches_only_what_exists() -> None:
    assert expect_of({"If-Match": "*"}, HERE) == HERE.version
    with pytest.raises(StaleVersion):
        expect_of({"If-Match": "*"}, None)


def test_if_none_match_star_expects_absence() -> None:
    assert expect_of({"If-None-Match": "*"}, None) is ABSENT
    with pytest.raises(StaleVersion):
        expect_of({"If-None-Match": "*"}, HERE)


def test_if_none_match_refuses_the_state_it_names_and_only_that() -> None:
    with pytest.raises(StaleVersion):
        expect_of({"If-None-Match": etag(HERE.version, "html")}, HERE)
    assert expect_of({"If-None-Match": etag(Version(OLD, 0), "html")}, HERE) is None


def test_if_unmodified_since_counts_whole_seconds() -> None:
    assert expect_of({"If-Unmodified-Since": http_date(NOW)}, HERE) is None
    with pytest.raises(StaleVersion):
        expect_of({"If-Unmodified-Since": http_date(NOW - timedelta(seconds=1))}, HERE)


def test_without_headers_nothing_is_expected() -> None:
    assert expect_of({}, HERE) is None


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ({}, False),
        ({"If-None-Match": '"a;x"'}, True),
        ({"If-None-Match": 'W/"a;x"'}, True),
        ({"If-None-Match": '"b", "a;x"'}, True),
        ({"If-None-Match": "*"}, True),
        ({"If-None-Match": '"b"', "If-Modified-Since": http_date(NOW)}, False),
        ({"If-Modified-Since": http_date(NOW)}, True),
        ({"If-Modified-Since": http_date(NOW - timedelta(seconds=1))}, False),
        ({"If-Modified-Since": "yesterday"}, False),
    ],
)
def test_304_answers_who_has_the_same(headers: dict[str, str], answer: bool) -> None:
    assert not_modified(headers, '"a;x"', NOW) is answer
