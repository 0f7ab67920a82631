"""A bucket gives what it holds and refills with time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.http.throttle import Limit, Throttle
from pod.errors import Throttled


class Watch:
    """A monotonic clock that stands still until told."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_a_key_gets_its_points_and_no_more() -> None:
    throttle = Throttle(monotonic=Watch())
    for left in (2, 1, 0):
        assert throttle.take("a", Limit(3, 60)).remaining == left
    with pytest.raises(Throttled) as refused:
        throttle.take("a", Limit(3, 60))
    assert refused.value.retry_after_s == 20
    assert throttle.take("b", Limit(3, 60)).remaining == 2


def test_points_come_back_evenly() -> None:
    watch = Watch()
    throttle = Throttle(monotonic=watch)
    throttle.take("a", Limit(3, 60), 3)
    watch.at = 40
    assert throttle.take("a", Limit(3, 60), 2).remaining == 0


def test_a_refused_request_costs_nothing() -> None:
    throttle = Throttle(monotonic=Watch())
    with pytest.raises(Throttled):
        throttle.take("a", Limit(3, 60), 4)
    assert throttle.take("a", Limit(3, 60), 3).remaining == 0


def test_switched_off_it_refuses_nothing() -> None:
    throttle = Throttle(enabled=False)
    assert all(throttle.take("a", Limit(1, 60)).remaining == 1 for _ in range(10))


def test_headers_name_limit_rest_and_policy() -> None:
    allowance = Throttle(monotonic=Watch()).take("a", Limit(300, 300))
    assert allowance.headers(1000.5) == {
        "RateLimit-Limit": "300",
        "RateLimit-Remaining": "299",
        "RateLimit-Reset": "1002",
        "RateLimit-Policy": "300;w=300",
    }


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 5)), max_size=60))
def test_no_window_gives_more_than_points_and_refill(steps: list[tuple[float, int]]) -> None:
    watch = Watch()
    throttle = Throttle(monotonic=watch)
    limit = Limit(10, 60)
    spent = 0
    for wait, points in steps:
        watch.at += wait
        try:
            throttle.take("a", limit, points)
        except Throttled:
            continue
        spent += points
    assert spent <= limit.points + watch.at * limit.points / limit.window_s + 1e-6
