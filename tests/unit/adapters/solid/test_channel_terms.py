"""Times of channels: what is written reads back, and nonsense is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.solid.channel_terms import moment, moment_text, span, span_text
from pod.errors import Unprocessable

MILLISECONDS = st.integers(0, 10**9).map(lambda count: timedelta(milliseconds=count))
MOMENTS = MILLISECONDS.map(lambda since: datetime(1970, 1, 1, tzinfo=UTC) + 1000 * since)


@given(MILLISECONDS)
def test_a_duration_reads_back(rate: timedelta) -> None:
    assert span(span_text(rate)) == rate


@given(MOMENTS)
def test_a_time_reads_back(at: datetime) -> None:
    assert moment(moment_text(at)) == at


@pytest.mark.parametrize(
    ("text", "seconds"), [("PT10s", 10), ("P1DT1H", 90_000), ("PT0.5S", 0.5), ("P1Y", 31_536_000)]
)
def test_durations_of_all_forms_are_read(text: str, seconds: float) -> None:
    assert span(text).total_seconds() == seconds


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "-PT1S", "10", "P1S", "PT1", "PT1S ", "P1DT", "P١D"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(Unprocessable):
        span(text)


@pytest.mark.parametrize(
    "text",
    ["", "2026-01-01", "2026-13-01T00:00:00Z", "20260101T000000Z", "0001-01-01T00:00:00+09:00"],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Unprocessable):
        moment(text)
