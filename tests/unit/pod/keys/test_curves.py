"""Signing keys: what they sign verifies, and only in the one accepted form."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from pod.errors import Invalid
from pod.keys.curves import (
    Curve,
    SigningKey,
    parse_did_key,
    parse_multibase_key,
    public_key,
    verify,
)

KEYS = {
    Curve.K256: SigningKey.from_bytes(bytes(range(1, 33))),
    Curve.P256: SigningKey.from_bytes(bytes(range(1, 33)), Curve.P256),
}
EC_CURVES = {Curve.K256: ec.SECP256K1(), Curve.P256: ec.SECP256R1()}
curves = st.sampled_from(Curve)


@given(curves, st.binary(max_size=300))
def test_a_signature_verifies_and_is_low_s(curve: Curve, message: bytes) -> None:
    key = KEYS[curve]
    signature = key.sign(message)
    assert len(signature) == 64
    assert int.from_bytes(signature[32:], "big") <= curve.order // 2
    assert verify(key.did_key, message, signature)
    assert not verify(key.did_key, message + b"!", signature)


@given(curves, st.binary(max_size=100))
def test_an_independent_library_accepts_our_signatures(curve: Curve, message: bytes) -> None:
    key = KEYS[curve]
    signature = key.sign(message)
    oracle = ec.EllipticCurvePublicKey.from_encoded_point(EC_CURVES[curve], key.public.point)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    oracle.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))


@given(curves, st.binary(max_size=100))
def test_the_high_s_twin_is_refused_unless_asked_for(curve: Curve, message: bytes) -> None:
    key = KEYS[curve]
    signature = key.sign(message)
    s = curve.order - int.from_bytes(signature[32:], "big")
    twin = signature[:32] + s.to_bytes(32, "big")
    assert not verify(key.did_key, message, twin)
    assert verify(key.did_key, message, twin, allow_high_s=True)


@given(curves, st.binary(max_size=80))
def test_a_signature_of_another_shape_is_no_signature(curve: Curve, junk: bytes) -> None:
    assert not verify(KEYS[curve].did_key, b"message", junk)


@pytest.mark.parametrize("curve", Curve)
def test_zero_and_order_sized_numbers_are_refused(curve: Curve) -> None:
    order = curve.order.to_bytes(32, "big")
    for r, s in [(bytes(32), bytes(32)), (order, b"\1" * 32), (b"\1" * 32, bytes(32))]:
        assert not verify(KEYS[curve].did_key, b"message", r + s)


@pytest.mark.parametrize("curve", Curve)
def test_a_key_survives_each_of_its_encodings(curve: Curve) -> None:
    key = KEYS[curve]
    oracle = ec.EllipticCurvePublicKey.from_encoded_point(EC_CURVES[curve], key.public.point)
    numbers = oracle.public_numbers()
    uncompressed = b"\4" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    assert parse_did_key(key.did_key) == key.public
    assert parse_multibase_key(key.multibase_key) == key.public
    assert public_key(curve, uncompressed) == key.public
    assert SigningKey.from_bytes(key.secret_bytes, curve).did_key == key.did_key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "did:key:",
        "did:key:z",
        "did:key:zQ3sh",
        "did:key:zQ3shqwJEJyMBsBXCWyCBpUBMqxcon9oHB7mCvx4sSpMdLJw0",
        "did:key:mZ3sh",
        "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "did:web:example.com",
    ],
)
def test_what_is_no_key_of_the_curves_is_invalid(text: str) -> None:
    with pytest.raises(Invalid):
        parse_did_key(text)


@pytest.mark.parametrize("curve", Curve)
@pytest.mark.parametrize("secret", [b"", bytes(32), b"\xff" * 32, b"\1" * 31])
def test_secret_bytes_outside_the_curve_are_invalid(curve: Curve, secret: bytes) -> None:
    with pytest.raises(Invalid):
        SigningKey.from_bytes(secret, curve)


def test_fresh_keys_differ_and_do_not_show_their_secret() -> None:
    for make in (SigningKey.generate_k256, SigningKey.generate_p256):
        one, other = make(), make()
        assert one.did_key != other.did_key
        assert one.secret_bytes.hex() not in repr(one)


def test_each_curve_names_its_jwt_algorithm() -> None:
    assert [KEYS[c].jwt_alg for c in (Curve.K256, Curve.P256)] == ["ES256K", "ES256"]
