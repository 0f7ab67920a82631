"""Passkeys: what a browser may say, against an authenticator made of a key and a counter."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from pod.errors import Invalid
from pod.keys.passkey import check_assertion, new_public_key
from tests.kit.apps import b64
from tests.kit.authenticator import CHALLENGE, KEY, SITE, der, told

RSA = rsa.generate_private_key(65537, 2048)


def asserted(answer: dict[str, str], key: Any = KEY, count: int = 0) -> int:
    return check_assertion(answer, SITE, CHALLENGE, der(key), count)


@pytest.mark.parametrize("key", [KEY, RSA])
def test_a_key_is_made_and_used(key: Any) -> None:
    assert new_public_key(told("webauthn.create", key=key), SITE, CHALLENGE) == der(key)
    assert asserted(told("webauthn.get", key=key), key) == 1


@pytest.mark.parametrize(
    "client",
    [
        {"type": "webauthn.create"},
        {"type": None},
        {"challenge": "d" * 43},
        {"challenge": None},
        {"challenge": 7},
        {"origin": "https://evil.example"},
        {"origin": "https://alice.pods.example"},
        {"crossOrigin": True},
    ],
)
def test_an_answer_to_another_question_is_refused(client: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        asserted(told("webauthn.get", **client))


def test_an_answer_that_nobody_touched_is_refused() -> None:
    with pytest.raises(Invalid):
        asserted(told("webauthn.get", flags=4))


def test_an_answer_of_another_key_is_refused() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(Invalid):
        asserted(told("webauthn.get", key=other))


def test_a_count_must_grow_unless_there_is_none() -> None:
    assert asserted(told("webauthn.get", count=8), count=7) == 8
    assert asserted(told("webauthn.get", count=0), count=0) == 0
    for count in (0, 6, 7):
        with pytest.raises(Invalid):
            asserted(told("webauthn.get", count=count), count=7)


@pytest.mark.parametrize("field", ["client_data", "authenticator_data", "signature"])
@pytest.mark.parametrize("text", ["", "AAAA", "!", "é", b64(b"[]"), b64(b"{}")])
def test_what_is_no_answer_is_refused(field: str, text: str) -> None:
    with pytest.raises(Invalid):
        asserted(told("webauthn.get") | {field: text})


@pytest.mark.parametrize(
    "public_key",
    [
        b"",
        b"nonsense",
        der(ec.generate_private_key(ec.SECP384R1())),
        der(rsa.generate_private_key(65537, 1024)),
    ],
)
def test_other_keys_are_refused(public_key: bytes) -> None:
    with pytest.raises(Invalid):
        new_public_key(told("webauthn.create") | {"public_key": b64(public_key)}, SITE, CHALLENGE)
