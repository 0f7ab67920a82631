"""The one spelling of a path: nothing that another reader could take for a different one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.solid.paths import canonical_path, check_name, containers_above, slug_name
from pod.errors import Conflict, Invalid
from pod.model.resource import ResourcePath
from tests.kit.solid import ALICE


@pytest.mark.parametrize(
    "raw",
    [
        b"/data//a",
        b"/data/a%2Fb",
        b"/data/a%2fb",
        b"/data/a%5Cb",
        b"/data/a%00",
        b"/data/../repo/x",
        b"/data/%2e%2e/repo/x",
        b"/data/./a",
        b"/data/.%2E/a",
        b"/data/a/..",
        b"/data/%ff",
        b"/data/a%0ab",
        b"//data/a",
        b"data/a",
        b"/" + b"a" * 3000,
    ],
)
def test_a_path_that_could_be_read_in_two_ways_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid):
        canonical_path(raw)


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"/", "/"),
        (b"/data/", "/data/"),
        (b"/data/a%20b", "/data/a b"),
        (b"/data/%C3%A9?x=/../", "/data/é"),
        (b"/data/a%252Fb", "/data/a%2Fb"),
        (b"/data/..a", "/data/..a"),
    ],
)
def test_a_plain_path_is_decoded_once(raw: bytes, path: str) -> None:
    assert canonical_path(raw) == path


@given(
    st.lists(
        st.text(
            st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"),
            min_size=1,
            max_size=5,
        ).filter(lambda s: s not in (".", "..")),
        max_size=4,
    )
)
def test_every_name_comes_back_from_its_url(segments: list[str]) -> None:
    path = "/data/" + "/".join(segments)
    assert canonical_path(ALICE.url(path).removeprefix(ALICE.origin).encode()) == path


def test_only_containers_inside_the_storage_are_made() -> None:
    assert containers_above(ResourcePath("/data/a/b/c")) == ["/data/", "/data/a/", "/data/a/b/"]
    assert containers_above(ResourcePath("/data/a/")) == ["/data/"]
    assert containers_above(ResourcePath("/data/a/b/")) == ["/data/", "/data/a/"]


def test_a_list_of_a_list_is_refused() -> None:
    check_name(ResourcePath("/data/a.acl"))
    for path in ("/data/a.acl.acl", "/data/.acl/x", "/data/x.acl/y"):
        with pytest.raises(Conflict):
            check_name(ResourcePath(path))


@given(st.text(max_size=30) | st.none())
def test_a_suggested_name_is_harmless(slug: str | None) -> None:
    name = slug_name(slug)
    if name is not None:
        path = ResourcePath(f"/data/{name}")
        check_name(path)
        assert not name.endswith(".acl")
        assert canonical_path(ALICE.url(path).removeprefix(ALICE.origin).encode()) == path
