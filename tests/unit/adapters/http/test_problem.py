"""Every error of the pod has one status and says only what is safe."""

from __future__ import annotations

import orjson
import pytest

from adapters.http.problem import STATUS, problem_of
from pod.errors import Forbidden, Invalid, PodError, Throttled, Unauthenticated


def leaves() -> set[type[PodError]]:
    """What the core can raise by name; a wing may refine a leaf, which keeps its status."""
    return {kind for kind in PodError.__subclasses__() if kind.__module__ == "pod.errors"}


@pytest.mark.parametrize("leaf", sorted(leaves(), key=lambda leaf: leaf.__name__))
def test_every_leaf_has_a_client_or_gateway_status(leaf: type[PodError]) -> None:
    problem = problem_of(leaf())
    assert problem.status in {400, 401, 403, 404, 409, 410, 412, 413, 415, 422, 429, 502, 503, 507}
    told = orjson.loads(problem.body)
    assert told["status"] == problem.status
    assert told["detail"] == (leaf.__doc__ or "").splitlines()[0]


def test_the_table_holds_no_error_that_does_not_exist() -> None:
    assert set(STATUS) == leaves()


def test_the_cause_is_not_told() -> None:
    error = Invalid("that is no date")
    error.__cause__ = ValueError("secret path")
    assert b"secret" not in problem_of(error).body


def test_the_protocols_own_name_travels() -> None:
    assert orjson.loads(problem_of(Forbidden(name="InvalidToken")).body)["error"] == "InvalidToken"


def test_who_asks_for_text_gets_text() -> None:
    problem = problem_of(Invalid("no"), "text/plain")
    assert problem.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert b"no" in problem.body


def test_headers_tell_what_to_do_next() -> None:
    assert problem_of(Throttled(retry_after_s=7)).headers["Retry-After"] == "7"
    assert "Bearer" in problem_of(Unauthenticated()).headers["WWW-Authenticate"]
