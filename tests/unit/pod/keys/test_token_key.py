"""Tokens of the server are verified by what its key set shows, and by nothing else."""

from __future__ import annotations

import pytest

from pod.errors import Invalid
from pod.keys.curves import SigningKey
from pod.keys.jose import header_of, thumbprint, verified
from pod.keys.token_key import TokenKey


def test_a_token_is_verified_by_the_public_key_that_its_header_names() -> None:
    key = TokenKey(SigningKey.generate_p256())
    token = key.signed({"kid": key.public_jwk["kid"]}, {"sub": "alice"})
    assert verified(token, key.public_jwk) == {"sub": "alice"}
    assert header_of(token) == {"alg": "ES256", "kid": thumbprint(key.public_jwk)}
    with pytest.raises(Invalid):
        verified(token, TokenKey(SigningKey.generate_p256()).public_jwk)


def test_the_key_set_shows_no_secret() -> None:
    shown = TokenKey(SigningKey.generate_p256()).public_jwk
    assert shown.keys() == {"crv", "kty", "x", "y", "kid", "alg", "use"}
