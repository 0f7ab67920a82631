"""One-time codes: the vectors of RFC 6238, and the window of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod.keys.totp import matching_step, new_secret, otpauth_uri, secret_text

RFC_SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("unix", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_are_those_of_the_standard(unix: int, code: str) -> None:
    now = datetime.fromtimestamp(unix, UTC)
    assert matching_step(RFC_SECRET, code, now) == unix // 30
    assert matching_step(RFC_SECRET, code, now + timedelta(seconds=30)) == unix // 30
    assert matching_step(RFC_SECRET, code, now + timedelta(seconds=90)) is None


@given(st.text(max_size=8))
def test_hardly_any_text_is_the_code(text: str) -> None:
    now = datetime.fromtimestamp(59, UTC)
    step = matching_step(RFC_SECRET, text, now)
    assert step is None or text.strip().isdecimal()


def test_an_authenticator_can_take_a_secret_over() -> None:
    secret = new_secret()
    assert len(secret) == 20
    assert secret != new_secret()
    uri = otpauth_uri(RFC_SECRET, account="alice.test", issuer="pods.example")
    assert uri.startswith("otpauth://totp/pods.example%3Aalice.test?secret=GEZDGNBVGY3TQOJQ")
    assert uri.endswith("&issuer=pods.example")
    assert secret_text(RFC_SECRET) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
