"""Private data cannot reach the networks: the types that they take cannot be made of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod.model.resource import ResourcePath, repo_key


def test_a_public_record_has_a_key() -> None:
    path = ResourcePath("/repo/app.bsky.feed.post/3mtcccccccc2c")
    assert repo_key(path) == "app.bsky.feed.post/3mtcccccccc2c"


@given(
    st.sampled_from(["/data", "/inbox", "/spaces", "/profile", "/Repo", "/repository", "/repo."]),
    st.text("abc.", min_size=1),
    st.text("abc.", min_size=1),
)
def test_no_path_of_another_zone_gets_one(zone: str, one: str, other: str) -> None:
    with pytest.raises(ValueError, match="not a public record"):
        repo_key(ResourcePath(f"{zone}/{one}/{other}"))


@pytest.mark.parametrize("path", ["/repo/", "/repo/a.b.c/d/e", "repo/a/b", ""])
def test_neither_do_containers_and_malformed_paths(path: str) -> None:
    with pytest.raises(ValueError, match="not a public record"):
        repo_key(ResourcePath(path))
