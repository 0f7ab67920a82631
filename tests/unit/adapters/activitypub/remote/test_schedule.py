"""When deliveries are tried again, and how hosts are kept apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.activitypub.remote.schedule import (
    LOST_AFTER,
    LOST_REST,
    REST_S,
    RETRY_AFTER_S,
    Reply,
    asked_wait,
    is_lost,
    next_step,
    rest_of,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@given(st.integers(200, 299), st.integers(0, 20))
def test_every_success_is_done(status: int, attempt: int) -> None:
    assert next_step(Reply(status), attempt, NOW) == "done"


@pytest.mark.parametrize("status", [300, 400, 403, 404, 405, 410, 422, 501])
def test_a_refusal_for_good_is_not_repeated(status: int) -> None:
    assert next_step(Reply(status), 0, NOW) == "give up"


@pytest.mark.parametrize("status", [None, 401, 408, 429, 500, 502, 503])
def test_a_failure_that_may_pass_is_tried_by_the_exact_schedule(status: int | None) -> None:
    steps = [next_step(Reply(status), attempt, NOW) for attempt in range(len(RETRY_AFTER_S) + 1)]
    assert steps[:-1] == [NOW + timedelta(seconds=seconds) for seconds in RETRY_AFTER_S]
    assert steps[-1] == "give up"


@given(st.text(max_size=40) | st.integers(-5, 10**12).map(str))
def test_a_peer_is_waited_for_a_day_at_most(header: str) -> None:
    assert timedelta(0) <= asked_wait(header, NOW) <= timedelta(days=1)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("600", 600), ("Tue, 24 Nov 2026 12:05:00 GMT", 300), ("Tue, 24 Nov 2026 11:00:00 GMT", 0),
     ("soon", 0), (None, 0)],
)  # fmt: skip
def test_retry_after_is_read_in_both_forms(header: str | None, seconds: int) -> None:
    assert asked_wait(header, NOW) == timedelta(seconds=seconds)


def test_a_silent_host_rests_ever_longer_and_a_lost_one_a_day() -> None:
    rests = [rest_of(failures, NOW, NOW) - NOW for failures in range(1, len(REST_S) + 2)]
    assert [rest.total_seconds() for rest in rests] == [*REST_S, REST_S[-1]]
    since = NOW - LOST_AFTER
    assert is_lost(since, NOW)
    assert not is_lost(since + timedelta(seconds=1), NOW)
    assert rest_of(1, since, NOW) == NOW + LOST_REST
