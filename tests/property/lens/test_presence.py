"""What a member says beside the record reads back, and leaves what it is not about alone."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.activitypub.lens import presence
from pod.model.ids import Iri
from pod.model.presence import Presence

words = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)
addresses = st.builds("https://{}.example/{}".format, st.from_regex("[a-z]{1,8}", fullmatch=True),
                      st.from_regex("[a-z?=&]{0,8}", fullmatch=True))  # fmt: skip
presences = st.builds(
    Presence,
    is_locked=st.booleans(),
    is_discoverable=st.booleans(),
    is_indexable=st.booleans(),
    fields=st.lists(st.tuples(words, words | addresses), max_size=4).map(tuple),
    aliases=st.lists(addresses.map(Iri), max_size=3, unique=True).map(tuple),
    moved_to=st.none() | addresses.map(Iri),
    featured_tags=st.lists(
        st.from_regex("[a-z0-9_]{1,8}", fullmatch=True), max_size=3, unique=True
    ).map(tuple),
)
unknown = st.dictionaries(st.from_regex("x-[a-z]{1,4}", fullmatch=True), st.integers(), max_size=3)


def tag_url(tag: str) -> str:
    return f"https://alice.example/?tag={tag}"


@given(unknown, presences)
def test_a_choice_reads_back_and_keeps_what_it_is_not_about(
    before: dict[str, Any], chosen: Presence
) -> None:
    after = presence.put(before, chosen, tag_url)
    assert presence.get(after) == chosen
    assert {key: after[key] for key in before} == before
    assert presence.put(after, presence.get(after), tag_url) == after


@given(unknown, presences)
def test_choosing_nothing_leaves_nothing(before: dict[str, Any], chosen: Presence) -> None:
    assert presence.put(presence.put(before, chosen, tag_url), Presence(), tag_url) == before


json = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=5,
)
KEYS = ["attachment", "alsoKnownAs", "movedTo", "tag", "discoverable"]


@given(st.dictionaries(st.sampled_from(KEYS), json))
def test_nothing_that_was_written_before_breaks_it(junk: dict[str, Any]) -> None:
    held = presence.get(junk)
    assert presence.get(presence.put(junk, held, tag_url)) == held
