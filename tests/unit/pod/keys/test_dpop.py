"""Proofs of possession: what is accepted, and every way to be refused."""

from __future__ import annotations

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from pod.errors import Unauthenticated
from pod.keys.dpop import Proofs
from tests.kit.apps import App, b64
from tests.kit.house import FrozenClock

URL = "https://pods.example/oauth/token"
SECRET = b"s" * 32


def app_and_proofs() -> tuple[App, Proofs, FrozenClock]:
    clock = FrozenClock()
    proofs = Proofs(SECRET, clock)
    app = App(clock)
    app.nonce = proofs.nonce()
    return app, proofs, clock


def refusal(proofs: Proofs, proof: str, token: str | None = None) -> str | None:
    with pytest.raises(Unauthenticated) as refused:
        proofs.check(proof, "POST", URL, token)
    return refused.value.name


def test_a_proof_tells_the_key_of_its_sender() -> None:
    app, proofs, _ = app_and_proofs()
    assert proofs.check(app.proof(URL), "POST", URL).jkt == app.jkt
    assert proofs.check(app.proof(URL, token="t"), "POST", URL, "t").jkt == app.jkt


def test_query_fragment_and_default_port_do_not_matter() -> None:
    app, proofs, _ = app_and_proofs()
    proofs.check(app.proof(URL + "?a=b#c"), "POST", URL)
    proofs.check(app.proof("https://PODS.example:443/oauth/token"), "POST", URL)


def test_a_proof_is_good_once() -> None:
    app, proofs, clock = app_and_proofs()
    proof = app.proof(URL)
    proofs.check(proof, "POST", URL)
    assert refusal(proofs, proof) == "invalid_dpop_proof"
    clock.pass_by(100)
    assert refusal(proofs, proof) == "invalid_dpop_proof"


def test_a_proof_from_before_a_restart_is_refused_for_its_nonce() -> None:
    app, _, clock = app_and_proofs()
    assert refusal(Proofs(b"t" * 32, clock), app.proof(URL)) == "use_dpop_nonce"


def test_a_nonce_is_good_for_two_to_three_minutes() -> None:
    app, proofs, clock = app_and_proofs()
    clock.pass_by(119)
    proofs.check(app.proof(URL), "POST", URL)
    clock.pass_by(62)
    assert refusal(proofs, app.proof(URL)) == "use_dpop_nonce"
    app.nonce = proofs.nonce()
    proofs.check(app.proof(URL), "POST", URL)


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"nonce": None}, "use_dpop_nonce"),
        ({"nonce": "made up"}, "use_dpop_nonce"),
        ({"nonce": 7}, "use_dpop_nonce"),
        ({"jti": None}, "invalid_dpop_proof"),
        ({"jti": 7}, "invalid_dpop_proof"),
        ({"htm": "GET"}, "invalid_dpop_proof"),
        ({"htm": "post"}, "invalid_dpop_proof"),
        ({"htu": None}, "invalid_dpop_proof"),
        ({"htu": "https://pods.example/oauth/par"}, "invalid_dpop_proof"),
        ({"htu": "http://pods.example/oauth/token"}, "invalid_dpop_proof"),
        ({"htu": "https://a@pods.example/oauth/token"}, "invalid_dpop_proof"),
        ({"htu": "https://pods.example:x/oauth/token"}, "invalid_dpop_proof"),
        ({"htu": "/oauth/token"}, "invalid_dpop_proof"),
        ({"iat": None}, "invalid_dpop_proof"),
        ({"iat": 0}, "invalid_dpop_proof"),
        ({"iat": "now"}, "invalid_dpop_proof"),
        ({"ath": "x"}, "invalid_dpop_proof"),
    ],
)
def test_a_proof_with_a_wrong_claim_is_refused(claims: dict[str, object], name: str) -> None:
    app, proofs, _ = app_and_proofs()
    assert refusal(proofs, app.proof(URL, **claims)) == name


def test_a_proof_for_another_token_is_refused() -> None:
    app, proofs, _ = app_and_proofs()
    assert refusal(proofs, app.proof(URL), "token") == "invalid_dpop_proof"
    assert refusal(proofs, app.proof(URL, token="other"), "token") == "invalid_dpop_proof"


def test_a_proof_with_a_wrong_header_is_refused() -> None:
    app, proofs, _ = app_and_proofs()
    other = ECKey.generate_key("P-256").as_dict(private=False)
    for header in (
        {"typ": "jwt"},
        {"jwk": None},
        {"jwk": other},
        {"jwk": app.key.as_dict(private=True)},
        {"jwk": {"kty": "oct", "k": "c2VjcmV0"}},
        {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
    ):
        assert refusal(proofs, app.proof(URL, header=header)) == "invalid_dpop_proof"


@pytest.mark.parametrize("proof", ["", "a", "a.b.c", "e30.e30.", "bnVsbA.e30.e30", "\x00", "é.é.é"])
def test_what_is_no_token_is_refused(proof: str) -> None:
    _, proofs, _ = app_and_proofs()
    assert refusal(proofs, proof) == "invalid_dpop_proof"


def test_a_proof_without_signature_is_refused() -> None:
    app, proofs, _ = app_and_proofs()
    _, payload, _ = app.proof(URL).split(".")
    for head in ('{"alg":"none","typ":"dpop+jwt"}', '{"alg":"HS256","typ":"dpop+jwt"}'):
        assert refusal(proofs, f"{b64(head.encode())}.{payload}.") == "invalid_dpop_proof"


@pytest.mark.parametrize(
    ("alg", "key"),
    [
        ("ES384", ECKey.generate_key("P-384")),
        ("RS256", RSAKey.generate_key(2048)),
    ],
)
def test_other_algorithms_with_a_public_key_are_accepted(alg: str, key: ECKey | RSAKey) -> None:
    app, proofs, _ = app_and_proofs()
    payload = jws.extract_compact(app.proof(URL).encode()).payload
    head = {"alg": alg, "typ": "dpop+jwt", "jwk": key.as_dict(private=False)}
    registry = jws.JWSRegistry(algorithms=[alg])
    registry.max_header_length = 4096
    proof = jws.serialize_compact(head, payload, key, registry=registry)
    assert proofs.check(proof, "POST", URL).jkt == key.thumbprint()
