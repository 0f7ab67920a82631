"""When deliveries are tried again, and how hosts are kept apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.activitypub.deliver.schedule import (
    REST_S,
    RETRY_AFTER_S,
    Hosts,
    Reply,
    asked_wait,
    next_step,
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


def test_a_host_takes_only_so_many_at_once() -> None:
    hosts = Hosts(per_host=2)
    hosts.start("a")
    assert hosts.may_start("a", NOW)
    hosts.start("a")
    assert not hosts.may_start("a", NOW)
    assert hosts.may_start("b", NOW)
    hosts.finish("a", NOW, answered=True)
    assert hosts.may_start("a", NOW)


def test_a_silent_host_rests_ever_longer_and_is_then_tried_with_one() -> None:
    hosts, now = Hosts(), NOW
    for rest in (*REST_S, REST_S[-1]):
        hosts.start("a")
        hosts.finish("a", now, answered=False)
        assert not hosts.may_start("a", now + timedelta(seconds=rest - 1))
        now += timedelta(seconds=rest)
        assert hosts.may_start("a", now)
    hosts.start("a")
    assert not hosts.may_start("a", now)
    hosts.finish("a", now, answered=True)
    hosts.start("a")
    assert hosts.may_start("a", now)


def test_what_is_remembered_of_hosts_is_bounded() -> None:
    hosts = Hosts(kept=3)
    for number in range(10):
        hosts.remember_modern(str(number))
    assert [hosts.wants_modern(str(number)) for number in (0, 9)] == [False, True]
