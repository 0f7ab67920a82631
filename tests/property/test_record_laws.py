"""Laws of TIDs, CIDs and the JSON form of record data."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod.errors import Invalid
from pod.model.ids import Tid, parse_tid
from pod.records import cbor
from pod.records.cid import (
    Codec,
    cid_from_bytes,
    cid_from_text,
    cid_of_digest,
    cid_text,
    raw_cid,
    record_cid,
)
from pod.records.data import Data, data_to_json, data_to_json_text, json_to_data
from pod.records.tid import TidClock, tid_from_us, tid_to_us
from tests.kit import records

MAX_US = 2**53 - 1
START = datetime(2026, 11, 24, tzinfo=UTC)
steps = st.lists(st.integers(-10_000_000, 10_000_000), min_size=1, max_size=40)
tids = st.builds(tid_from_us, st.integers(0, MAX_US - 100), st.integers(0, 1023))


class ErraticClock:
    """A clock that is moved by hand, back as well."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time


@given(steps)
def test_tids_rise_whatever_the_clock_does(moves: list[int]) -> None:
    clock = ErraticClock()
    source = TidClock(clock)
    given_out = [source.next()]
    for move in moves:
        clock.time += timedelta(microseconds=move)
        given_out.append(source.next())
    assert given_out == sorted(set(given_out))


@given(steps, st.lists(tids, min_size=1, max_size=40))
def test_a_tid_comes_after_the_one_it_must_follow(moves: list[int], befores: list[Tid]) -> None:
    clock = ErraticClock()
    source = TidClock(clock)
    own = [source.next()]
    for move, before in zip(moves, befores, strict=False):
        clock.time += timedelta(microseconds=move)
        assert source.next(after=before) > before
        own.append(source.next())
    assert own == sorted(set(own))


@given(st.integers(1, 100))
def test_a_repo_from_the_future_does_not_drag_the_others_along(days: int) -> None:
    clock = ErraticClock()
    source = TidClock(clock)
    future = tid_from_us(int((START + timedelta(days=days)).timestamp() * 1_000_000), 0)
    source.next(after=future)
    assert tid_to_us(source.next()) < tid_to_us(future)


@given(tids)
def test_a_line_of_revisions_never_repeats(first: Tid) -> None:
    source = TidClock(ErraticClock())
    line = [first]
    for _ in range(20):
        line.append(source.next(after=line[-1]))
    assert line == sorted(set(line))


def test_after_the_last_tid_there_is_none() -> None:
    with pytest.raises(Invalid):
        TidClock(ErraticClock()).next(after=tid_from_us(MAX_US, 0))


@given(st.integers(0, MAX_US), st.integers(0, 1023))
def test_a_tid_tells_its_time(us: int, clock_id: int) -> None:
    tid = tid_from_us(us, clock_id)
    assert parse_tid(tid) == tid
    assert tid_to_us(tid) == us


@given(st.integers(0, MAX_US), st.integers(0, MAX_US))
def test_tids_sort_by_time(one: int, other: int) -> None:
    assert (tid_from_us(one, 5) < tid_from_us(other, 5)) == (one < other)


@given(records.json_safe)
def test_data_survives_json(data: Data) -> None:
    again = json_to_data(orjson.loads(orjson.dumps(data_to_json(data))))
    assert cbor.encode(again) == cbor.encode(data)


@given(records.json_safe)
def test_both_ways_to_json_agree(data: Data) -> None:
    assert orjson.loads(data_to_json_text(data)) == data_to_json(data)


@given(st.binary())
def test_a_cid_survives_its_text(body: bytes) -> None:
    for cid in (record_cid(body), raw_cid(body)):
        text = cid_text(cid)
        assert cid_from_text(text) == cid_from_bytes(cid) == cid
        assert text == "b" + base64.b32encode(cid).decode().lower().rstrip("=")
        assert cid_of_digest(cid[4:], Codec(cid[1])) == cid


@given(st.text(max_size=70))
def test_text_that_is_no_cid_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        cid_from_text(text)


@given(
    st.binary(), st.integers(0, 58), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567ABZ189=\n")
)
def test_a_cid_text_has_no_second_spelling(body: bytes, at: int, digit: str) -> None:
    text = cid_text(raw_cid(body))
    changed = text[:at] + digit + text[at + 1 :]
    try:
        read = cid_from_text(changed)
    except Invalid:
        return
    assert cid_text(read) == changed
