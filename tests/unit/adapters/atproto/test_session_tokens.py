"""Session tokens: what is made verifies, everything else is refused by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey

from adapters.atproto.session_tokens import SessionTokens, new_grant_id
from pod.access.agent import Credential
from pod.errors import Invalid
from pod.model.ids import Did

SECRET = bytes(range(32))
SERVER = Did("did:web:pods.example")
ALICE = Did("did:plc:ewvi7nxzyoun6zhxrhs64oiz")


class Watch:
    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


def tokens(watch: Watch | None = None) -> SessionTokens:
    return SessionTokens(SECRET, SERVER, watch or Watch())


def refusal(token: str, kind: str = "at+jwt", made_by: SessionTokens | None = None) -> str | None:
    with pytest.raises(Invalid) as refused:
        (made_by or tokens()).verify(token, kind)
    return refused.value.name


def test_an_access_token_names_the_member_and_what_they_may_do():
    claims = tokens().verify(tokens().access(ALICE, Credential.APP_PASSWORD), "at+jwt")
    assert (claims.did, claims.credential) == (ALICE, Credential.APP_PASSWORD)


def test_a_refresh_token_names_its_grant_and_gives_no_access():
    claims = tokens().verify(tokens().refresh(ALICE, "grant"), "refresh+jwt")
    assert (claims.did, claims.credential, claims.grant) == (ALICE, None, "grant")


def test_an_independent_library_reads_our_tokens():
    token = tokens().access(ALICE, Credential.SESSION)
    read = jwt.decode(token, OctKey.import_key(SECRET), algorithms=["HS256"])
    assert read.header == {"typ": "at+jwt", "alg": "HS256"}
    assert read.claims["scope"] == "com.atproto.access"
    assert read.claims["exp"] - read.claims["iat"] == 7200


def test_one_kind_of_token_does_not_pass_for_the_other():
    assert refusal(tokens().refresh(ALICE, "grant"), "at+jwt") == "InvalidToken"
    assert refusal(tokens().access(ALICE, Credential.SESSION), "refresh+jwt") == "InvalidToken"


def test_a_token_expires_after_two_hours_by_name():
    watch = Watch()
    token = tokens(watch).access(ALICE, Credential.SESSION)
    watch.time += timedelta(minutes=119, seconds=59)
    assert tokens(watch).verify(token, "at+jwt").did == ALICE
    watch.time += timedelta(seconds=1)
    assert refusal(token, made_by=tokens(watch)) == "ExpiredToken"


def test_signing_out_is_possible_with_an_expired_token():
    watch = Watch()
    token = tokens(watch).refresh(ALICE, "grant")
    watch.time += timedelta(days=100)
    claims = tokens(watch).verify(token, "refresh+jwt", expired_too=True)
    assert claims.grant == "grant"


def test_a_token_of_another_server_is_refused_even_under_the_same_secret():
    other = SessionTokens(SECRET, Did("did:web:other.example"), Watch())
    assert refusal(other.access(ALICE, Credential.SESSION)) == "InvalidToken"


def test_an_unsigned_token_is_refused():
    head = jwt.encode({"alg": "HS256", "typ": "JWT"}, {"sub": ALICE}, OctKey.import_key(SECRET))
    assert refusal(head) == "InvalidToken"
    payload = tokens().access(ALICE, Credential.SESSION).split(".")[1]
    assert refusal(f"eyJhbGciOiJub25lIn0.{payload}.") == "InvalidToken"


@given(st.data())
def test_a_token_with_any_character_changed_is_refused(data):
    token = tokens().access(ALICE, Credential.SESSION)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters().filter(lambda c: c != token[at]))
    assert refusal(token[:at] + other + token[at + 1 :]) == "InvalidToken"


@given(st.text())
def test_any_text_that_is_no_token_is_refused(text):
    assert refusal(text) == "InvalidToken"


def test_grant_ids_do_not_repeat():
    assert len({new_grant_id() for _ in range(1000)}) == 1000
