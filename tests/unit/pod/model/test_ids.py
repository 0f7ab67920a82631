"""Identifiers beyond the official vectors: normal forms, edges, and what is handed back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pod.errors import Invalid
from pod.model import ids
from pod.model.ids import AtUriParts, Did, Handle, Nsid, Rkey

PARSERS = [
    ids.parse_did,
    ids.parse_handle,
    ids.parse_at_identifier,
    ids.parse_nsid,
    ids.parse_rkey,
    ids.parse_tid,
    ids.parse_at_uri,
    ids.parse_cid_text,
    ids.parse_uri,
    ids.parse_datetime,
    ids.parse_language,
]
GOOD = {
    "did:plc:abc",
    "alice.test",
    "app.bsky.feed.post",
    "self",
    "3jzfcijpj2z2a",
    "at://alice.test",
    "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi",
    "https://example.com",
    "2026-11-24T13:00:00Z",
    "en",
}


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize("tail", ["\n", "\r", " ", "\0", "\u2028"])
def test_nothing_may_trail_an_identifier(parse: object, tail: str) -> None:
    assert callable(parse)
    for text in GOOD:
        with pytest.raises(Invalid):
            parse(text + tail)


@pytest.mark.parametrize("parse", PARSERS)
def test_every_parser_takes_something(parse: object) -> None:
    assert callable(parse)
    taken = 0
    for text in GOOD:
        try:
            parse(text)
            taken += 1
        except Invalid:
            continue
    assert taken


def test_digits_of_other_scripts_are_no_digits() -> None:
    for text in ("alice1\u0661.test", "a.b\u0661.c"):
        with pytest.raises(Invalid):
            ids.parse_handle(text)
    with pytest.raises(Invalid):
        ids.parse_datetime("\u0662026-11-24T13:00:00Z")


def test_a_handle_is_kept_in_lower_case() -> None:
    assert ids.parse_handle("Alice.Example.COM") == "alice.example.com"
    assert ids.parse_at_identifier("Alice.Test") == "alice.test"


def test_an_at_uri_comes_apart_and_goes_together() -> None:
    uri = ids.at_uri(Did("did:plc:abc"), Nsid("app.bsky.feed.post"), Rkey("self"))
    parts = ids.at_uri_parts(uri)
    assert parts == AtUriParts(Did("did:plc:abc"), Nsid("app.bsky.feed.post"), Rkey("self"))
    assert ids.at_uri_parts("at://alice.test") == AtUriParts(Handle("alice.test"), None, None)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-24T13:00:00.123456789Z", datetime(2026, 11, 24, 13, 0, 0, 123456, UTC)),
        ("2026-11-24T13:00:00+02:00", datetime(2026, 11, 24, 11, tzinfo=UTC)),
        ("0000-02-29T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00+10:00", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.5-10:00", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
    ],
)
def test_a_datetime_is_an_instant_in_utc(text: str, moment: datetime) -> None:
    assert ids.parse_datetime(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-29T00:00:00Z",
        "0000-01-01T00:00:00+01:00",
        "2023-02-28T24:00:00Z",
        "2023-02-28T00:00:00+24:00",
        "2023-02-28T00:00:00+01:60",
        "2023-02-28T00:00:00." + "1" * 21 + "Z",
    ],
)
def test_an_instant_that_no_calendar_has_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        ids.parse_datetime(text)


@pytest.mark.parametrize("text", ["x-", "x", "en-abcdefghi", "en--US", "en-US-"])
def test_a_broken_language_tag_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        ids.parse_language(text)


def test_what_is_repeated_in_a_private_part_does_not_matter() -> None:
    assert ids.parse_language("en-x-abcde-abcde") == "en-x-abcde-abcde"
    assert ids.parse_language("en-a-abcde-b-abcde") == "en-a-abcde-b-abcde"


def test_the_length_of_a_uri_counts_bytes() -> None:
    assert ids.parse_uri("https://example.com/" + "ü" * 4000)
    with pytest.raises(Invalid):
        ids.parse_uri("https://example.com/" + "ü" * 4100)
